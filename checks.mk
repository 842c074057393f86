# Checks, included by the Makefile.  `make check-fast` is what one runs before
# each commit; the slow suites have targets of their own.
CHECK_SRC := $(wildcard */*.c */*.h */*/*.c */*/*.h */*/*/*.c */*/*/*.h */*/*/*/*.c)
CHECK_SRC := $(filter-out build%,$(CHECK_SRC))

# --- unit: every test program, one summary in the end -----------------------
unit: $(UNITBIN) $(PROGS:%=$(B)/bin/%)
	$(Q)PROGRAMS=$(abspath $(B)/bin) tests/unit/run $(UNITBIN)

# --- golden: a folder with cmd and expect.*; the runner is tests/golden/run --
golden: all
	$(Q)if [ -x tests/golden/run ]; then PATH=$(abspath $(B)/bin):$$PATH tests/golden/run; fi
golden-accept: all
	$(Q)PATH=$(abspath $(B)/bin):$$PATH tests/golden/run --accept

lint: all
	$(Q)CC="$(CC)" tests/lint/run $(B)

check-fast: unit golden lint

format:
	$(Q)clang-format -i $(CHECK_SRC)

man-lint:
	$(Q)set -- $(wildcard man/*.[1-8]); [ $$# = 0 ] || mandoc -T lint -W warning "$$@"

tidy:
	$(Q)clang-tidy --quiet $(filter-out tests/%,$(filter %.c,$(CHECK_SRC))) -- $(BASE)

# --- fuzz: libFuzzer, T seconds a target; corpus under tests/fuzz/corpus -----
T    ?= 10
FB   := build/fuzz
FUZZ := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz-build:
	$(Q)$(MAKE) --no-print-directory CC=clang B=$(FB) \
		SAN=address,undefined CFLAGS=-fsanitize=fuzzer-no-link \
		$(LIBS:%=$(FB)/%.a) $(FB)/proto.a $(FUZZ:%=$(FB)/fuzz/%)
$(FB)/fuzz/%: tests/fuzz/%.c $(LIBS:%=$(FB)/%.a) $(FB)/proto.a
	@mkdir -p $(dir $@)
	@echo "  LD $@"
	$(Q)clang $(CFLAGS_ALL) -fsanitize=fuzzer $(LDFLAGS_ALL) -o $@ $< \
		-Wl,--start-group $(LIBS:%=$(FB)/%.a) $(FB)/proto.a -Wl,--end-group \
		$(call pkglibs,$(ALLPKG)) -lcap-ng
fuzz: fuzz-build
	$(Q)set -e; for f in $(FUZZ); do \
		c=tests/fuzz/corpus/$${f#fuzz_}; \
		mkdir -p "$(FB)/corpus/$$f" "$$c"; \
		echo "fuzz $$f $(T) s"; \
		$(FB)/fuzz/$$f -max_total_time=$(T) -timeout=10 -rss_limit_mb=1024 \
			-artifact_prefix=$(FB)/ -print_final_stats=0 -verbosity=0 \
			"$(FB)/corpus/$$f" "$$c"; \
	done

.PHONY: unit golden golden-accept lint check-fast format man-lint tidy fuzz fuzz-build
