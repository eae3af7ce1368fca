#!/bin/bash
# reload, a broken configuration at reload and at start, --strict.
# shellcheck disable=SC2016
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7
B=203.0.113.9

maxretry_is() {
	[ "$(json '.jails[] | select(.name == $j) | .maxretry' --arg j "$1")" = "$2" ]
}

has_jail() {
	[ "$(json 'any(.jails[]; .name == $j)' --arg j "$1")" = true ]
}

config_is_ok() {
	[ "$(json .health.config.ok)" = "$1" ]
}

test_reload() {
	local since
	local until
	lines --count 4 $A
	lines --count 2 $B
	check "one banned" eventually 5 is_in_kernel_by_status $A
	check "six failures counted" eventually 5 total_is asterisk 6
	since=$(ban_field $A since)
	until=$(ban_field $A until)
	jail asterisk 'maxretry = 3'
	jail second "logpath = $T/log/second.log"
	is "reload exits 0" "$(rc vg reload)" 0
	check "the new value is in force" eventually 5 maxretry_is asterisk 3
	check "the new jail is there" has_jail second
	check "the ban stays" is_in_kernel_by_status $A
	is "since is the same" "$(ban_field $A since)" "$since"
	is "until is the same" "$(ban_field $A until)" "$until"
	check "its datagrams are dropped" dropped $A
	is "the total stays" "$(total asterisk)" 6
	lines $B
	check "the counters stay: the third failure bans now" eventually 5 in_kernel $B
	is "with three failures" "$(ban_field $B failures)" 3
	check "the main process is the same" kill -0 "$DAEMON"
}

test_broken_reload() {
	jail asterisk 'maxretry = many'
	is "reload of a bad value exits 1" "$(rc vg reload)" 1
	check "and prints file, line and column" grep -Eq \
		"^$T/etc/jails/asterisk\.conf:5:[0-9]+: error: " "$T/out"
	check "the old value is in force" maxretry_is asterisk 3
	check "the bans stay" is_in_kernel_by_status $A
	lines --count 3 198.51.100.40
	check "and it goes on guarding" eventually 5 in_kernel 198.51.100.40
	FILTER=sshd jail asterisk 'failregex = ^no address here$'
	is "reload of a rule without an address exits 1" "$(rc vg reload)" 1
	check "and names the place" grep -Eq "^$T/etc/jails/asterisk\.conf:5:[0-9]+: error: " \
		"$T/out"
	jail asterisk 'failregex = ^(<HOST>$'
	is "reload of a rule that does not compile exits 1" "$(rc vg reload)" 1
	check "and names the place too" grep -Eq "^$T/etc/jails/asterisk\.conf:5:[0-9]+: error: " \
		"$T/out"
	rm "$T/etc/jails/second.conf"
	jail asterisk 'maxretry = 5'
	is "reload of the mended file exits 0" "$(rc vg reload)" 0
	check "the mended value is in force" eventually 5 maxretry_is asterisk 5
	check_not "the jail that went is gone" has_jail second
	check "the bans are still there" is_in_kernel_by_status $A
}

engines() {
	pgrep -P "$DAEMON" -f -- '--role engine' || true
}

engines_are() {
	[ "$(engines | wc -l)" = "$1" ]
}

is_another_engine() {
	engines_are 1 && [ "$(engines)" != "$1" ]
}

# The process that is in the list of children now and was not before. Without a fork: the next
# engine is ready within milliseconds.
wait_for_child() {
	local before=" $1 "
	local end=$((${EPOCHREALTIME/./} + 5000000))
	local children
	local child
	while [ "${EPOCHREALTIME/./}" -lt "$end" ]; do
		read -r children <"/proc/$DAEMON/task/$DAEMON/children" || [ -n "$children" ]
		for child in $children; do
			[[ $before == *" $child "* ]] || { NEW=$child; return 0; }
		done
	done
	return 1
}

# The old engine is held, so that it cannot make room before its successor is killed.
test_lost_successor() {
	local old
	local reload
	local children
	old=$(engines)
	read -r children <"/proc/$DAEMON/task/$DAEMON/children" || [ -n "$children" ]
	vg reload >"$T/reload.out" 2>&1 &
	reload=$!
	check "a second engine gets ready" wait_for_child "$children"
	kill -STOP "$old"
	pause 1
	check "they are two" engines_are 2
	kill -KILL "$NEW"
	check "it dies" eventually 5 engines_are 1
	kill -CONT "$old"
	check "a third one takes over" eventually 5 is_another_engine "$old"
	wait "$reload" || true
	check "the main process is the same" kill -0 "$DAEMON"
	check "status answers" eventually 5 is_in_kernel_by_status $A
	lines --count 5 198.51.100.41
	check "and it guards" eventually 5 in_kernel 198.51.100.41
}

# An engine that ignores that it is to end does not hold back its successor.
test_deaf_engine() {
	local old
	local reload
	local children
	old=$(engines)
	read -r children <"/proc/$DAEMON/task/$DAEMON/children" || [ -n "$children" ]
	vg reload >"$T/reload.out" 2>&1 &
	reload=$!
	check "a second engine gets ready" wait_for_child "$children"
	kill -STOP "$old"
	check "the deaf one is killed, and the second takes over" eventually 12 is_another_engine "$old"
	is "it is the one that got ready" "$(engines)" "$NEW"
	wait "$reload" || true
	lines --count 5 198.51.100.42
	check "and it guards" eventually 5 in_kernel 198.51.100.42
}

test_check() {
	is "check of a good configuration exits 0" "$(rc "$VG" check -c "$T/etc")" 0
	jail broken 'maxretry = 0' 'findtime = soon' 'nonesuch = 1'
	is "check of a bad one exits 1" "$(rc "$VG" check -c "$T/etc")" 1
	is "and names all three places" "$(cut -d: -f2 "$T/out" | sort -u | tr '\n' ' ')" "5 6 7 "
}

test_broken_start() {
	daemon_stop
	jail broken "logpath = $T/log/broken.log" 'maxretry = many'
	is "--strict refuses: exit 1" "$(rc pbx timeout 10 "$VG" run -c "$T/etc" \
		--state "$T/state" --user nobody -s "$SOCK" --strict)" 1
	daemon_start
	check "health of config is not ok" config_is_ok false
	is "status exits 1" "$(rc vg status)" 1
	lines --count 5 198.51.100.50
	check "the good jail guards" eventually 5 dropped 198.51.100.50
	check "the bans from before are there" is_in_kernel_by_status $A
	rm "$T/etc/jails/broken.conf"
	is "reload without the broken jail exits 0" "$(rc vg reload)" 0
	check "health of config is ok again" eventually 5 config_is_ok true
	is "status exits 0" "$(rc vg status)" 0
}

setup
jail asterisk
daemon_start
test_reload
test_broken_reload
test_lost_successor
test_deaf_engine
test_check
rm "$T/etc/jails/broken.conf"
test_broken_start
daemon_stop
is "SIGTERM: exit 0" "$STOP_RC" 0
finish
