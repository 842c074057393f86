# Helper programs of the tests of manifest/; included by checks.mk.
MANIFEST_TESTLIBS := $(B)/manifest.a $(B)/lib.a
MANIFEST_TESTPKG  := yaml-0.1 jansson libcrypto

$(B)/tests/manifest-dump: tests/tools/manifest-dump.c $(MANIFEST_TESTLIBS)
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -pie -MMD -MP -MF $@.d \
		-o $@ $< -Wl,--start-group $(MANIFEST_TESTLIBS) -Wl,--end-group \
		$(call pkglibs,$(MANIFEST_TESTPKG))

$(B)/tests/bench_manifest: tests/bench/bench_manifest.c $(MANIFEST_TESTLIBS)
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -pie -MMD -MP -MF $@.d \
		-o $@ $< -Wl,--start-group $(MANIFEST_TESTLIBS) -Wl,--end-group \
		$(call pkglibs,$(MANIFEST_TESTPKG))

golden golden-accept: $(B)/tests/manifest-dump
golden golden-accept: export GOLDEN_TOOLS = $(abspath $(B)/tests)
