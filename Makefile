# SPDX-License-Identifier: BSD-2-Clause
#
# The one Makefile of picket. It finds sources by wildcard, so a new file needs no edit here, and it
# writes only below the build folder (O=, default .output). `make help` lists targets and knobs.
#
# Three object trees from the same user/ sources: obj/ (the program), san/ (ASan+UBSan, what the
# unit tests link) and fuzz/ (clang, libFuzzer instrumentation). A change of flags rebuilds them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

.DEFAULT_GOAL := all

VERSION := 0.1.0

# --- Knobs ----------------------------------------------------------------------------------------

O ?= .output
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
FUZZ_TIME ?= 60
FUZZ_RUNS ?= 20000
KERNEL ?= 6.1
# A subset of the library to build, for work on one module: LIBDIRS="user/base user/policy".
LIBDIRS ?= $(patsubst %/,%,$(wildcard user/*/))

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
PKG_CONFIG ?= pkg-config

# sbin is not in an ordinary user's PATH on Debian; llvm-strip may exist only with clang's suffix.
find-tool = $(shell PATH="$$PATH:/usr/local/sbin:/usr/sbin:/sbin"; \
	for t in $(1); do command -v "$$t" && exit; done; echo $(firstword $(1)))
LLVM_SUFFIX := $(patsubst clang%,%,$(notdir $(firstword $(CLANG))))
LLVM_STRIP ?= $(call find-tool,llvm-strip$(LLVM_SUFFIX) llvm-strip llvm-strip-19 llvm-strip-16 \
	llvm-strip-15 llvm-strip-14)
BPFTOOL ?= $(call find-tool,bpftool)

ifeq ($(V),1)
Q :=
say = @mkdir -p $(@D)
else
Q := @
say = @mkdir -p $(@D); printf '  %-5s %s\n' $(1) $(patsubst $(O)/%,%,$@)
endif

# --- Flags ----------------------------------------------------------------------------------------

# -MD and not -MMD: generated skeletons and vmlinux.h are included as system headers (their code is
# not held to our warnings), and a change in them must still rebuild what includes them.
DEPFLAGS = -MD -MP -MF $(@:.o=.d)
WERROR_FLAG := $(if $(filter true 1,$(CI) $(WERROR)),-Werror)
# Comments speak of path globs, and /** looks like the start of another comment.
WARNINGS := -Wall -Wextra -Wno-comment -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 \
	-Wundef $(WERROR_FLAG)
DEFINES := -D_GNU_SOURCE -DPICKET_VERSION='"$(VERSION)"' \
	-DPICKET_DATADIR='"$(PREFIX)/share/picket"' $(if $(DEBUG),-DPK_DEBUG)
INCLUDES := -I include -I user -isystem $(O)/gen
BASE_CFLAGS := -std=gnu17 -g $(WARNINGS) $(DEFINES) $(INCLUDES) -ffile-prefix-map=$(CURDIR)=.
SAN_FLAGS := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all

ifdef SAN
OPT_CFLAGS := $(SAN_FLAGS)
OPT_LDFLAGS := $(SAN_FLAGS)
else
OPT_CFLAGS := $(if $(DEBUG),-O0,-O2 -D_FORTIFY_SOURCE=3) -fstack-protector-strong -fPIE
OPT_LDFLAGS := -pie -Wl,-z,relro,-z,now
endif
USER_CFLAGS := $(BASE_CFLAGS) -Wconversion $(OPT_CFLAGS) $(CFLAGS)
USER_LDFLAGS := $(OPT_LDFLAGS) -Wl,--as-needed $(LDFLAGS)
# Tables of test data would drown in casts: tests do without -Wconversion.
SAN_CFLAGS := $(BASE_CFLAGS) $(SAN_FLAGS) $(CFLAGS)
FUZZ_FLAGS := -O1 -fno-omit-frame-pointer -fno-sanitize-recover=all -DCOMPILE_STATES_MAX=65536U
FUZZ_CFLAGS := $(BASE_CFLAGS) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined \
	-Wno-format-nonliteral
TOOL_CFLAGS := -std=gnu17 -g -O2 $(WARNINGS) -D_GNU_SOURCE -I include -pthread

BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))
BPF_CFLAGS := -target bpf -D__BPF__ -D__TARGET_ARCH_$(BPF_ARCH) -g -O2 -mcpu=v3 -Wall -Wextra \
	-Wno-unused-parameter -Werror -isystem bpf -I include -I bpf $(if $(DEBUG),-DPK_DEBUG) \
	-ffile-prefix-map=$(CURDIR)=.

# --- Sources --------------------------------------------------------------------------------------

LIB_SRC := $(filter $(addsuffix /%,$(LIBDIRS)),$(wildcard user/*/*.c))
MAIN_SRC := $(wildcard user/main.c)
BPF_SRC := $(filter-out bpf/probe.bpf.c,$(wildcard bpf/*.bpf.c))
PROBE_SRC := $(wildcard bpf/probe.bpf.c)
TESTBPF_SRC := $(wildcard tests/bpf/*.bpf.c)
TESTBPF := $(patsubst tests/bpf/%.c,%,$(filter-out %.bpf.c,$(wildcard tests/bpf/test_*.c)))
# Not tests: programs of the bench tier that need the test objects.
BENCHBPF := $(patsubst tests/bpf/%.c,%,$(wildcard tests/bpf/bench_*.c))
TESTBPF_HELPERS := $(filter-out tests/bpf/test_% tests/bpf/bench_% %.bpf.c,$(wildcard tests/bpf/*.c))
UNIT := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_HELPERS := $(filter-out tests/unit/test_% tests/unit/expected_failure.c, \
	$(wildcard tests/unit/*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_HELPERS := $(filter-out tests/fuzz/fuzz_%,$(wildcard tests/fuzz/*.c))
PROGRAMS := $(patsubst %.c,$(O)/%,$(wildcard tests/live/*.c tests/attack/*.c tests/bench/*.c))

# tests/bpf/test_x.bpf.c and tests/bpf/x.bpf.c both give gen/test_x.skel.h.
test-skel = $(O)/gen/test_$(patsubst test_%,%,$(patsubst tests/bpf/%.bpf.c,%,$(1))).skel.h
SKELS := $(if $(BPF_SRC),$(O)/gen/picket.skel.h) $(if $(PROBE_SRC),$(O)/gen/probe.skel.h)
TEST_SKELS := $(foreach s,$(TESTBPF_SRC),$(call test-skel,$(s)))
# Only what includes a skeleton waits for the BPF side; the rest builds while that is broken.
SKEL_USERS := $(shell grep -lsE 'include.*\.skel\.h' /dev/null $(LIB_SRC) $(MAIN_SRC) \
	$(wildcard tests/unit/*.c))
ifneq ($(shell grep -lsE 'include.*\.skel\.h' /dev/null $(wildcard user/*/*.h)),)
SKEL_USERS += $(LIB_SRC) $(MAIN_SRC)
endif

