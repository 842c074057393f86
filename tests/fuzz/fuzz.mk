# make corpus: every fuzz target, linked with a plain main() instead of
# libFuzzer, over the inputs that are kept under tests/fuzz/corpus.
$(B)/corpus/%: tests/fuzz/%.c tests/fuzz/replay.c $(LIBS:%=$(B)/%.a) $(B)/proto.a
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -pie -MMD -MP -MF $@.d \
		-o $@ $< tests/fuzz/replay.c \
		-Wl,--start-group $(LIBS:%=$(B)/%.a) $(B)/proto.a -Wl,--end-group \
		$(call pkglibs,$(ALLPKG)) -lcap-ng

corpus: $(FUZZ:%=$(B)/corpus/%)
	$(Q)tests/fuzz/run-corpus $(B)/corpus tests/fuzz/corpus $(FUZZ)
.PHONY: corpus
