#!/bin/bash
# A real Asterisk under attack: its own log, its own SIP, the real daemon beside it. Runs only where
# it is named, as systemd.sh does: the first time it makes a Debian sid root (bookworm has no
# Asterisk) with mmdebstrap, kept in ${XDG_CACHE_HOME:-/var/cache}/voipguard-test.
#
# Asterisk runs in the root, in the PBX namespace, which has no way out. The daemon runs outside the
# root and reads three shapes of the security log at once: jail asterisk the usual one, jail plain
# [plain], jail json [json].
#
# Where the mirror cannot give that root, there is nothing to test: that is no failure, not even where
# NO_SKIP makes other skips one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cache=${XDG_CACHE_HOME:-/var/cache}/voipguard-test
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
dpkg_paths='path-exclude=/usr/share/doc/* path-exclude=/usr/share/man/* path-exclude=/usr/share/locale/*'
# The name changes with what the root is made of, so that an old one is not taken for a new one.
root_tar=$cache/asterisk-sid-$(printf %s "asterisk $dpkg_paths" | cksum | cut -d' ' -f1).tar
JAILS=(asterisk plain json)
CLIENT=$E2E/asterisk/client.py
PHONES=("$PHONE 101 udp" "$PHONE6 102 udp" "192.0.2.142 103 tcp" "192.0.2.143 104 tls")
MISTYPER=192.0.2.144
FLOODERS=(198.51.100.201 198.51.100.202 198.51.100.203) # none reaches maxretry 1000
RESTARTERS=(198.51.100.204 198.51.100.205)
INNOCENT=192.0.2.166   # client.py's, whom forgers name
ACCOMPLICES=(203.0.113.98 203.0.113.99) # client.py's, whose records are glued to others'

# tests/e2e/run knows the word.
excuse() {
	echo "SKIP, excused: $1"
	echo "0 passed, 0 failed"
	exit 0
}

# Asterisk answers itself.
answer_up() {
	:
}

# A mirror that stands still has a Release file that is past its date: its signature is checked all
# the same.
make_root_tar() {
	local option
	local -a options=()
	[ -f "$root_tar" ] && return 0
	mkdir -p "$cache"
	for option in $dpkg_paths; do
		options+=(--dpkgopt="$option")
	done
	timeout 540 mmdebstrap --quiet --variant=minbase --include=asterisk \
		--aptopt='Acquire::Check-Valid-Until "false"' "${options[@]}" sid \
		"$T/new.tar" "$mirror" >"$T/mmdebstrap.log" 2>&1 || return 1
	mv "$T/new.tar" "$root_tar.$$"
	mv "$root_tar.$$" "$root_tar"
}

