# shellcheck shell=bash disable=SC2016,SC2034,SC2119,SC2120
# Sourced by the end-to-end tests: two network namespaces, the real daemon, real packets.
#
# PBX 10.99.0.1 and 2001:db8:99::1 -- veth -- outside 10.99.0.2 and 2001:db8:99::2. The outside
# holds whole prefixes (local routes on lo), all reached over a route: what is on-link is
# protected and could not be banned.
set -eu
LC_ALL=C
export LC_ALL
unset NOTIFY_SOCKET STATE_DIRECTORY WATCHDOG_USEC

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$E2E/../.." && pwd)
PYTHON=/usr/bin/python3 # aiosmtpd is Debian's package, so Debian's interpreter
PBX=vgp$$
OUT=vgo$$
PBX4=10.99.0.1
PBX6=2001:db8:99::1
PHONE=192.0.2.140
PHONE6=2001:db8:f00::1
passed=0
failed=0
PIDS=()
DAEMON=
T=

ok() {
	passed=$((passed + 1))
	printf 'ok - %s\n' "$*"
}

not_ok() {
	failed=$((failed + 1))
	printf 'not ok - %s\n' "$*"
}

# check WHAT COMMAND...: the command's success decides.
check() {
	local what=$1
	shift
	if "$@"; then ok "$what"; else not_ok "$what"; fi
}

# check_not WHAT COMMAND...
check_not() {
	local what=$1
	shift
	if "$@"; then not_ok "$what"; else ok "$what"; fi
}

# is WHAT SEEN EXPECTED
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1 (seen '$2', expected '$3')"; fi
}

# rc COMMAND...: prints the exit status, keeps the output in $T/out.
rc() {
	local status=0
	"$@" >"$T/out" 2>&1 || status=$?
	echo "$status"
}

