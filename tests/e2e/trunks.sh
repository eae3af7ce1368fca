#!/bin/bash
# Trunks that Asterisk's own configuration names: never banned, also those that it names later.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TRUNK=203.0.113.70
NEXT=203.0.113.71
LATER=203.0.113.72

# asterisk_file NAME LINE...: a file of Asterisk's, which its reader may read.
asterisk_file() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$ASTERISK/$name"
	chmod 644 "$ASTERISK/$name"
}

# refuses ADDRESS: it cannot even be banned by hand.
refuses() {
	[ "$(rc vg ban "$1")" = 1 ] && grep -q protected "$T/out"
}

config_is() {
	[ "$(json .health.config.ok)" = "$1" ]
}

test_start() {
	lines --count 8 $TRUNK 198.51.100.9
	check "another address is banned" eventually 5 in_kernel 198.51.100.9
	check_not "a trunk is not" is_banned $TRUNK
	check "and gets through" passes $TRUNK
	check "nor can it be banned by hand" refuses $TRUNK
	check "with file and line as the reason" \
		grep -q "trunk 'provider' in pjsip.conf:6" "$T/out"
	check "a whole network is no trunk" grep -q "pjsip.conf:7.*no trunk" "$T/daemon.log"
	check "the status says how many" grep -q "1 trunk of $ASTERISK is protected" \
		<<<"$(json .health.config.text)"
	check "and is well" config_is true
	is "check names what is left out" "$(rc "$VG" check -c "$T/etc")" 0
	check "with its place" grep -q "^$ASTERISK/pjsip.conf:7:1: warning: 203.0.0.0/8" "$T/out"
}

test_change() {
	lines --count 4 $NEXT
	check "an address that is no trunk yet is banned" eventually 5 in_kernel $NEXT
	asterisk_file pjsip_custom.conf '[second]' type=aor "contact=sip:user@$NEXT:5060"
	check "a new trunk's ban is lifted" eventually 8 not_in_kernel $NEXT
	check "the journal says why" eventually 2 \
		grep -q "$NEXT is protected: trunk 'second' in pjsip_custom.conf:3" "$T/daemon.log"
	check "its packets pass" passes $NEXT
	lines --count 8 $NEXT 198.51.100.10
	check "others are banned" eventually 5 in_kernel 198.51.100.10
	check_not "it is not" is_banned $NEXT
}

test_unreadable() {
	chmod 0 "$ASTERISK/pjsip_custom.conf"
	check "a file that cannot be read is told" eventually 8 config_is false
	check "by its name" grep -q "pjsip_custom.conf" <<<"$(json .health.config.text)"
	check "and its trunks stay" refuses $NEXT
	asterisk_file pjsip_custom.conf '[second]' type=aor "contact=sip:user@$NEXT:5060"
	check "until it can" eventually 8 config_is true
}

test_reload() {
	asterisk_file iax.conf '[third]' "host=$LATER"
	is "a reload reads it at once" "$(rc vg reload)" 0
	check "a trunk of a new file is protected" refuses $LATER
	printf '[voipguard]\nasterisk_dir = none\n' >"$T/etc/jails/defaults.local"
	is "turned off" "$(rc vg reload)" 0
	is "a trunk can be banned" "$(rc vg ban $TRUNK)" 0
	check "by the kernel too" eventually 2 in_kernel $TRUNK
	printf '[voipguard]\nasterisk_dir = %s\n' "$ASTERISK" >"$T/etc/jails/defaults.local"
	is "turned on" "$(rc vg reload)" 0
	check "its ban of before is lifted" eventually 5 not_in_kernel $TRUNK
}

setup
ASTERISK=$T/asterisk
mkdir "$ASTERISK"
asterisk_file pjsip.conf '#tryinclude pjsip_custom.conf' '[given](!)' type=identify \
	'[provider](given)' endpoint=provider "match=$TRUNK" 'match=203.0.0.0/8'
printf '[voipguard]\nasterisk_dir = %s\n' "$ASTERISK" >"$T/etc/jails/defaults.local"
chmod 644 "$T/etc/jails/defaults.local"
jail asterisk
daemon_start
test_start
test_change
test_unreadable
test_reload
finish
