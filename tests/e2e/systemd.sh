#!/bin/bash
# The installed unit under a booted systemd: start, ban, reload, stop, confinement.
# usage: tests/e2e/systemd.sh [SOURCE_DIR]   (default: the tree this script is in; `make install` runs there)
# A bookworm root is made once with mmdebstrap and kept in ${XDG_CACHE_HOME:-/var/cache}/voipguard-test.
set -eu

source_dir=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
cache=${XDG_CACHE_HOME:-/var/cache}/voipguard-test
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
attacker=203.0.113.77 # not on-link, not protected
intruder=203.0.113.78 # seen in the journal only
operator=203.0.113.79 # logged in
netns=vg-systemd-$$
init=
nspawn=
passed=0
failed=0

# The name changes with the package list, so that an old root is not taken for a new one.
packages=systemd,systemd-sysv,dbus,nftables,iproute2,libpcre2-8-0,libnftnl11,libmnl0,libesmtp6
packages+=,libssl3,libsystemd0,libsqlite3-0,libjansson4,libseccomp2,libcap2,libc-ares2,ca-certificates
root_tar=$cache/bookworm-$(printf %s "$packages" | cksum | cut -d' ' -f1).tar

skip() {
	echo "SKIP systemd.sh: $1"
	exit 0
}

[ "$(id -u)" = 0 ] || skip "needs root, for a container"
for tool in mmdebstrap systemd-nspawn systemd-sysusers ip nsenter jq; do
	command -v "$tool" >/dev/null || skip "$tool is not installed"
done
[ -d /sys/fs/cgroup ] || skip "no cgroup file system"

work=$(mktemp -d)
root=$work/root
chmod 755 "$work"

stop_container() {
	[ -n "$nspawn" ] || return 0
	[ -z "$init" ] || inside systemctl poweroff >/dev/null 2>&1 || true
	for _ in $(seq 100); do
		kill -0 "$nspawn" 2>/dev/null || break
		sleep 0.2
	done
	kill -9 "$nspawn" 2>/dev/null || true
	wait "$nspawn" 2>/dev/null || true
	nspawn=
}

cleanup() {
	stop_container
	ip netns delete "$netns" 2>/dev/null || true
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

inside() {
	timeout 60 nsenter -t "$init" -m -u -i -n -p -C -- "$@"
}

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok $name"
		passed=$((passed + 1))
	else
		echo "not ok $name"
		sed 's/^/# /' "$work/out" | tail -20
		failed=$((failed + 1))
	fi
}

wait_for() { # SECONDS COMMAND...
	local tries=$(($1 * 5))
	shift
	for _ in $(seq "$tries"); do
		"$@" && return 0
		sleep 0.2
	done
	return 1
}

make_root_tar() {
	[ -f "$root_tar" ] && return 0
	mkdir -p "$cache"
	timeout 540 mmdebstrap --quiet --variant=minbase --include="$packages" bookworm \
		"$work/new.tar" "$mirror" >"$work/mmdebstrap.log" 2>&1 || return 1
	mv "$work/new.tar" "$root_tar.$$"
	mv "$root_tar.$$" "$root_tar"
}

install_daemon() {
	make -s -C "$source_dir" install DESTDIR="$root" PREFIX=/usr
	systemd-sysusers --root="$root"
	install -d -m 755 "$root/etc/voipguard/jails"
	cat >"$root/etc/voipguard/jails/e2e.local" <<-END
		[e2e]
		enabled = true
		filter = ${E2E_FILTER:-asterisk}
		logpath = /var/log/asterisk/messages
		maxretry = 4
		findtime = 10m
		bantime = 1h
		[journal]
		enabled = true
		filter = sshd[logtype=journal]
		backend = systemd
		journalmatch = SYSLOG_IDENTIFIER=sshd
		maxretry = 4
		findtime = 10m
		bantime = 1h
	END
	install -d -m 750 -o root -g 4 "$root/var/log/asterisk" # adm is 4 in base-passwd
	install -m 640 -o root -g 4 /dev/null "$root/var/log/asterisk/messages"
	systemctl --root="$root" enable voipguard.service >/dev/null 2>&1
}