# eventually SECONDS COMMAND...: polls until the command succeeds; false when the time is over.
eventually() {
	local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift
	while ! "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# pause SECONDS: a real wait, only where it is time itself that is tested.
pause() {
	sleep "$1"
}

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

# True when the process is gone, or dead and only waiting to be reaped.
pid_gone() {
	[ ! -e "/proc/$1/stat" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null ||
		[ ! -e "/proc/$1/stat" ]
}

pid_end() {
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null || true
	eventually 3 pid_gone "$1" || kill -KILL "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

cleanup() {
	local pid
	trap - EXIT INT TERM
	for pid in "$DAEMON" "${PIDS[@]}"; do
		pid_end "$pid"
	done
	ip netns del "$PBX" 2>/dev/null || true
	ip netns del "$OUT" 2>/dev/null || true
	if [ -n "$T" ] && [ -z "${KEEP:-}" ]; then rm -rf "$T"; fi
}

finish() {
	if [ "$failed" -gt 0 ] && [ -s "$T/daemon.log" ]; then
		echo "# the daemon's log, last lines:"
		tail -n 40 "$T/daemon.log" | sed 's/^/# /'
	fi
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ]
}

# Not in the background: $! would be a shell around it.
pbx() {
	ip netns exec "$PBX" "$@"
}

outside() {
	ip netns exec "$OUT" "$@"
}

net_up() {
	ip netns add "$PBX"
	ip netns add "$OUT"
	ip -n "$PBX" link add veth0 type veth peer name veth0 netns "$OUT"
	ip -n "$PBX" link set lo up
	ip -n "$OUT" link set lo up
	ip -n "$PBX" addr add $PBX4/30 dev veth0
	ip -n "$PBX" addr add $PBX6/126 dev veth0 nodad
	ip -n "$OUT" addr add 10.99.0.2/30 dev veth0
	ip -n "$OUT" addr add 2001:db8:99::2/126 dev veth0 nodad
	# Link-local addresses of our own, so that nothing waits for duplicate address detection.
	ip -n "$PBX" link set veth0 addrgenmode none up
	ip -n "$OUT" link set veth0 addrgenmode none up
	ip -n "$PBX" addr add fe80::1/64 dev veth0 nodad
	ip -n "$OUT" addr add fe80::2/64 dev veth0 nodad
	local prefix
	for prefix in 192.0.2.0/24 198.51.100.0/24 203.0.113.0/24; do
		ip -n "$PBX" route add "$prefix" via 10.99.0.2
		ip -n "$OUT" route add local "$prefix" dev lo
	done
	for prefix in 2001:db8:bad::/48 2001:db8:f00::/48; do
		ip -n "$PBX" route add "$prefix" via 2001:db8:99::2
	done
	# A socket cannot be bound within a local IPv6 route alone.
	local address
	for address in 2001:db8:bad::9 2001:db8:bad::77 2001:db8:bad:1::9 $PHONE6; do
		ip -n "$OUT" addr add "$address/128" dev lo nodad
	done
}

# Something that answers on UDP 5060 of the PBX.
answer_up() {
	ip netns exec "$PBX" "$PYTHON" "$E2E/sip.py" answer --ready-file "$T/answer" 5060 \
		>/dev/null 2>>"$T/answer.log" &
	PIDS+=($!)
	eventually 5 test -e "$T/answer"
}

# Ends a script that cannot run here: a failure where nothing may be skipped.
skip() {
	echo "SKIP: $1"
	if [ -n "${NO_SKIP:-}" ]; then
		echo "0 passed, 1 failed"
		exit 1
	fi
	echo "0 passed, 0 failed"
	exit 0
}

# setup: root or SKIP, a directory, namespaces, the answering PBX.
setup() {
	if [ "$(id -u)" -ne 0 ]; then
		skip "needs root (network namespaces, nftables)"
	fi
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	T=$(mktemp -d "${TMPDIR:-/tmp}/voipguard-e2e.XXXXXX")
	# The daemon's user must reach all of it, and a checkout below /root it could not.
	chmod 755 "$T"
	mkdir "$T/bin" "$T/etc" "$T/etc/jails" "$T/log" "$T/run"
	chown nobody "$T/run"
	cp "${VOIPGUARD:-$ROOT/voipguard}" "$T/bin/voipguard"
	cp -r "$ROOT/filters" "$T/bin/filters"
	chmod -R a+rX "$T/bin"
	VG=$T/bin/voipguard
	SOCK=$T/run/control.sock
	LOG=$T/log/security.log
	: >"$LOG"
	: >"$T/daemon.log"
	: >"$T/out"
	if ! net_up; then
		skip "no network namespaces here"
	fi
	answer_up
	defaults
}

# defaults [LINE...]: jails/defaults.conf, what all tests start from; LINEs go below [DEFAULT]. An
# Asterisk of the machine itself is nobody's business here.
defaults() {
	{
		printf '[voipguard]\nasterisk_dir = none\n'
		printf '[DEFAULT]\nfindtime = 10m\nbantime = 1h\nmaxretry = 4\n'
		printf 'action = nftables-allports\n'
		printf '%s\n' "$@"
	} >"$T/etc/jails/defaults.conf"
	chmod 644 "$T/etc/jails/defaults.conf"
}

# jail NAME [LINE...]: an enabled jail over the security log; LINEs override. FILTER: if not asterisk.
jail() {
	local name=$1
	shift
	{
		printf '[%s]\nenabled = true\nfilter = %s\n' "$name" "${FILTER:-asterisk}"
		case "$*" in
		*logpath*) ;;
		*) printf 'logpath = %s\n' "$LOG" ;;
		esac
		printf '%s\n' "$@"
	} >"$T/etc/jails/$name.conf"
	chmod 644 "$T/etc/jails/$name.conf"
}

vg() {
	local command=$1
	shift
	pbx timeout 20 "$VG" "$command" -s "$SOCK" "$@"
}

daemon_answers() {
	local status=0
	vg status >/dev/null 2>&1 || status=$?
	[ "$status" -le 1 ]
}

