# One make for the whole tree; no recursion.  `make help` lists the targets.
B        ?= build
V        ?= 0
SAN      ?=
CC       ?= gcc
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/reconcile
SYSCONFDIR ?= /etc/reconcile
MANDIR   ?= $(PREFIX)/share/man
DESTDIR  ?=
VERSION  := 0.1.0

.DEFAULT_GOAL := all
Q := $(if $(filter 1,$(V)),,@)

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wformat=2 -Wundef -Wcast-qual \
	-Wnull-dereference -Werror
HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-ftrivial-auto-var-init=zero -D_FORTIFY_SOURCE=2
# clang before 16 wants to be told twice
ifneq ($(findstring clang,$(CC)),)
HARDEN += -enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang
endif
LDHARDEN := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
OPT  ?= -O2
BASE := -std=c17 -D_GNU_SOURCE -I. -isystem $(B)/gen -g $(OPT) \
	-DRECONCILE_LIBEXEC='"$(LIBEXECDIR)"' \
	-DRECONCILE_SYSCONF='"$(SYSCONFDIR)"' \
	-DRECONCILE_VERSION='"$(VERSION)"'
GUARD_OFF ?=
ifneq ($(GUARD_OFF),)
BASE += -D$(GUARD_OFF)
endif
ifneq ($(SAN),)
SANFLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -DRECONCILE_SAN
HARDEN := -fstack-protector-strong
OPT := -O1
# gcc warns of what only its instrumentation makes
WARN := $(filter-out -Werror,$(WARN))
endif
CFLAGS_ALL := $(BASE) $(HARDEN) $(SANFLAGS) -fPIE $(CFLAGS)
LDFLAGS_ALL := $(LDHARDEN) $(SANFLAGS) $(LDFLAGS)

# --- layers: a folder (or several) is one archive -------------------------
# name.DIRS; every .c in them belongs to the archive.
LIBS := lib manifest policy audit channel reconciler agent engine image
lib.DIRS        := lib
image.DIRS      := engine/image
manifest.DIRS   := manifest
policy.DIRS     := policy/trust policy/admission policy/access
audit.DIRS      := audit
channel.DIRS    := channel
reconciler.DIRS := reconciler/plan reconciler/schedule reconciler/rollout \
		   reconciler/state reconciler/report reconciler/core
agent.DIRS      := agent agent/pod agent/probe
engine.DIRS     := engine engine/spec engine/namespace engine/rootfs \
		   engine/cgroup engine/confine engine/run engine/state engine/sys

# --- programs: name.DIR has main.c; USE archives in link order; PKG libraries
PROGS := reconcile reconcile-fetch reconcile-dial reconcile-verify reconcile-openpgp reconcile-audit \
	reconcile-channel reconcile-link reconcile-agent reconcile-net \
	reconcile-pull reconcile-unpack reconcile-engine reconcile-monitor \
	reconcile-init reconcile-engine-systemd
-include programs.mk

