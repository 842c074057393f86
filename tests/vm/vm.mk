# `make check-vm`: the engine on a machine with nothing but cgroup v2, the
# kernel of Debian 12 in an emulator.  Not part of `make check`: it takes
# minutes without KVM, and fetches the kernel's package once.
VM_SUITES ?= $(sort $(wildcard tests/vm/*.t)) tests/integration/engine.t \
	tests/attack/engine.t \
	tests/integration/agent.t

deps-vm:
	$(Q)packaging/deps-vm

check-vm: all deps-vm $(B)/tests/agent_tool
	$(Q)B=$(abspath $(B)) tests/vm/run $(VM_SUITES)

.PHONY: deps-vm check-vm
