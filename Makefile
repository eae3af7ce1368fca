# voipguard: `make` builds ./voipguard; `make help` lists the rest.
CC ?= gcc
PREFIX ?= /usr
DESTDIR ?=
VERSION := 0.1.0

PACKAGES := libpcre2-8 libnftnl libmnl libesmtp-1.0 openssl libsystemd sqlite3 jansson libseccomp libcap libcares
APT_BUILD := gcc make pkg-config libc6-dev libpcre2-dev libnftnl-dev libmnl-dev libesmtp-dev libssl-dev \
	libsystemd-dev libsqlite3-dev libjansson-dev libseccomp-dev libcap-dev libc-ares-dev
APT_DEMO := nftables iproute2 iputils-ping openssl python3 python3-aiosmtpd
APT_CHECK := $(APT_DEMO) libcmocka-dev jq procps systemd-journal-remote
APT_COMPAT := python3
APT_LINT := clang-format clang-tidy cppcheck
APT_FUZZ := clang libclang-rt-14-dev
APT_SYSTEMD := mmdebstrap systemd-container systemd
APT_ASTERISK := mmdebstrap
APT_NEWER := mmdebstrap

BUILD ?= build
OPTIMISE ?= -O2
WARN := -Wall -Wextra -Wshadow -Wvla -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wformat=2 -Wundef -Wcast-qual -Wno-format-truncation
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fstack-clash-protection
CFLAGS += -std=gnu17 -g $(OPTIMISE) $(WARN) $(HARDEN) $(SANITIZE)
CPPFLAGS += -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -DPREFIX='"$(PREFIX)"' -Isrc
CPPFLAGS += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SANITIZE)
LDLIBS = $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

SOURCES := $(filter-out src/main.c,$(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c tests/unit/*/*_test.c))

all: voipguard

voipguard: $(BUILD)/voipguard
	@cp -f $< $@

$(BUILD)/voipguard: $(BUILD)/main.o $(BUILD)/libvoipguard.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libvoipguard.a: $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libvoipguard.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libvoipguard.a $(LDLIBS) -lcmocka

# A fuzz target: with replay.c a plain program over files, with libFuzzer's main the search.
FUZZ := $(patsubst tests/fuzz/%_fuzz.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_MAIN ?= $(BUILD)/fuzz/replay.o

$(BUILD)/fuzz/%.o: tests/fuzz/%.c Makefile
	@mkdir -p $(BUILD)/fuzz
	$(CC) $(CPPFLAGS) -Itests/unit $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: $(BUILD)/fuzz/%_fuzz.o $(BUILD)/fuzz/fuzz.o $(FUZZ_MAIN) $(BUILD)/libvoipguard.a
	$(CC) $(LDFLAGS) $(FUZZ_LINK) -o $@ $^ $(LDLIBS)

.PRECIOUS: $(BUILD)/fuzz/%.o

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/unit/*/*.d)

# ---- what a target needs is installed first, as root; otherwise it is named ----
define need
@missing=$$(for p in $(1); do dpkg-query -W -f '$${Status}\n' $$p 2>/dev/null | \
	grep -q 'ok installed' || echo $$p; done); \
if [ -n "$$missing" ] && [ "$$(id -u)" != 0 ]; then \
	echo "missing packages:" $$missing | fold -s -w 78; exit 1; fi; \
if [ -n "$$missing" ]; then echo "installing:" $$missing | fold -s -w 78; \
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing \
	>/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
	--no-install-recommends $$missing >/dev/null; }; fi
endef

deps:
	$(call need,$(APT_BUILD))

demo:
	@echo '1/3 installing packages that are missing (up to a minute or two)'
	$(call need,$(APT_BUILD) $(APT_DEMO))
	@echo '2/3 compiling $(words $(SOURCES)) files (about a minute)'
	@$(MAKE) --no-print-directory -s -j2 all
	@echo '3/3 the attack (half a minute)'
	@tests/demo/demo

check:
	$(call need,$(APT_BUILD) $(APT_CHECK))
	@$(MAKE) --no-print-directory -s -j2 all units
	@tests/run $(BUILD)/unit -- tests/layers tests/reports tests/e2e/run

units: $(UNIT)

fuzzers: $(FUZZ)

SANITIZERS := address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
ASAN := BUILD=build-asan OPTIMISE=-O1 HARDEN= SANITIZE='-fsanitize=$(SANITIZERS)'

asan:
	$(call need,$(APT_BUILD) $(APT_CHECK))
	@$(MAKE) --no-print-directory -s -j2 $(ASAN) units
	@tests/run build-asan/unit

# The inputs in tests/fuzz/corpus once, seconds.
fuzz-replay:
	$(call need,$(APT_BUILD))
	@$(MAKE) --no-print-directory -s -j2 $(ASAN) fuzzers
	@tests/fuzz/replay build-asan/fuzz

# Looks for new inputs: FUZZ_S seconds for each of FUZZ_TARGETS, two at a time.
FUZZ_S ?= 600
fuzz:
	$(call need,$(APT_BUILD) $(APT_FUZZ))
	@$(MAKE) --no-print-directory -s -j2 CC=clang BUILD=build-fuzz OPTIMISE=-O1 HARDEN= \
		SANITIZE='-fsanitize=fuzzer-no-link,$(SANITIZERS)' WARN=-Wall \
		FUZZ_MAIN= FUZZ_LINK=-fsanitize=fuzzer fuzzers
	@tests/fuzz/run build-fuzz $(FUZZ_S) $(FUZZ_TARGETS)

