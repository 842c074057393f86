# The suites that need a built tree and, most of them, root.
SUITES := $(sort $(wildcard tests/integration/*.t tests/attack/*.t \
	tests/privsep/*.t tests/crash/*.t tests/fault/*.t \
	tests/conformance/*.t))

deps:
	$(Q)packaging/deps

# One after the other where they measure or share the machine; two at a time
# otherwise.  The closing line counts every TAP result.
suites: all tools
	$(Q)B=$(abspath $(B)) tests/run-suites $(SUITES)

# Every call of every command with every error, and killed at each: an hour.
fault-engine-full: all tools
	$(Q)SUITE_SECONDS=7200 SWEEP_ALL=1 B=$(abspath $(B)) tests/run-suites \
		tests/fault/engine.t tests/crash/engine.t

# N odd commits, of each what git says and what we say; make check does 1,500.
N ?= 10000
mutate: all tools
	$(Q)SUITE_SECONDS=3600 DIFF_N=$(N) B=$(abspath $(B)) tests/run-suites \
		tests/attack/trust_diff.t
	$(Q)SUITE_SECONDS=3600 DIFF_N=$$(($(N) / 20)) B=$(abspath $(B)) tests/run-suites \
		tests/attack/trust_diff_kinds.t

# Compiles each guard of trust out and runs the test that must fail then.
red: all tools
	$(Q)MAKE="$(MAKE)" CC="$(CC)" tests/attack/seen-red $(GUARD)

demo: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)B=$(abspath $(B)) KEEP=$(KEEP) tests/demo/run

bench: deps
	$(Q)$(MAKE) --no-print-directory all tools
	$(Q)B=$(abspath $(B)) tests/bench/run

bench-engine: deps
	$(Q)$(MAKE) --no-print-directory all tools
	$(Q)B=$(abspath $(B)) ONLY=part-engine tests/bench/run

check: deps
	$(Q)B=$(B) MAKE=$(MAKE) tests/check

# reconcile-agent is typed by people (join, status, reset); the others are not.
SBINDIR ?= $(PREFIX)/sbin
install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) \
		$(DESTDIR)$(LIBEXECDIR) \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 \
		$(DESTDIR)$(MANDIR)/man8
	install -m 755 $(B)/bin/reconcile $(DESTDIR)$(BINDIR)/
	install -m 755 $(filter-out $(B)/bin/reconcile,$(PROGS:%=$(B)/bin/%)) \
		$(DESTDIR)$(LIBEXECDIR)/
	ln -sf $(LIBEXECDIR)/reconcile-agent $(DESTDIR)$(SBINDIR)/
	for m in man/*.[158]; do \
		install -m 644 "$$m" $(DESTDIR)$(MANDIR)/man$${m##*.}/; done

help:
	@echo 'make            build everything into $(B)/bin'
	@echo 'make demo       the whole story on three hosts (KEEP=1 leaves it up)'
	@echo 'make check      every test;  make check-fast: the quick ones'
	@echo 'make conformance  podman, containerd and, with RUNTIME_TOOLS=DIR, the validation programs of the OCI'
	@echo 'make red        each guard of trust compiled out, its test seen red (GUARD="ARMOR TAG_NAME" for some)'
	@echo 'make mutate     N=10000 odd commits before git verify-commit and before us'
	@echo 'make bench      figures beside their peers;  make bench-engine: the engine alone'
	@echo 'make lint       layers, exports, globals, sizes, link lists'
	@echo 'make fuzz T=60  every fuzz target, T seconds each'
	@echo 'make install    PREFIX, DESTDIR, BINDIR, SBINDIR, LIBEXECDIR, SYSCONFDIR'

.PHONY: deps mutate red fault-engine-full suites demo bench bench-engine check install help tools
