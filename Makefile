# voipguard: `make` builds ./voipguard; `make help` lists the rest.
CC ?= gcc
PREFIX ?= /usr
DESTDIR ?=
VERSION := 0.1.0

PACKAGES := libpcre2-8 libnftnl libmnl libesmtp-1.0 openssl libsystemd sqlite3 jansson libcares libseccomp libcap
APT_BUILD := gcc make pkg-config libc6-dev libpcre2-dev libnftnl-dev libmnl-dev libesmtp-dev libssl-dev \
	libsystemd-dev libsqlite3-dev libjansson-dev libc-ares-dev libseccomp-dev libcap-dev
APT_DEMO := nftables iproute2 iputils-ping openssl python3 python3-aiosmtpd
APT_CHECK := $(APT_DEMO) libcmocka-dev jq procps
APT_LINT := clang-format clang-tidy cppcheck
APT_SYSTEMD := mmdebstrap systemd-container systemd

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

SOURCES := $(filter-out src/main.c,$(wildcard src/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o)
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))

all: voipguard

voipguard: $(BUILD)/voipguard
	@cp -f $< $@

$(BUILD)/voipguard: $(BUILD)/main.o $(BUILD)/libvoipguard.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libvoipguard.a: $(OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(BUILD)/%.o: src/%.c Makefile
	@mkdir -p $(BUILD)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libvoipguard.a
	@mkdir -p $(BUILD)/unit
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -MMD -MP -o $@ $< $(BUILD)/libvoipguard.a $(LDLIBS) -lcmocka

-include $(wildcard $(BUILD)/*.d $(BUILD)/unit/*.d)

clean:
	rm -rf build build-* voipguard

.PHONY: all clean