lint:
	$(call need,$(APT_BUILD) $(APT_CHECK) $(APT_LINT))
	@tests/lint

# Each clause of the rule that reads Asterisk's records, taken out: a test has to fail.
clauses:
	$(call need,$(APT_BUILD) $(APT_CHECK) perl)
	@tests/asterisk_clauses

bench:
	$(call need,$(APT_BUILD) $(APT_CHECK))
	@$(MAKE) --no-print-directory -s -j2 all
	@tests/bench/run

# Debian's fail2ban configuration, fetched, read and run as it is.
compat:
	$(call need,$(APT_BUILD) $(APT_COMPAT))
	@$(MAKE) --no-print-directory -s -j2 all
	@tests/compat/run --build $(BUILD)

# The unit under a booted systemd: makes a Debian root once, a minute.
systemd-check:
	$(call need,$(APT_BUILD) $(APT_CHECK) $(APT_SYSTEMD))
	@$(MAKE) --no-print-directory -s -j2 all
	@tests/e2e/systemd.sh

# A real Asterisk in a Debian sid root, made once: two minutes.
e2e-asterisk:
	$(call need,$(APT_BUILD) $(APT_CHECK) $(APT_ASTERISK))
	@$(MAKE) --no-print-directory -s -j2 all
	@tests/e2e/asterisk.sh

# On Debian NEWER_DEBIAN, in a root that is made once, two minutes: its compiler, its libraries.
NEWER_DEBIAN ?= trixie
check-newer-debian:
	$(call need,$(APT_NEWER))
	@tests/newer_debian $(NEWER_DEBIAN) $(APT_BUILD) $(APT_CHECK)

# ---- installing ----
SYSCONFDIR ?= /etc
BINDIR = $(DESTDIR)$(PREFIX)/bin
SHAREDIR = $(DESTDIR)$(PREFIX)/share
LIBDIR = $(DESTDIR)$(PREFIX)/lib
JAILDIR = $(DESTDIR)$(SYSCONFDIR)/voipguard/jails

# jails/*.conf are ours and are replaced; *.local are the operator's and are never touched.
install: all
	install -d $(BINDIR) $(SHAREDIR)/voipguard/filters $(SHAREDIR)/man/man8 $(JAILDIR) \
		$(DESTDIR)$(SYSCONFDIR)/voipguard/filters $(LIBDIR)/systemd/system $(LIBDIR)/sysusers.d
	install -m 755 voipguard $(BINDIR)/voipguard
	install -m 644 filters/*.conf $(SHAREDIR)/voipguard/filters/
	install -m 644 jails/*.conf $(JAILDIR)/
	install -m 644 man/voipguard.8 $(SHAREDIR)/man/man8/voipguard.8
	sed 's|/usr/bin/voipguard|$(PREFIX)/bin/voipguard|' systemd/voipguard.service \
		>$(LIBDIR)/systemd/system/voipguard.service
	chmod 644 $(LIBDIR)/systemd/system/voipguard.service
	install -m 644 systemd/voipguard.sysusers $(LIBDIR)/sysusers.d/voipguard.conf

# Configuration and state stay.
uninstall:
	rm -f $(BINDIR)/voipguard $(SHAREDIR)/man/man8/voipguard.8 \
		$(LIBDIR)/systemd/system/voipguard.service $(LIBDIR)/sysusers.d/voipguard.conf
	rm -rf $(SHAREDIR)/voipguard

# On a running Debian: everything from the packages to the started service.
install-service: deps
	@$(MAKE) --no-print-directory -s -j2 install
	systemd-sysusers $(PREFIX)/lib/sysusers.d/voipguard.conf
	if getent group asterisk >/dev/null; then install -d /etc/systemd/system/voipguard.service.d && \
		printf '[Service]\nSupplementaryGroups=asterisk\n' \
		>/etc/systemd/system/voipguard.service.d/asterisk.conf; fi
	systemctl daemon-reload
	systemctl enable --now voipguard.service
	@sleep 1; voipguard status || true

help:
	@echo 'make                 build ./voipguard'
	@echo 'make demo            an attack, watched (root)'
	@echo 'make check           all tests (root for those with packets)'
	@echo 'make asan            unit tests and samples under ASan and UBSan'
	@echo 'make fuzz-replay     parsers over the inputs that fuzzing found'
	@echo 'make fuzz FUZZ_S=600 FUZZ_TARGETS=   look for more, seconds for each target'
	@echo 'make clauses         the rule for Asterisk records without each of its clauses'
	@echo 'make lint            format, cppcheck, layers'
	@echo 'make compat          the configuration of fail2ban, as Debian ships it'
	@echo 'make systemd-check   the unit under a booted systemd (root)'
	@echo 'make e2e-asterisk    against a real Asterisk (root)'
	@echo 'make check-newer-debian   build, unit tests and daemon on the next Debian (root)'
	@echo 'make bench           the figures'
	@echo 'make install DESTDIR= PREFIX=    make uninstall    make install-service'

clean:
	rm -rf build build-* voipguard

.PHONY: all deps demo check units fuzzers asan fuzz-replay fuzz clauses lint bench compat systemd-check \
	e2e-asterisk check-newer-debian install uninstall install-service help clean
