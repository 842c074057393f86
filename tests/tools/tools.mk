# Helper programs of the shell suites: `make tools` makes all of them, so that
# no suite has to compile.
define TOOL_template
$(B)/$(2): $(1) $$(LIBS:%=$(B)/%.a) $(B)/proto.a
	@mkdir -p $$(dir $$@)
	@[ $(V) = 1 ] || echo "  LD $$@"
	$(Q)$(CC) $(CFLAGS_ALL) $(filter-out -Wcast-qual -Wmissing-prototypes,$(WARN)) \
		$(LDFLAGS_ALL) -pie -MMD -MP -MF $$@.d -o $$@ $(1) \
		-Wl,--start-group $$(LIBS:%=$(B)/%.a) $(B)/proto.a -Wl,--end-group \
		$(call pkglibs,$(ALLPKG)) -lcap-ng -lz
endef
$(eval $(call TOOL_template,tests/attack/trust_ask.c,tests/trust_ask))
$(eval $(call TOOL_template,tests/attack/trust_forge.c,tests/trust_forge))
$(eval $(call TOOL_template,tests/attack/trust_krl.c,tests/trust_krl))
$(eval $(call TOOL_template,tests/attack/trust_pins.c policy/verify/openpgp_run.c,tests/trust_pins))
$(eval $(call TOOL_template,tests/attack/trust_mutate.c tests/attack/mutate_object.c tests/attack/mutate_sign.c tests/attack/mutate_signed.c,tests/trust_mutate))
$(eval $(call TOOL_template,tests/tools/agent_tool.c,tests/agent_tool))

$(eval $(call TOOL_template,tests/tools/seccomp_agent.c,tests/seccomp_agent))

$(eval $(call TOOL_template,tests/privsep/inject.c,tests/inject))

$(eval $(call TOOL_template,tests/crash/crash_tool.c,tests/crash_tool))

$(eval $(call TOOL_template,tests/fault/fault.c,tests/fault))
$(eval $(call TOOL_template,tests/tools/without.c,tests/without))

# Rulers: small and static, so that what they measure is not them.
STATIC_TOOL = $(CC) -std=c17 -D_GNU_SOURCE -O2 $(WARN) -static -o $@ $<
$(B)/tests/race $(B)/tests/floor: $(B)/tests/%: tests/bench/%.c
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(STATIC_TOOL)
$(B)/tests/sqv_fake: tests/privsep/sqv_fake.c
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(STATIC_TOOL)
$(B)/tests/terminal_push: tests/tools/terminal_push.c
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(STATIC_TOOL)

$(eval $(call TOOL_template,tests/fault/sweep.c tests/fault/sweep_act.c,tests/sweep))

TOOLS := $(B)/tests/race $(B)/tests/floor $(B)/tests/terminal_push $(B)/tests/sqv_fake $(B)/unit/engine/image/image_tool $(B)/tools/channel-tool \
	$(B)/tests/manifest-dump $(B)/tests/bench_manifest \
	$(B)/tests/trust_ask $(B)/tests/trust_forge $(B)/tests/trust_krl $(B)/tests/trust_pins $(B)/tests/trust_mutate $(B)/tests/agent_tool \
	$(B)/tests/inject $(B)/tests/crash_tool $(B)/tests/fault $(B)/tests/without \
	$(B)/tests/seccomp_agent \
	$(B)/tests/sweep
tools: $(TOOLS)
.PHONY: tools