# daemon_start [OPTION...]: up and answering, or the test ends here. UNDER: a program that runs it.
daemon_start() {
	ip netns exec "$PBX" ${UNDER:+"$UNDER"} "$VG" run -c "$T/etc" --state "$T/state" --user nobody -s "$SOCK" "$@" \
		>>"$T/daemon.log" 2>&1 &
	DAEMON=$!
	if ! eventually 10 daemon_answers; then
		not_ok "the daemon answers within 10 s"
		finish || true
		exit 1
	fi
}

# Ends it with SIGTERM. STOP_RC is its exit status (255: it had to be killed), STOP_MS how long
# it took.
daemon_stop() {
	local begin
	begin=$(now_ms)
	STOP_RC=0
	kill -TERM "$DAEMON"
	if eventually 5 pid_gone "$DAEMON"; then
		wait "$DAEMON" || STOP_RC=$?
	else
		kill -KILL "$DAEMON"
		wait "$DAEMON" || true
		STOP_RC=255
	fi
	STOP_MS=$(($(now_ms) - begin))
	DAEMON=
}

# kill -9 of the main process; the others must see it and go.
daemon_kill() {
	local children pid
	children=$(pgrep -P "$DAEMON" || true)
	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null || true
	DAEMON=
	CHILDREN_LEFT=0
	for pid in $children; do
		eventually 3 pid_gone "$pid" || CHILDREN_LEFT=$((CHILDREN_LEFT + 1))
	done
}

# lines ARGUMENT...: appends to the security log, see lines.py.
lines() {
	"$PYTHON" "$E2E/lines.py" --append "$LOG" "$@"
}

# passes ADDRESS: a SIP datagram from there is answered. The destination follows the family.
passes() {
	outside "$PYTHON" "$E2E/sip.py" probe --from "$1" --to "$(pbx_address "$1")" --wait 1.5
}

# dropped ADDRESS: it is not, while a phone's is. Status 3 is "no answer", others a broken probe.
dropped() {
	local status=0
	outside "$PYTHON" "$E2E/sip.py" probe --from "$1" --to "$(pbx_address "$1")" --wait 0.3 ||
		status=$?
	[ "$status" -eq 3 ] && passes $PHONE
}

pings() {
	outside ping -n -q -c 1 -W 1 -I "$1" "$(pbx_address "$1")" >/dev/null 2>&1
}

pbx_address() {
	case $1 in
	*:*) echo $PBX6 ;;
	*) echo $PBX4 ;;
	esac
}

# json FILTER [ARGUMENT...]: jq over the status; arguments as --arg NAME VALUE.
json() {
	local filter=$1
	shift
	vg status --json 2>/dev/null | jq -r "$@" "$filter"
}

# total JAIL: attempts counted since ever.
total() {
	json '.jails[] | select(.name == $j) | .failures.total' --arg j "$1"
}

total_is() {
	[ "$(total "$1")" = "$2" ]
}

# ban_field ADDRESS FIELD [JAIL]: of a ban in the status, empty if there is none.
ban_field() {
	json '.jails[] | select($j == "" or .name == $j) | .bans[] | select(.address == $a) |
		.[$f] | if . == null then "null" else tostring end' \
		--arg a "$1" --arg f "$2" --arg j "${3:-}"
}

is_banned() {
	[ -n "$(ban_field "$1" since)" ]
}

is_in_kernel_by_status() {
	[ "$(ban_field "$1" in_kernel)" = true ]
}

# kernel ADDRESS FIELD: of the element in any set of the table (val, timeout, expires); empty if
# there is none. A masked set holds the network address alone.
kernel() {
	pbx nft -j list ruleset | jq -r --arg a "$1" --arg f "$2" '[.nftables[].set? // empty |
		select(.table == "voipguard") | .elem[]? | (objects.elem // {val: .}) |
		select(.val == $a)][0] // empty | .[$f] // "null"'
}

in_kernel() {
	[ -n "$(kernel "$1" val)" ]
}

not_in_kernel() {
	! in_kernel "$1"
}

table_exists() {
	pbx nft list table inet voipguard >/dev/null 2>&1
}

epoch() {
	date -u -d "$1" +%s
}