uses = $(shell grep -qsE 'include [<"]($(1))' /dev/null $(wildcard user/*/*.[ch] user/main.c) && echo $(2))
PACKAGES := $(call uses,bpf/|.*skel.h,libbpf) $(call uses,gelf.h|libelf.h,libelf) $(call uses,zlib.h,zlib) \
	$(call uses,jansson.h,jansson) $(call uses,yaml.h,yaml-0.1) \
	$(call uses,openssl/ssl.h,libssl) $(call uses,openssl/,libcrypto) $(call uses,seccomp.h,libseccomp) $(call uses,idn2.h,libidn2) \
	$(call uses,systemd/,libsystemd) $(call uses,curl/,libcurl) $(call uses,sqlite3.h,sqlite3) \
	$(call uses,microhttpd.h,libmicrohttpd)
LIBS := $(if $(strip $(PACKAGES)),$(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)) -pthread

LIB_OBJ := $(LIB_SRC:%.c=$(O)/obj/%.o)
SAN_OBJ := $(LIB_SRC:%.c=$(O)/san/%.o)
FUZZ_OBJ := $(LIB_SRC:%.c=$(O)/fuzz/%.o)

# Presets are compiled in: their text becomes one more source of the library.
PRESETS := $(sort $(wildcard policies/presets/*.yaml))
# So is what the reference says of each key.
GENERATED := presets reference
LIB_OBJ += $(GENERATED:%=$(O)/obj/gen/%.o)
SAN_OBJ += $(GENERATED:%=$(O)/san/gen/%.o)
FUZZ_OBJ += $(GENERATED:%=$(O)/fuzz/gen/%.o)

# --- Build ----------------------------------------------------------------------------------------

.PHONY: all
all: $(if $(MAIN_SRC),$(O)/picket) $(SKELS) ## Build picket and its BPF objects (the default)

# Each holds the flags of one kind of object and is touched only when they differ: DEBUG=1, SAN=1 or
# another compiler rebuild what they concern. `members` makes a removed source leave the archives.
flags-obj := $(CC) $(USER_CFLAGS) $(USER_LDFLAGS) $(LIBS)
flags-san := $(CC) $(SAN_CFLAGS) $(LIBS)
flags-fuzz := $(CLANG) $(FUZZ_CFLAGS) $(LIBS)
flags-tool := $(CC) $(TOOL_CFLAGS)
flags-bpf := $(CLANG) $(BPF_CFLAGS) $(BPFTOOL) $(LLVM_STRIP)
flags-members := $(LIB_SRC) $(UNIT_HELPERS)
flags-presets := $(PRESETS)
$(O)/flags-%: FORCE
	@$(shell mkdir -p $(O))$(file >$@.new,$(flags-$*)) if cmp -s $@.new $@; \
		then rm -f $@.new; else mv $@.new $@; fi

.PHONY: FORCE
FORCE:

$(O)/picket: $(O)/obj/user/main.o $(O)/libpicket.a
	$(call say,LD)
	$(Q)$(CC) $(USER_LDFLAGS) -o $@ $^ $(LIBS)

$(O)/libpicket.a: $(LIB_OBJ)
$(O)/san/libpicket.a: $(SAN_OBJ)
$(O)/fuzz/libpicket.a: $(FUZZ_OBJ)
%/libpicket.a: $(O)/flags-members
	$(call say,AR)
	$(Q)rm -f $@ && ar crD $@ $(filter %.o,$^)

$(O)/obj/%.o: %.c $(O)/flags-obj
	$(call say,CC)
	$(Q)$(CC) $(USER_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(O)/san/%.o: %.c $(O)/flags-san
	$(call say,CC)
	$(Q)$(CC) $(SAN_CFLAGS) $(DEPFLAGS) -I tests/unit -c -o $@ $<

$(O)/fuzz/%.o: %.c $(O)/flags-fuzz
	$(call say,CC)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(DEPFLAGS) -I tests/fuzz -c -o $@ $<

$(O)/gen/presets.c: $(PRESETS) tools/presets-gen $(O)/flags-presets
	$(call say,GEN)
	$(Q)tools/presets-gen $(PRESETS) > $@

$(O)/gen/reference.c: policies/README.md tools/reference-gen
	$(call say,GEN)
	$(Q)tools/reference-gen $< > $@

$(GENERATED:%=$(O)/obj/gen/%.o): $(O)/obj/%.o: $(O)/%.c $(O)/flags-obj
	$(call say,CC)
	$(Q)$(CC) $(USER_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(GENERATED:%=$(O)/san/gen/%.o): $(O)/san/%.o: $(O)/%.c $(O)/flags-san
	$(call say,CC)
	$(Q)$(CC) $(SAN_CFLAGS) $(DEPFLAGS) -c -o $@ $<

$(GENERATED:%=$(O)/fuzz/gen/%.o): $(O)/fuzz/%.o: $(O)/%.c $(O)/flags-fuzz
	$(call say,CC)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) $(DEPFLAGS) -c -o $@ $<

define skel-first
$(O)/obj/$(1:.c=.o) $(O)/san/$(1:.c=.o) $(O)/fuzz/$(1:.c=.o): | $(SKELS)
endef
$(foreach s,$(sort $(SKEL_USERS)),$(eval $(call skel-first,$(s))))

# --- BPF ------------------------------------------------------------------------------------------

define bpf-compile
	$(call say,BPF)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(1) $(DEPFLAGS) -c -o $@ $<
endef

define bpf-link
	$(call say,BPFLD)
	$(Q)$(BPFTOOL) gen object $@ $(filter %.o,$^)
	$(Q)$(LLVM_STRIP) -g $@
endef

$(O)/bpf/%.bpf.o: bpf/%.bpf.c $(O)/flags-bpf
	$(call bpf-compile)

$(O)/tests/bpf/%.bpf.o: tests/bpf/%.bpf.c $(O)/flags-bpf
	$(call bpf-compile,-I tests/bpf)

$(O)/picket.bpf.o: $(BPF_SRC:%.c=$(O)/%.o)
	$(bpf-link)

$(O)/probe.bpf.o: $(PROBE_SRC:%.c=$(O)/%.o)
	$(bpf-link)

$(O)/gen/%.skel.h: $(O)/%.bpf.o
	$(call say,GEN)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

# A test object is linked alone, or with what its own comment names: `link-with: bpf/decide.bpf.c`.
define test-bpf-object
$(patsubst $(O)/gen/%.skel.h,$(O)/%.bpf.o,$(call test-skel,$(1))): $(1:%.c=$(O)/%.o) \
	$(patsubst %.c,$(O)/%.o,$(shell sed -n 's,^.*link-with: *\([^*]*\).*$$,\1,p' $(1)))
	$$(bpf-link)
endef
$(foreach s,$(TESTBPF_SRC),$(eval $(call test-bpf-object,$(s))))

# --- Tests ----------------------------------------------------------------------------------------
#
# Every tier prints TAP through tools/tap, which counts and leaves `passed failed skipped` in
# $(O)/results/<tier>; `check` sums those.

TAP := tools/tap $(O)/results
TEST_ENV = PICKET=$(abspath $(O)/picket) BUILD=$(abspath $(O)) CC="$(CC)"
# One program of a tier: make test-unit TEST=test_glob.
one = $(if $(TEST),$(filter $(TEST) test_$(TEST),$(1)),$(1))

# Archives: a test is linked with the helpers and modules it uses, not with all there are.
UNIT_HELPER_LIB := $(if $(UNIT_HELPERS),$(O)/san/tests/unit/helpers.a)
UNIT_BINS := $(patsubst %,$(O)/tests/unit/%,$(call one,$(UNIT)))

$(O)/san/tests/unit/helpers.a: $(UNIT_HELPERS:%.c=$(O)/san/%.o) $(O)/flags-members
	$(call say,AR)
	$(Q)rm -f $@ && ar crD $@ $(filter %.o,$^)

$(O)/tests/unit/%: $(O)/san/tests/unit/%.o $(UNIT_HELPER_LIB) $(O)/san/libpicket.a
	$(call say,LD)
	$(Q)$(CC) $(SAN_FLAGS) -o $@ $^ -lcmocka $(LIBS)

.PHONY: test-unit
test-unit: $(UNIT_BINS) $(O)/tests/unit/expected_failure ## Unit tests under ASan+UBSan [TEST=name]
	@tools/tap --self-test $(O)/tests/unit/expected_failure
	@$(TEST_ENV) $(TAP) unit --each $(UNIT_BINS)

# Fuzzers may use the helpers of the unit tests, the reference matcher above all.
$(O)/fuzz/helpers.a: $(patsubst %.c,$(O)/fuzz/%.o,$(FUZZ_HELPERS) $(UNIT_HELPERS)) $(O)/flags-members
	$(call say,AR)
	$(Q)rm -f $@ && ar crD $@ $(filter %.o,$^)

$(O)/tests/fuzz/fuzz_%: $(O)/fuzz/tests/fuzz/fuzz_%.o $(O)/fuzz/helpers.a $(O)/fuzz/libpicket.a
	$(call say,LD)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIBS)

FUZZ_PICK := $(if $(FUZZ),$(filter $(FUZZ) $(FUZZ:fuzz_%=%),$(FUZZERS)),$(FUZZERS))

.PHONY: fuzz test-fuzz fuzz-merge
fuzz: $(FUZZ_PICK:%=$(O)/tests/fuzz/fuzz_%) ## Run each fuzzer FUZZ_TIME seconds [FUZZ=name]
	@tools/fuzz run $(O) $(FUZZ_TIME) $(FUZZ_PICK)

test-fuzz: $(FUZZ_PICK:%=$(O)/tests/fuzz/fuzz_%) ## Replay the fuzz corpora and a short fixed run
	@$(TAP) fuzz -- tools/fuzz replay $(O) $(FUZZ_RUNS) $(FUZZ_PICK)

fuzz-merge: $(FUZZ_PICK:%=$(O)/tests/fuzz/fuzz_%) ## Add what `fuzz` found to tests/fuzz/corpus
	@tools/fuzz merge $(O) 0 $(FUZZ_PICK)

TESTBPF_HELPER_OBJ := $(TESTBPF_HELPERS:%.c=$(O)/obj/%.o)
TESTBPF_BINS := $(patsubst %,$(O)/tests/bpf/%,$(call one,$(TESTBPF)))
TESTBPF_OBJ := $(patsubst %,$(O)/obj/tests/bpf/%.o,$(TESTBPF) $(BENCHBPF)) $(TESTBPF_HELPER_OBJ)

$(TESTBPF_OBJ): | $(SKELS) $(TEST_SKELS)
$(TESTBPF_OBJ): private USER_CFLAGS += -Wno-conversion
$(patsubst %,$(O)/tests/bpf/%,$(TESTBPF) $(BENCHBPF)): $(O)/tests/bpf/%: $(O)/obj/tests/bpf/%.o $(TESTBPF_HELPER_OBJ) \
		$(O)/libpicket.a
	$(call say,LD)
	$(Q)$(CC) $(USER_LDFLAGS) -o $@ $^ -lcmocka $(LIBS) -lbpf

# Helper programs run inside bare guests and namespaces: static, no library of ours.
$(PROGRAMS): $(O)/%: %.c $(O)/flags-tool
	$(call say,CC)
	$(Q)$(CC) $(TOOL_CFLAGS) -MD -MP -MF $@.d -static -o $@ $<

.PHONY: programs
programs: $(PROGRAMS) $(TESTBPF_BINS) ## Build the helper programs of the bpf, live, attack and bench tiers

.PHONY: test-bpf test-live test-vm matrix attack bench bench-programs demo
test-bpf: $(TESTBPF_BINS) ## BPF programs under the verifier and test_run (root) [TEST=name]
	@$(TEST_ENV) $(TAP) bpf --root --each $(TESTBPF_BINS)

test-live: all programs ## Real programs confined on this host (root)
	@$(TEST_ENV) $(TAP) live --root -- tests/live/run

TIERS := $(if $(TIER),$(TIER),lsm modify-return)
test-vm: all programs ## Suites in a guest: KERNEL=6.1 [TIER=lsm|modify-return] [SUITES=...]
	@rc=0; for tier in $(TIERS); do \
		$(TEST_ENV) $(TAP) vm-$(KERNEL)-$$tier -- tools/vm/test $(KERNEL) $$tier $(SUITES) || rc=1; \
	done; exit $$rc

matrix: all programs ## test-vm on every kernel of the matrix, both tiers
	@$(TEST_ENV) tools/vm/matrix

attack: all programs ## Adversarial programs against a confined agent, in a guest [KERNEL= TIER=]
	@rc=0; for tier in $(TIERS); do \
		$(TEST_ENV) $(TAP) attack-$(KERNEL)-$$tier -- tools/vm/test $(KERNEL) $$tier attack || rc=1; \
	done; exit $$rc

bench: ## What enforcement costs, beside alternatives (root) [PARTS="egress scale" or no-acts]
	@tools/deps build test vm bench
	@$(MAKE) --no-print-directory all programs bench-programs
	@$(TEST_ENV) tests/bench/run $(PARTS)

bench-programs: $(BENCHBPF:%=$(O)/tests/bpf/%)

demo: ## Set up what is missing, build, and show real programs allowed and denied
	@tools/deps
	@$(MAKE) -j$(shell nproc) --no-print-directory all programs
	@$(TEST_ENV) tools/demo

.PHONY: check deps
check: ## Everything: deps, build, lint, every test tier, a guest on the floor kernel
	@MAKE="$(MAKE)" O="$(O)" KERNEL="$(KERNEL)" tools/check

deps: ## Install the missing packages (Debian; sudo when not root)
	@tools/deps

# --- Code quality ---------------------------------------------------------------------------------

LINT_ENV = O=$(O) CC="$(CC)"
lint tidy cppcheck: export LINT_CFLAGS = -std=gnu17 $(DEFINES) $(INCLUDES) -I tests/unit

.PHONY: lint tidy cppcheck format
lint: $(SKELS) ## All static checks and house rules
	@$(LINT_ENV) $(TAP) lint -- tools/lint

tidy: $(SKELS) ## clang-tidy alone
	@$(LINT_ENV) tools/lint tidy

cppcheck: ## cppcheck alone
	@$(LINT_ENV) tools/lint cppcheck

format: ## Rewrite the sources in the project's style
	@tools/lint --format

.PHONY: counts
counts: all programs ## Record each program's verifier cost on every kernel (tests/bpf/verified.txt)
	@$(TEST_ENV) tools/vm/counts

# --- Install --------------------------------------------------------------------------------------

.PHONY: install install-files deb package-test clean help
install: all ## Install below $(DESTDIR)$(PREFIX)
	@$(MAKE) --no-print-directory install-files

# What is built already: another PREFIX is no reason to compile again.
install-files:
	install -D -m 0755 $(O)/picket $(DESTDIR)$(PREFIX)/bin/picket
	@for f in $(wildcard policies/*/*.yaml policies/README.md); do \
		install -v -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/picket/$$f; \
	done
	@for f in $(wildcard user/man/*.[1-8]); do \
		install -v -D -m 0644 $$f $(DESTDIR)$(PREFIX)/share/man/man$${f##*.}/$${f##*/}; \
	done
	install -D -m 0644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/picket/LICENSE
	install -D -m 0644 tools/package/telemetry.yaml \
		$(DESTDIR)$(PREFIX)/share/doc/picket/examples/telemetry.yaml
	install -D -m 0644 tools/package/picket.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/picket.conf
	install -D -m 0644 tools/package/picket.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/picket.conf
	@install -d -m 0755 $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -m 0644 tools/package/picket.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/picket.socket
	sed 's,@bindir@,$(PREFIX)/bin,' tools/package/picket.service.in \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/picket.service

deb: all ## Make a Debian package: $(O)/picket_VERSION_ARCH.deb
	@rm -rf $(O)/deb && mkdir -p $(O)/deb
	@$(MAKE) --no-print-directory install-files PREFIX=/usr DESTDIR=$(abspath $(O)/deb) >$(O)/deb.log
	@tools/package/deb $(O)/deb $(VERSION) $(O)/picket_$(VERSION)_$(shell dpkg --print-architecture).deb

package-test: deb programs ## The package in a throw-away system, and in a guest that systemd boots (root)
	@$(TEST_ENV) DEB=$(abspath $(O)/picket_$(VERSION)_$(shell dpkg --print-architecture).deb) \
		$(TAP) package --root -- tests/package/run
	@$(TEST_ENV) $(TAP) package-boot -- tools/vm/run --systemd --kernel $(KERNEL) --mem 2048 \
		--timeout 1200 -- tests/package/boot

clean: ## Remove the build folder
	rm -rf $(O)

help: ## This list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  %-11s %s\n", $$1, $$2 }' Makefile
	@printf '\nKnobs: V=1 (show commands)  DEBUG=1  SAN=1 (sanitized picket)  O=dir  CLANG=  CC=\n'
	@printf '       BPFTOOL=  LIBDIRS="user/base ..." (part of the library)  CI=true (-Werror)\n'

-include $(shell find $(O) -name '*.d' -type f 2>/dev/null)
