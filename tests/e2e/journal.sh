#!/bin/bash
# The journal as a log: real journal files, written by systemd's own writer.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

WRITER=/lib/systemd/systemd-journal-remote
A=198.51.100.41
B=198.51.100.42
C=198.51.100.43
D=198.51.100.44
count=0

# entries ADDRESS HOW_MANY [SECONDS_AGO [UNIT]]: failed logins in the journal.
entries() {
	local address=$1 many=$2 ago=${3:-0} unit=${4:-ssh.service} i
	for i in $(seq "$many"); do
		count=$((count + 1))
		printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n' \
			"$((${EPOCHREALTIME/./} - ago * 1000000))" $((count * 1000))
		printf '_BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=pbx\n'
		printf 'SYSLOG_IDENTIFIER=sshd\n_PID=%s\n_SYSTEMD_UNIT=%s\n' $count "$unit"
		printf 'MESSAGE=Failed password for root from %s port 22 ssh2\n\n' "$address"
	done >"$T/export"
	"$WRITER" -o "$T/journal/x.journal" "$T/export" >/dev/null 2>&1
	chmod 644 "$T/journal/x.journal"
}

# record ADDRESS: a wrong password in the journal, as Asterisk's console tells it.
record() {
	count=$((count + 1))
	{
		printf '__REALTIME_TIMESTAMP=%s\n__MONOTONIC_TIMESTAMP=%s\n' "${EPOCHREALTIME/./}" \
			$((count * 1000))
		printf '_BOOT_ID=0123456789abcdef0123456789abcdef\n_HOSTNAME=pbx\n'
		printf 'SYSLOG_IDENTIFIER=asterisk\n_PID=811\n_SYSTEMD_UNIT=asterisk.service\n'
		printf 'MESSAGE=[%s] SECURITY[74]: res_security_log.c:114 security_event_stasis_cb: ' \
			"$(date '+%b %e %T')"
		printf 'SecurityEvent="ChallengeResponseFailed",EventTV="%s",Severity="Error",' \
			"$(date +%Y-%m-%dT%H:%M:%S.%3N%z)"
		printf 'Service="PJSIP",EventVersion="1",AccountID="100",SessionID="%s",' $count
		printf 'LocalAddress="IPV4/UDP/%s/5060",RemoteAddress="IPV4/UDP/%s/5060",' $PBX4 "$1"
		printf 'Challenge="1/2",Response="3",ExpectedResponse=""\n\n'
	} >"$T/export"
	"$WRITER" -o "$T/journal/x.journal" "$T/export" >/dev/null 2>&1
	chmod 644 "$T/journal/x.journal"
}

setup
if [ ! -x "$WRITER" ]; then
	echo "SKIP: $WRITER is not installed"
	echo "0 passed, 0 failed"
	exit 0
fi
mkdir -m 755 "$T/journal"
cat >"$T/etc/jails/sshd.conf" <<END
[sshd]
enabled = true
filter = sshd
backend = systemd[journalpath="$T/journal"]
journalmatch = _SYSTEMD_UNIT=ssh.service + _COMM=sshd
END
chmod 644 "$T/etc/jails/sshd.conf"
entries $B 9 7200 # long before findtime
entries $A 3
entries $C 9 0 other.service
is "the jail needs no logpath" "$(rc "$VG" check -c "$T/etc")" 0
daemon_start
check "what the journal holds of the last findtime counts" eventually 5 total_is sshd 3
is "three do not ban" "$(ban_field $A since)" ""
is "the status names the journal" "$(json '.jails[] | .files[] | .path')" journal
is "all is well" "$(rc vg status)" 0
entries $A 1
check "the fourth bans at once" eventually 2 in_kernel $A
check "it is dropped" dropped $A
is "old entries and other units count for nobody" "$(total sshd)" 4
entries $B 3
check "more is read" eventually 3 total_is sshd 7
daemon_stop
entries $B 1
daemon_start
check "what came meanwhile counts once" eventually 5 in_kernel $B
is "and nothing twice" "$(total sshd)" 8
daemon_kill
entries $C 4
daemon_start
check "kill -9: the same" eventually 5 in_kernel $C
is "to the last one" "$(total sshd)" 12
daemon_stop

cat >"$T/etc/jails/voip.conf" <<END
[voip]
enabled = true
filter = asterisk
backend = systemd[journalpath="$T/journal"]
journalmatch = _SYSTEMD_UNIT=asterisk.service
END
chmod 644 "$T/etc/jails/voip.conf"
daemon_start
for i in 1 2 3; do record $D; done
check "Asterisk's records in the journal count" eventually 5 total_is voip 3
is "three of them do not ban" "$(ban_field $D since)" ""
record $D
check "the fourth does" eventually 5 in_kernel $D
is "entries of other units are not read" "$(total voip)" 4
daemon_stop
rm "$T/etc/jails/voip.conf"

sed -i "s|$T/journal|$T/nowhere|" "$T/etc/jails/sshd.conf"
jail asterisk
daemon_start
is "a journal that is not there: the status says so" "$(rc vg status)" 1
check "by name" grep -q "jail sshd: cannot open the journal in $T/nowhere" "$T/out"
lines --count 4 203.0.113.44
check "and the other jail guards" eventually 5 in_kernel 203.0.113.44
daemon_stop
finish
