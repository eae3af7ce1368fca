#!/bin/bash
# Following files: rotation while it is written, files that come late, globs, heads and ends, lines
# that are too long. Totals are exact: no line lost, none twice.
# shellcheck disable=SC2016
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"


# into FILE ARGUMENT...
into() {
	local file=$1
	shift
	"$PYTHON" "$E2E/lines.py" --append "$file" "$@"
}

write_config() {
	jail rename "logpath = $T/log/rename.log" 'maxretry = 1000'
	jail truncate "logpath = $T/log/truncate.log" 'maxretry = 1000'
	jail late "logpath = $T/log/late.log"
	jail deep "logpath = $T/log/a/b/deep.log"
	jail glob "logpath = $T/log/glob-*.log tail" 'maxretry = 100'
	jail tail "logpath = $T/log/tail.log tail"
	jail head "logpath = $T/log/head.log head"
	jail default "logpath = $T/log/default.log"
	jail cut "logpath = $T/log/cut.log"
	jail long "logpath = $T/log/long.log"
	: >"$T/log/rename.log"
	: >"$T/log/truncate.log"
	: >"$T/log/cut.log"
	: >"$T/log/long.log"
	into "$T/log/glob-1.log" --count 3 203.0.113.1
	into "$T/log/tail.log" --count 4 203.0.113.2
	into "$T/log/head.log" --age 7200 --count 4 203.0.113.4
	into "$T/log/head.log" --age 60 --count 4 203.0.113.3
	into "$T/log/default.log" --count 4 203.0.113.5
}

file_state() {
	json '.jails[].files[] | select(.path == $p) | .state' --arg p "$1"
}

cut_lines() {
	json '[.. | objects | .cut_lines? // empty] | max // 0'
}

cut_lines_are() {
	[ "$(cut_lines)" = "$1" ]
}

test_rename() {
	into "$T/log/rename.log" --rotate rename --every 200 --count 2000 --interval 0.0003 \
		203.0.113.10 203.0.113.11
	check "4000 lines over 10 renames: all counted" eventually 10 total_is rename 4000
	into "$T/log/rename.log" 203.0.113.10
	check "and the next one, once" eventually 5 total_is rename 4001
}

test_truncate() {
	# One line more after each of the ten truncations.
	into "$T/log/truncate.log" --rotate copytruncate --every 100 --count 1000 --pause 0.3 \
		203.0.113.12
	check "1010 lines over 10 copytruncates: all counted" eventually 10 total_is truncate 1010
	into "$T/log/truncate.log" 203.0.113.12
	check "and the next one, once" eventually 5 total_is truncate 1011
}

test_late() {
	is "a file that is not there is waited for" "$(file_state "$T/log/late.log")" waiting
	is "that is no fault" "$(rc vg status)" 0
	into "$T/log/late.log" --count 4 198.51.100.20
	check "a file that comes later is read from its first line" eventually 5 in_kernel 198.51.100.20
	mkdir -p "$T/log/a/b"
	into "$T/log/a/b/deep.log" --count 4 198.51.100.21
	check "so is one whose directory comes later" eventually 5 in_kernel 198.51.100.21
	mv "$T/log/a" "$T/log/gone"
	mkdir -p "$T/log/a/b"
	into "$T/log/a/b/deep.log" --count 4 198.51.100.22
	check "and one whose directory is replaced" eventually 5 in_kernel 198.51.100.22
}

test_glob() {
	is "lines of before the start are not counted" "$(total glob)" 0
	into "$T/log/glob-1.log" --count 2 203.0.113.1
	check "a glob follows what was there" eventually 5 total_is glob 2
	into "$T/log/glob-2.log" --count 5 203.0.113.1
	check "and what comes, from its first line" eventually 5 total_is glob 7
	is "both are listed" "$(json '[.jails[] | select(.name == "glob") | .files[].path] | sort |
		join(" ")')" "$T/log/glob-1.log $T/log/glob-2.log"
}

test_head_and_end() {
	check "head: an existing file is read from its first line" eventually 5 in_kernel 203.0.113.3
	is "but not what is older than findtime" "$(total head)" 4
	is "tail: from its end" "$(total tail)" 0
	is "so it is without a word" "$(total default)" 0
	into "$T/log/tail.log" --count 4 203.0.113.2
	check "then line by line" eventually 5 in_kernel 203.0.113.2
	is "and only those" "$(total tail)" 4
}

test_cut() {
	into "$T/log/cut.log" --pad 70000 203.0.113.13
	check "a line over 60 KiB is counted as cut" eventually 5 cut_lines_are 1
	into "$T/log/cut.log" --count 4 203.0.113.14
	check "the lines behind it count" eventually 5 in_kernel 203.0.113.14
	is "without it" "$(total cut)" 4
}

# Ends just before the end of what is read at once, and more stands behind it: in one write, so that
# it is there when the first of it is read.
test_long() {
	printf '%065100d\n' 0 >"$T/long"
	into "$T/long" --count 4 203.0.113.16
	cat "$T/long" >>"$T/log/long.log"
	check "four lines behind one of 65100 bytes: the ban comes" eventually 5 in_kernel 203.0.113.16
	is "they are counted" "$(total long)" 4
	check "the long one is counted as cut" cut_lines_are 2
}

test_half_lines() {
	local line
	line=$("$PYTHON" "$E2E/lines.py" 203.0.113.15)
	into "$T/log/cut.log" --count 3 203.0.113.15
	check "three whole lines" eventually 5 total_is cut 7
	printf '%s' "${line:0:100}" >>"$T/log/cut.log"
	# Longer than the 1 s check: a half line must have been seen and kept.
	pause 2
	is "half a line counts nothing" "$(total cut)" 7
	printf '%s\n' "${line:100}" >>"$T/log/cut.log"
	check "its other half completes it" eventually 5 in_kernel 203.0.113.15
	is "as one line" "$(total cut)" 8
}

setup
write_config
daemon_start
test_head_and_end
test_rename
test_truncate
test_late
test_glob
test_cut
test_long
test_half_lines
is "the status is well" "$(rc vg status)" 0
check "a phone passes" passes $PHONE
daemon_stop
is "SIGTERM: exit 0" "$STOP_RC" 0
finish