# The container's init: the descendant of nspawn that is process 1 of its namespace.
find_init() {
	local pid status
	for status in /proc/[0-9]*/status; do
		pid=${status#/proc/}
		pid=${pid%/status}
		grep -q "^NSpid:.*[[:space:]]1$" "$status" 2>/dev/null || continue
		[ "$(readlink "/proc/$pid/ns/net" 2>/dev/null)" = "$net_id" ] || continue
		init=$pid
		return 0
	done
	return 1
}

boot() {
	ip netns add "$netns"
	ip -n "$netns" link set lo up
	ip -n "$netns" link add eth0 type veth peer name eth1
	ip -n "$netns" address add 192.0.2.10/24 dev eth0
	ip -n "$netns" link set eth0 up
	net_id=net:[$(stat -L -c %i "/run/netns/$netns")]
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn -q -D "$root" --boot --register=no \
		--keep-unit --machine="vg-$$" --network-namespace-path="/run/netns/$netns" \
		--capability=CAP_NET_ADMIN --system-call-filter=landlock_create_ruleset \
		--system-call-filter=landlock_add_rule --system-call-filter=landlock_restrict_self \
		--console=pipe </dev/null >"$work/console" 2>&1 &
	nspawn=$!
	wait_for 30 find_init && wait_for 60 booted
}

booted() {
	case $(inside systemctl is-system-running 2>/dev/null || true) in
	running | degraded) return 0 ;;
	esac
	return 1
}

active() {
	[ "$(inside systemctl show -P ActiveState voipguard)" = active ]
}

write_attempt() { # NUMBER
	local now utc
	now=$(inside date +'%Y-%m-%d %H:%M:%S')
	utc=$(date -u +'%Y-%m-%dT%H:%M:%S.000+0000')
	printf '[%s] SECURITY[74] res_security_log.c: SecurityEvent="ChallengeResponseFailed",EventTV="%s",Severity="Error",Service="PJSIP",EventVersion="1",AccountID="100",SessionID="session-%s@%s",LocalAddress="IPV4/TCP/192.0.2.10/5060",RemoteAddress="IPV4/TCP/%s/4%03d",Challenge="1795423865/4477aa%s",Response="c9c5%s",ExpectedResponse=""\n' \
		"$now" "$utc" "$1" "$attacker" "$attacker" "$1" "$1" "$1" >>"$root/var/log/asterisk/messages"
}

listed() {
	inside nft list table inet voipguard | grep -qw "$attacker"
}

not_listed() {
	! listed
}

status_shows_ban() {
	inside voipguard status --json >"$work/status.json" 2>"$work/status.err" || [ $? = 1 ]
	cat "$work/status.json" "$work/status.err"
	jq -e --arg a "$attacker" '[.jails[].bans[] | select(.address == $a and .in_kernel)] | length > 0' \
		"$work/status.json"
}

status_well() {
	inside voipguard status --json | jq -e '.health.firewall.ok and .health.engine.ok and .health.state.ok'
}

main_pid() {
	inside systemctl show -P MainPID voipguard
}

