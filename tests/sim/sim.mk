# The simulator of the planner: make sim SIM_SEEDS=2000 SIM_FIRST=1
SIM_SEEDS ?= 2000
SIM_FIRST ?= 1
SIM_SRC := tests/sim/sim.c tests/sim/fleet.c
SIM_LIBS := lib manifest policy reconciler

$(B)/sim/sim: $(SIM_SRC) tests/sim/fleet.h tests/sim/make.h \
		$(SIM_LIBS:%=$(B)/%.a) $(B)/proto.a
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -pie -o $@ $(SIM_SRC) \
		-Wl,--start-group $(SIM_LIBS:%=$(B)/%.a) $(B)/proto.a \
		-Wl,--end-group $(call pkglibs,$(ALLPKG))

sim: $(B)/sim/sim
	$(Q)$(B)/sim/sim --seeds $(SIM_SEEDS) --first $(SIM_FIRST)
.PHONY: sim

# What the golden tests of policy and plan run.
$(B)/tests/plan-dump: tests/sim/plan-dump.c tests/sim/make.h \
		$(SIM_LIBS:%=$(B)/%.a) $(B)/proto.a
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) $(LDFLAGS_ALL) -pie -o $@ $< \
		-Wl,--start-group $(SIM_LIBS:%=$(B)/%.a) $(B)/proto.a \
		-Wl,--end-group $(call pkglibs,$(ALLPKG))
golden golden-accept: $(B)/tests/plan-dump