configure_asterisk() {
	install -m 644 "$E2E"/asterisk/*.conf "$AST/etc/asterisk/"
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout "$T/key.pem" \
		-out "$T/certificate.pem" 2>"$T/openssl.log"
	cat "$T/key.pem" "$T/certificate.pem" >"$AST/etc/asterisk/test.pem"
	# The distribution's user, and a directory that the daemon's user can read.
	chown "$(stat -c %u:%g "$LOGS")" "$AST/etc/asterisk/test.pem"
	chmod 755 "$LOGS"
	mkdir -p "$AST/var/run/asterisk"
	chown "$(stat -c %u:%g "$LOGS")" "$AST/var/run/asterisk"
}

# In a mount namespace of its own, which `ip netns exec` makes: nothing is left mounted.
asterisk_start() {
	ip netns exec "$PBX" sh -c 'mount -t proc proc "$1/proc" && umask 022 && exec chroot "$1" \
		/usr/sbin/asterisk -f -n -U asterisk -G asterisk' sh "$AST" \
		</dev/null >"$T/asterisk.log" 2>&1 &
	ASTERISK=$!
	PIDS+=("$ASTERISK")
	eventually 30 asterisk_is_up
}

asterisk_is_up() {
	[ "$(pbx ss -Hlntu 'sport = :5060 or sport = :5061 or sport = :5038' | wc -l)" -ge 7 ] &&
		cli 'core show uptime' >/dev/null 2>&1
}

cli() {
	pbx timeout 20 chroot "$AST" /usr/sbin/asterisk -rx "$1"
}

client() {
	outside timeout 120 "$PYTHON" "$CLIENT" "$@"
}

# registers "ADDRESS USER TRANSPORT" [OPTION...]
registers() {
	local phone
	read -ra phone <<<"$1"
	shift
	client phone --from "${phone[0]}" --user "${phone[1]}" --transport "${phone[2]}" "$@"
}

all_register() {
	local phone
	for phone in "${PHONES[@]}"; do
		check "$1: ${phone% *} registers over ${phone##* }" registers "$phone"
	done
}

# The phones that go on registering while all the rest happens.
phones_start() {
	local phone i=0
	for phone in "${PHONES[@]}"; do
		read -ra phone <<<"$phone"
		ip netns exec "$OUT" "$PYTHON" "$CLIENT" phone --from "${phone[0]}" \
			--user "${phone[1]}" --transport "${phone[2]}" --every 0.5 \
			--counter "$T/phone.$i" </dev/null >/dev/null 2>>"$T/phone.log" &
		PHONE_PIDS+=($!)
		PIDS+=($!)
		i=$((i + 1))
	done
}

phones_end() {
	local i done lost
	for i in "${!PHONES[@]}"; do
		pid_end "${PHONE_PIDS[$i]}"
		read -r done lost <"$T/phone.$i"
		is "during: ${PHONES[$i]% *} lost none of $done registrations" "$lost" 0
		check "during: and there were many" [ "$done" -gt 20 ]
	done
}

banned_in() {
	[ -n "$(ban_field "$1" since "$2")" ]
}

# banned_as ADDRESS: as the status shows it.
banned_as() {
	case $1 in
	*:*) echo "${1%9}/64" ;;
	*) echo "$1" ;;
	esac
}

# is_read_to PATH SIZE ...: the phones go on writing, so that the daemon may be further.
is_read_to() {
	json '[.jails[].files[] | {(.path): .offset}] | add' >"$T/offsets" || return 1
	while [ $# -gt 0 ]; do
		[ "$(jq --arg p "$1" '.[$p]' "$T/offsets")" -ge "$2" ] || return 1
		shift 2
	done
}

# What is written now is read.
all_is_read() {
	local -a sizes
	mapfile -t sizes < <(stat -c $'%n\n%s' "$LOGS"/{security,plain,json,messages}.log)
	eventually 10 is_read_to "${sizes[@]}"
}

# What the checks of bans look at: "JAIL ADDRESS" a line, once all that was written is read.
take_bans() {
	check "$1: all lines are read" all_is_read
	json '.jails[] | "\(.name) \(.bans[].address)"' >"$T/bans"
}

in_bans() { # JAIL ADDRESS
	grep -qxF "$1 $2" "$T/bans"
}

write_config() {
	local maxretry=$1
	jail asterisk "logpath = $LOGS/security.log" "	$LOGS/messages.log" "maxretry = $maxretry"
	jail plain "logpath = $LOGS/plain.log" "maxretry = $maxretry"
	jail json "logpath = $LOGS/json.log" "	$LOGS/messages.log" "maxretry = $maxretry"
}

# One line a case into a file descriptor of its own: the checks' commands may read stdin.
check_bans() {
	local kind=$1 name source address text in_json expected jail
	while IFS=$'\t' read -r name source text in_json <&3; do
		address=$(banned_as "$source")
		for jail in "${JAILS[@]}"; do
			expected=$text
			[ "$jail" != json ] || expected=$in_json
			[ "$expected" = never ] || MAY+=("$jail $address")
			[ "$expected" != banned ] || check "$jail: $name: banned" in_bans "$jail" "$address"
		done
		if [ "$text $in_json" = "banned banned" ]; then
			check "$name: packets are dropped" dropped "$source"
		fi
	done 3< <(client list "$kind")
}

# Every ban is of somebody who may be banned.
check_nobody_else() {
	local what=$1
	take_bans "$what"
	is "$what: nobody else is banned" \
		"$(grep -vxF "$(printf '%s\n' "${MAY[@]}")" "$T/bans" | tr '\n' ' ' || true)" ""
	check "$what: an innocent's datagrams pass" passes $INNOCENT
	check "$what: a phone's datagrams pass" passes $PHONE
}

test_phones_before() {
	all_register before
	check "before: the challenges over UDP are seen going out" \
		eventually 3 eval '[ "$(json .proof.wire.challenges)" -ge 2 ]'
	is "before: and read, every one" "$(json .proof.wire.unreadable)" 0
	check "a phone mistypes twice, then registers" registers "$MISTYPER 101 udp" --mistypes 2
	check "a phone dials what is not there" registers "$MISTYPER 101 udp" --dials 999
	local jail
	take_bans "before"
	for jail in "${JAILS[@]}"; do
		is "$jail: two failures are counted" "$(total "$jail")" 2
	done
	check_nobody_else "before"
}

names_of() { # KIND
	client list "$1" | cut -f 1
}

# Whatever it writes: up to three lines of offences.
test_one_try() {
	local name jail before=2
	while read -r name <&3; do
		client send attack "$name" --tries 1
		check "one try: all lines are read" all_is_read
		for jail in "${JAILS[@]}"; do
			is "$jail: one try is one attempt: $name" "$(total "$jail")" $((before + 1))
		done
		before=$(total "${JAILS[0]}")
	done 3< <(names_of attack)
}

test_harmless() {
	local jail
	for jail in "${JAILS[@]}"; do
		BEFORE[$jail]=$(total "$jail")
	done
	client send harmless --tries 20
	check_bans harmless
	check_nobody_else "a scan by OPTIONS and stale nonces"
	for jail in "${JAILS[@]}"; do
		is "$jail: they are no failures" "$(total "$jail")" "${BEFORE[$jail]}"
	done
}

test_attacks() {
	client send attack --tries 5
	take_bans "attacks"
	check_bans attack
	is "each for four failures" "$(json '.jails[].bans[].failures' | sort -u | tr '\n' ' ')" "4 "
	check_nobody_else "attacks"
}

test_hostile() {
	client send hostile
	take_bans "hostile requests"
	check_bans hostile
	check_nobody_else "hostile requests"
}

# unsound JAIL: lines that raise the alarm.
unsound() {
	json '.jails[] | select(.name == $j) | .unsound |
		[.cut, .glued, .forged, .undated, ."not-utf8", .discarded] | add // 0' --arg j "$1"
}

# check_counted JAIL NAME SOURCE: banned, or each of its tries is counted.
check_counted() {
	if in_bans "$1" "$3"; then
		ok "$1: $2: banned"
		return
	fi
	local seen=$(($(unsound "$1") - ${UNSOUND[$1]}))
	check "$1: $2: counted as unsound ($seen)" [ "$seen" -ge "$TRIES" ]
}

test_blind() {
	local name source text in_json jail expected
	while IFS=$'\t' read -r name source text in_json <&4; do
		for jail in "${JAILS[@]}"; do
			UNSOUND[$jail]=$(unsound "$jail")
		done
		client send blind "$name" --tries $TRIES
		passes $PHONE # ends a line that was cut
		take_bans "$name"
		for jail in "${JAILS[@]}"; do
			expected=$text
			[ "$jail" != json ] || expected=$in_json
			[ "$expected" != counted ] || check_counted "$jail" "$name" "$source"
		done
	done 4< <(client list blind)
	check_bans blind
	for jail in "${JAILS[@]}"; do
		check "$jail: an accomplice behind a cut record: banned" in_bans "$jail" \
			"${ACCOMPLICES[0]}"
		MAY+=("$jail ${ACCOMPLICES[0]}" "$jail ${ACCOMPLICES[1]}")
		check "$jail: the alarm is raised" grep -qF \
			"$jail: someone is guessing blindly" "$T/daemon.log"
	done
	check "json: an accomplice behind two cut records: banned" in_bans json "${ACCOMPLICES[1]}"
	check_nobody_else "unreadable records"
}

# ---- a file that gets other levels too ----

unsound_grew() { # JAIL COUNT
	[ "$(unsound "$1")" -ge "$2" ]
}

test_foreign() {
	local name source text before jail _
	jail mixed "logpath = $LOGS/mixed.log" "maxretry = 4"
	is "mixed: reload exits 0" "$(rc vg reload)" 0
	while IFS=$'\t' read -r name source text _ <&4; do
		before=$(unsound mixed)
		client send foreign "$name" --tries $TRIES
		if [ "$text" = banned ]; then
			check "mixed: $name: banned" eventually 10 banned_in "$source" mixed
			is "mixed: $name: but not as proven" "$(ban_field "$source" proof mixed)" unproven
			for jail in mixed "${JAILS[@]}"; do
				MAY+=("$jail $source")
			done
		else
			check "mixed: $name: each is counted as unsound" eventually 10 unsound_grew mixed \
				$((before + TRIES))
		fi
	done 4< <(client list foreign)
	check_nobody_else "lines in values of other modules"
	rm "$T/etc/jails/mixed.conf"
	is "reload exits 0" "$(rc vg reload)" 0
}

# ---- the daemon ends while an attacker goes on ----

# across NAME COMMAND: three tries, one of them while nothing runs, and the fourth.
across() {
	local name=$1 source jail
	source=$(client list restart | awk -F '\t' -v name="$1" '$1 == name { print $2 }')
	client send restart "$name" --tries 2
	check "$name: all lines are read" all_is_read
	"$2"
	client send restart "$name" --tries 1
	daemon_start
	take_bans "$name"
	for jail in "${JAILS[@]}"; do
		check_not "$jail: $name: three make no ban" in_bans "$jail" "$source"
	done
	client send restart "$name" --tries 1
	take_bans "$name, the fourth"
	for jail in "${JAILS[@]}"; do
		is "$jail: $name: the fourth bans" "$(ban_field "$source" failures "$jail")" 4
	done
	check "$name: packets are dropped" dropped "$source"
}

test_restart() {
	across "tries before and after a stop" daemon_stop
	across "tries before and after a kill" daemon_kill
	check_bans restart
	check_nobody_else "restarts"
}

restart_by() { # daemon_stop|daemon_kill
	local _
	for _ in 1 2; do
		pause 0.4
		"$1"
		pause 0.2
		daemon_start
	done
	pause 0.3
}

# ---- the log is rotated while an attacker goes on ----

flood_start() { # ADDRESS
	: >"$T/flooding"
	ip netns exec "$OUT" "$PYTHON" "$CLIENT" flood --from "$1" --file "$T/flooding" \
		</dev/null >"$T/flooded" 2>>"$T/phone.log" &
	FLOOD_PID=$!
	PIDS+=("$FLOOD_PID")
}

counted() {
	[ "$(total "$1")" = "$((${BEFORE[$1]} + SENT))" ]
}

# under_flood ADDRESS NAME COMMAND...: each attempt made meanwhile is counted once in each jail.
under_flood() {
	local address=$1 name=$2 lost jail
	shift 2
	for jail in "${JAILS[@]}"; do
		BEFORE[$jail]=$(total "$jail")
	done
	flood_start "$address"
	"$@"
	rm "$T/flooding"
	eventually 5 pid_gone "$FLOOD_PID"
	read -r SENT lost <"$T/flooded"
	is "$name: the attacker was answered each time" "$lost" 0
	check "$name: and many times" [ "$SENT" -gt 100 ]
	for jail in "${JAILS[@]}"; do
		check "$jail: $name: $SENT attempts, all counted" eventually 5 counted "$jail"
		is "$jail: $name: and once" "$(total "$jail")" "$((${BEFORE[$jail]} + SENT))"
	done
}

rotate() {
	for _ in 1 2 3 4; do
		pause 0.3
		cli 'logger rotate' >/dev/null
	done
	pause 0.3
}

rename_and_reload() {
	local file i
	for i in 1 2 3; do
		pause 0.3
		for file in security plain json; do
			mv "$LOGS/$file.log" "$LOGS/$file.log.moved$i"
		done
		pause 0.3 # Asterisk writes on into the renamed files
		cli 'logger reload' >/dev/null
	done
	pause 0.3
}

# What is written between the copy and the truncation is lost, to every reader: Asterisk stands still
# for these milliseconds.
copy_and_truncate() {
	local i
	for i in 1 2 3 4; do
		pause 0.3
		kill -STOP "$ASTERISK"
		"$PYTHON" "$CLIENT" copytruncate ".$((i % 2))copy" "$LOGS"/{security,plain,json}.log
		kill -CONT "$ASTERISK"
	done
	pause 0.3
}

test_rotation() {
	write_config 1000
	is "reload exits 0" "$(rc vg reload)" 0
	check "all lines are read" all_is_read
	under_flood "${FLOODERS[0]}" "logger rotate" rotate
	under_flood "${FLOODERS[1]}" "rename and reload" rename_and_reload
	under_flood "${FLOODERS[2]}" "copytruncate" copy_and_truncate
	under_flood "${RESTARTERS[0]}" "stop and start" restart_by daemon_stop
	under_flood "${RESTARTERS[1]}" "kill -9 and start" restart_by daemon_kill
}

setup
for tool in mmdebstrap openssl ss; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
make_root_tar || {
	tail -n 3 "$T/mmdebstrap.log"
	excuse "mmdebstrap cannot make a sid root with Asterisk from $mirror"
}
for address in a b c d e; do # the prefixes of client.py's attackers
	ip -n "$OUT" addr add "2001:db8:bad:$address::9/128" dev lo nodad
done
AST=$T/root
LOGS=$AST/var/log/asterisk
PHONE_PIDS=()
MAY=()
declare -A BEFORE UNSOUND
TRIES=4
begin=$(now_ms)
mkdir "$AST"
tar -x --numeric-owner -C "$AST" -f "$root_tar"
configure_asterisk
if ! asterisk_start; then
	tail -n 20 "$T/asterisk.log" "$LOGS/messages.log" 2>/dev/null || true
	not_ok "Asterisk is up within 30 s"
	finish
	exit 1
fi
echo "# $(cli 'core show version' | cut -d' ' -f1,2), up after $(($(now_ms) - begin)) ms"
write_config 4
daemon_start
test_phones_before
phones_start
test_one_try
test_harmless
test_attacks
test_hostile
test_blind
test_foreign
test_restart
test_rotation
phones_end
all_register after
check_nobody_else "in the end"
is "the status is well" "$(rc vg status)" 0
check "Asterisk is still there" kill -0 "$ASTERISK"
daemon_stop
is "SIGTERM: exit 0" "$STOP_RC" 0
echo "# $(($(now_ms) - begin)) ms beside making the root"
finish