# From outside: /proc inside hides what the unit hides. A line for each process: INNER_PID CapPrm
# CapEff CapAmb NoNewPrivs Seccomp.
processes() {
	local status pid
	for status in /proc/[0-9]*/status; do
		pid=${status#/proc/}
		pid=${pid%/status}
		[ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = /usr/bin/voipguard ] || continue
		[ "$(readlink "/proc/$pid/ns/pid")" = "$(readlink "/proc/$init/ns/pid")" ] || continue
		awk '/^NSpid:/ { id = $NF } /^(CapPrm|CapEff|CapAmb|NoNewPrivs|Seccomp):/ { v[$1] = $2 }
			END { print id, v["CapPrm:"], v["CapEff:"], v["CapAmb:"], v["NoNewPrivs:"], v["Seccomp:"] }' \
			"$status"
	done
}

# Bit 12 is CAP_NET_ADMIN.
capabilities() {
	processes | tee "$work/processes"
	awk -v main="$(main_pid)" '
		{ n++ }
		$1 == main && $2 == "0000000000001000" && $3 == $2 { found = 1; next }
		$2 $3 $4 !~ /^0+$/ { bad = 1 }
		END { exit !(n >= 3 && found && !bad) }' "$work/processes"
}

confined() {
	processes | tee "$work/processes"
	awk '{ n++ } $5 != 1 || $6 != 2 { bad = 1 } END { exit !(n >= 3 && !bad) }' "$work/processes"
}

watchdog() {
	[ "$(inside systemctl show -P WatchdogUSec voipguard)" = 30s ] || return 1
	[ "$(inside systemctl show -P NotifyAccess voipguard)" = main ]
}

exposure() {
	inside systemd-analyze security --no-pager voipguard.service | tee "$work/security" | tail -1
	awk '/Overall exposure level/ { for (i = 1; i < NF; i++) if ($i == "voipguard.service:") level = $(i + 1) }
		END { exit !(level != "" && level <= 1.6) }' "$work/security"
}

stop_unit() {
	inside systemctl stop voipguard
	inside systemctl show voipguard -p Result,ExecMainCode,ExecMainStatus
	[ "$(inside systemctl show -P Result voipguard)" = success ] || return 1
	[ "$(inside systemctl show -P ExecMainStatus voipguard)" = 0 ]
}

# Into the journal by journald's own syslog socket.
log_in_journal() { # ADDRESS
	inside logger -t sshd "Failed password for root from $1 port 40022 ssh2"
}

listed_by_journal() {
	inside nft list table inet voipguard | grep -qw "$intruder"
}

# As logind writes it of a user who came in by SSH: there is no sshd in this root.
log_in() { # ADDRESS
	printf 'UID=0\nUSER=root\nACTIVE=1\nSTATE=active\nREMOTE=1\nTYPE=tty\nCLASS=user\n%s\n%s\n' \
		"REMOTE_HOST=$1" "SERVICE=sshd" | inside tee /run/systemd/sessions/c99 >/dev/null
}

refused_as_session() {
	! inside voipguard ban "$operator" >"$work/refusal" 2>&1 && grep "SSH session" "$work/refusal"
}

same_engine_ban() {
	inside systemctl start voipguard && wait_for 10 status_shows_ban
}

make_root_tar || {
	tail -3 "$work/mmdebstrap.log"
	skip "mmdebstrap cannot make a bookworm root from $mirror"
}
mkdir "$root"
tar -x -C "$root" -f "$root_tar"
install_daemon
if ! boot; then
	tail -20 "$work/console"
	echo "not ok the container boots"
	echo "0 passed, 1 failed"
	exit 1
fi

check "the unit is active and has said READY" wait_for 15 active
check "the first status is well" wait_for 10 status_well
check "nobody is banned yet" not_listed
for i in 1 2 3; do
	write_attempt "$i"
done
sleep 1 # three are one too few: time for a wrong ban to appear
check "three attempts do not ban" not_listed
write_attempt 4
check "the fourth does, in the kernel" wait_for 5 listed
check "status --json shows the ban" wait_for 5 status_shows_ban
for i in 1 2 3 4; do
	log_in_journal "$intruder"
done
check "a jail over the journal bans too" wait_for 5 listed_by_journal
log_in "$operator"
check "who is logged in by SSH is not banned" wait_for 15 refused_as_session
check "only the main process has a capability: CAP_NET_ADMIN" capabilities
check "each process has no_new_privs and a seccomp filter" confined
check "the watchdog is set, for the main process" watchdog
check "systemd-analyze security: exposure <= 1.6" exposure
check "reload" inside systemctl reload voipguard
check "the ban outlives the reload" listed
check "the unit is active after the reload" active
check "stop ends with status 0" stop_unit
check "the ban stays in the kernel" listed
check "a new start takes it over" same_engine_ban
if [ "$failed" -gt 0 ]; then
	inside journalctl --no-pager -n 40 -u voipguard | sed 's/^/# /' || true
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
