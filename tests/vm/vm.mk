# `make check-vm`: the engine on a machine with nothing but cgroup v2, the
# kernel of Debian 12 in an emulator.  Not part of `make check`: it takes
# minutes without KVM, and fetches the kernel's package once.
VM_SYSTEMD := $(wildcard tests/vm/systemd*.t)
VM_SUITES ?= $(filter-out $(VM_SYSTEMD),$(sort $(wildcard tests/vm/*.t))) \
	tests/integration/engine.t tests/attack/engine.t \
	tests/integration/agent.t

deps-vm:
	$(Q)packaging/deps-vm

check-vm: check-vm-systemd all deps-vm $(B)/tests/agent_tool
	$(Q)B=$(abspath $(B)) tests/vm/run $(VM_SUITES)

# The same machine with systemd as its first program: with cgroup v2 alone, and
# hybrid, as Debian 10 was and who still asks for it.
SYSTEMD_HYBRID := systemd.unified_cgroup_hierarchy=0 \
	systemd.legacy_systemd_cgroup_controller=0
SYSTEMD_BOOT := vm.init=systemd systemd.unit=check.service
check-vm-systemd: all deps-vm $(B)/tests/agent_tool
	$(Q)B=$(abspath $(B)) VM_BOOT="$(SYSTEMD_BOOT) cgroup_no_v1=all" \
		tests/vm/run tests/vm/systemd.t tests/vm/systemd_user.t
	$(Q)B=$(abspath $(B)) VM_BOOT="$(SYSTEMD_BOOT) $(SYSTEMD_HYBRID)" \
		tests/vm/run tests/vm/systemd_hybrid.t

.PHONY: deps-vm check-vm check-vm-systemd
