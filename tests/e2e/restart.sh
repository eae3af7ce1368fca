#!/bin/bash
# What a stop, a kill -9 and a start in between leave: bans to the second, counters, lines that
# were written meanwhile.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7

write_config() {
	jail asterisk
	jail brief "logpath = $T/log/brief.log" 'bantime = 20s'
	: >"$T/log/brief.log"
}

# Remembers since and until of the ban of $A.
remember() {
	since=$(ban_field $A since)
	until=$(ban_field $A until)
}

# ban_is_the_same WHEN
ban_is_the_same() {
	check "$1: the ban is there" eventually 5 is_in_kernel_by_status $A
	is "$1: since is the same" "$(ban_field $A since)" "$since"
	is "$1: until is the same" "$(ban_field $A until)" "$until"
	local rest=$(($(epoch "$until") - $(date +%s)))
	local expires
	expires=$(kernel $A expires)
	check "$1: the kernel holds it for the rest (${expires:-nothing} of $rest s)" \
		[ "${expires:-0}" -ge $((rest - 2)) -a "${expires:-0}" -le $((rest + 1)) ]
	check "$1: its datagrams are dropped" dropped $A
}

test_stop() {
	lines --count 4 $A
	check "banned" eventually 5 is_in_kernel_by_status $A
	remember
	daemon_stop
	is "SIGTERM: exit 0" "$STOP_RC" 0
	check "within a second ($STOP_MS ms)" [ "$STOP_MS" -lt 1000 ]
	is "no process is left" "$(pgrep -c -f "^$VG run" || true)" 0
	check "the ban stays in the kernel" in_kernel $A
	check "its datagrams are dropped while nothing runs" dropped $A
	is "status without a daemon: exit 3" "$(rc vg status)" 3
	# So long that a timeout begun anew would show.
	pause 3
	daemon_start
	ban_is_the_same "after a stop and a start"
}

test_kill() {
	daemon_kill
	is "kill -9: the other roles end" "$CHILDREN_LEFT" 0
	check "the ban stays in the kernel" in_kernel $A
	daemon_start
	ban_is_the_same "after kill -9 and a start"
}

test_flush_while_down() {
	daemon_stop
	pbx nft flush ruleset
	check_not "the ban is gone from the kernel" in_kernel $A
	daemon_start
	ban_is_the_same "after a flush while it was down"
}

# counters_survive ADDRESS HOW: 3 failures, HOW ends the daemon, 1 more.
counters_survive() {
	local before
	before=$(total asterisk)
	lines --count 3 "$1"
	check "$2: three failures are counted" eventually 5 total_is asterisk $((before + 3))
	"$2"
	daemon_start
	is "$2: the total survives" "$(total asterisk)" $((before + 3))
	check_not "$2: three failures still make no ban" is_banned "$1"
	lines "$1"
	check "$2: the fourth bans" eventually 5 in_kernel "$1"
	is "$2: with four failures" "$(ban_field "$1" failures)" 4
}

test_lines_while_down() {
	local before
	before=$(total asterisk)
	lines --count 2 203.0.113.50
	check "two lines are counted" eventually 5 total_is asterisk $((before + 2))
	daemon_stop
	lines 203.0.113.50
	lines --count 4 203.0.113.51
	"$PYTHON" "$E2E/lines.py" --append "$T/log/brief.log" --age 60 --count 4 203.0.113.52
	daemon_start
	check "lines written meanwhile are counted" eventually 5 total_is asterisk $((before + 7))
	check "four of them make a ban" eventually 5 in_kernel 203.0.113.51
	check_not "three failures in all make none" is_banned 203.0.113.50
	lines 203.0.113.50
	check "the fourth does" eventually 5 in_kernel 203.0.113.50
	check "lines of a ban that would be over are counted" eventually 5 total_is brief 4
	check_not "but the ban is not made" is_banned 203.0.113.52
	check "nor in the kernel" not_in_kernel 203.0.113.52
	is "no line is counted twice" "$(total asterisk)" $((before + 8))
}

test_unban_survives() {
	vg unban $A >/dev/null
	daemon_kill
	daemon_start
	check_not "an unban survives kill -9" is_banned $A
	check "in the kernel too" not_in_kernel $A
	is "with exit 0 of status" "$(rc vg status)" 0
}

test_by_hand_survives() {
	vg ban 203.0.113.60 --for 1h >/dev/null
	daemon_kill
	daemon_start
	check "a ban by hand survives kill -9 right after its answer" is_banned 203.0.113.60
	check "in the kernel too" in_kernel 203.0.113.60
}

# A database that cannot be used is told until somebody has taken it away: a damaged one, or that
# of a later version, of which nobody may say that it is damaged.
test_damaged() {
	local aside
	daemon_stop
	"$PYTHON" -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 1000")' "$T/state/state.db"
	daemon_start
	is "a database of a later version: exit 1" "$(rc vg status)" 1
	check "which is not called damaged" grep -q "^ *state .*BAD .*could not be used" "$T/out"
	daemon_stop
	rm "$T/state"/state.db.corrupt-*
	printf 'no database' | dd of="$T/state/state.db" conv=notrunc status=none
	daemon_start
	aside=$(basename "$(find "$T/state" -name 'state.db.corrupt-*' ! -name '*-wal')")
	is "a damaged database: exit 1" "$(rc vg status)" 1
	check "with its name" grep -q "^ *state .*BAD .*$aside" "$T/out"
	is "and in the object" "$(json .health.state.ok)" false
	check "an unban works all the same" vg unban --all
	daemon_stop
	daemon_start
	is "after one more start too" "$(rc vg status)" 1
	rm "$T/state/$aside"*
	check "gone when the file is" eventually 5 vg status
}

setup
write_config
daemon_start
test_stop
test_kill
test_flush_while_down
counters_survive 203.0.113.40 daemon_stop
counters_survive 203.0.113.41 daemon_kill
test_lines_while_down
test_unban_survives
test_by_hand_survives
test_damaged
daemon_stop
is "SIGTERM at the end: exit 0" "$STOP_RC" 0
finish
