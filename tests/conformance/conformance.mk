# Other people's programs on our engine.  The suites need Debian's packages
# alone; RUNTIME_TOOLS=DIR adds the validation programs of the OCI.
RUNTIME_TOOLS ?=

conformance: all
	$(Q)B=$(abspath $(B)) tests/run-suites $(sort $(wildcard tests/conformance/*.t))
	$(Q)B=$(abspath $(B)) tests/conformance/validation $(RUNTIME_TOOLS)

.PHONY: conformance