PROTOS := $(wildcard */*.proto */*/*.proto)
GENC   := $(PROTOS:%.proto=$(B)/gen/%.pb-c.c)
GENH   := $(PROTOS:%.proto=$(B)/gen/%.pb-c.h)
GENO   := $(PROTOS:%.proto=$(B)/gen/%.pb-c.o)

objs = $(patsubst %.c,$(B)/o/%.o,$(foreach d,$(1),$(wildcard $(d)/*.c)))

all: $(PROGS:%=$(B)/bin/%)

$(B)/gen/%.pb-c.c $(B)/gen/%.pb-c.h &: %.proto
	@mkdir -p $(dir $@)
	$(Q)protoc-c --c_out=$(B)/gen $<
$(B)/gen/%.pb-c.o: $(B)/gen/%.pb-c.c
	$(Q)$(CC) -std=gnu17 -O2 -g -fPIE $(SANFLAGS) -I$(B)/gen -c -o $@ $<
$(B)/proto.a: $(GENO)
	$(Q)rm -f $@; ar rcs $@ $^

$(B)/o/%.o: %.c | $(GENH)
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  CC $<"
	$(Q)$(CC) $(CFLAGS_ALL) $(WARN) -MD -MP -c -o $@ $<

define LIB_template
$(B)/$(1).a: $(call objs,$($(1).DIRS))
	$(Q)rm -f $$@; ar rcs $$@ $$^
endef
$(foreach l,$(LIBS),$(eval $(call LIB_template,$(l))))

# --- musl: programs that start for each container are linked against it.  Its
# start-up is a few microseconds; glibc's asks the processor for its features,
# which costs half a millisecond on a virtual machine (docs/adr/0022).  The
# same sources; only the two libraries of Debian that such a program uses are
# glibc's, see lib/musl/fortify.c.
MUSL_ARCH := $(shell $(CC) -print-multiarch 2>/dev/null || echo x86_64-linux-gnu)
MUSL      := $(MUSL_ARCH:-gnu=-musl)
MUSL_INC  := -nostdinc -isystem /usr/include/$(MUSL) \
	-idirafter $(shell $(CC) -print-file-name=include 2>/dev/null) \
	-idirafter /usr/include -idirafter /usr/include/$(MUSL_ARCH)
MUSL_LIB  := /usr/lib/$(MUSL)
MUSL_DIRS := lib/musl $(engine.DIRS)
MUSL_LIBC := arena buf clock encode err file jsonp jsonw kernel log num opt proc \
	opt_completion opt_help sys text warn
$(B)/m/%.o: %.c
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  CC $< (musl)"
	$(Q)$(CC) $(CFLAGS_ALL) -U_FORTIFY_SOURCE $(WARN) $(MUSL_INC) -MD -MP -c -o $@ $<
musl = $(patsubst %.c,$(B)/m/%.o,$(foreach d,$(1),$(wildcard $(d)/*.c)))
$(B)/musl.a: $(call musl,$(MUSL_DIRS)) $(MUSL_LIBC:%=$(B)/m/lib/%.o)
	$(Q)rm -f $@; ar rcs $@ $^

pkglibs = $(if $(1),$(shell pkg-config --libs $(1) 2>/dev/null),)
pkglibs_static = $(if $(1),$(shell pkg-config --static --libs $(1) 2>/dev/null),)
STATIC_OK := $(if $(SAN),,1)
define PROG_template
$(B)/bin/$(1): $(call objs,$($(1).DIR)) $(patsubst %,$(B)/%.a,$($(1).USE))
	@mkdir -p $(B)/bin
	@[ $(V) = 1 ] || echo "  LD $$@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(if $(and $($(1).STATIC),$(STATIC_OK)),-static-pie,-pie) -o $$@ \
		$(call objs,$($(1).DIR)) -Wl,--start-group $(patsubst %,$(B)/%.a,$($(1).USE)) -Wl,--end-group \
		$(if $($(1).STATIC),$(call pkglibs_static,$($(1).PKG)),$(call pkglibs,$($(1).PKG))) $($(1).LINK)
endef
define MUSL_template
$(B)/bin/$(1): $(call musl,$($(1).DIR)) $(B)/musl.a
	@mkdir -p $(B)/bin
	@[ $(V) = 1 ] || echo "  LD $$@ (musl)"
	$(Q)$(CC) $(LDFLAGS_ALL) -static-pie -nostdlib -o $$@ \
		$(MUSL_LIB)/rcrt1.o $(MUSL_LIB)/crti.o \
		$(call musl,$($(1).DIR)) -Wl,--start-group $(B)/musl.a \
		$(call pkglibs_static,$($(1).PKG)) $(MUSL_LIB)/libc.a -lgcc \
		-Wl,--end-group $(MUSL_LIB)/crtn.o
endef
MUSL_OK := $(if $(SAN),,1)
$(foreach p,$(PROGS),$(eval $(call $(if $(and $($(p).MUSL),$(MUSL_OK)),MUSL,PROG)_template,$(p))))

# --- unit tests: tests/unit/<path>/test_x.c links every archive, as needed --
UNIT := $(sort $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c))
UNITBIN := $(UNIT:tests/unit/%.c=$(B)/unit/%)
ALLPKG := libgit2 yaml-0.1 libcrypto libssl libseccomp libcap-ng libarchive jansson libcurl sqlite3 libprotobuf-c libevent libevent_openssl libmnl
$(B)/unit/%: tests/unit/%.c $(LIBS:%=$(B)/%.a) $(B)/proto.a
	@mkdir -p $(dir $@)
	@[ $(V) = 1 ] || echo "  LD $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(filter-out -Wcast-qual -Wmissing-prototypes,$(WARN)) $(LDFLAGS_ALL) -pie -MD -MP -MF $@.d -o $@ $< \
		-Wl,--start-group $(LIBS:%=$(B)/%.a) $(B)/proto.a -Wl,--end-group $(call pkglibs,$(ALLPKG)) -lcap-ng -lcmocka -lz -lzstd -lm
unit-build: $(UNITBIN)

-include checks.mk
-include suites.mk
-include $(wildcard tests/*.mk tests/*/*.mk)

clean:
	$(Q)rm -rf $(B)
-include $(shell test -d $(B) && find $(B) -name '*.d' 2>/dev/null)
.PHONY: all clean unit-build
.SECONDARY:
