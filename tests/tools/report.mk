# What the suites of output run.
tools: $(B)/tests/report-dump
$(B)/tests/report-dump: tests/tools/report-dump.c tests/sim/make.h \
		$(SIM_LIBS:%=$(B)/%.a) $(B)/proto.a
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -pie -o $@ $< \
		-Wl,--start-group $(SIM_LIBS:%=$(B)/%.a) $(B)/proto.a \
		-Wl,--end-group $(call pkglibs,$(ALLPKG))
