#!/bin/bash
# fail2ban's tree and its active bans become voipguard's.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

F=
TREE=

# The schema and rows as fail2ban 1.0 keeps them.
database() {
	"$PYTHON" - "$1" "$2" <<'END'
import sqlite3
import sys

now = int(sys.argv[2])
db = sqlite3.connect(sys.argv[1])
db.executescript("""
CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL,
 bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON);
CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT NULL,
 bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON, PRIMARY KEY(ip, jail));
""")
rows = [
    ("asterisk", "203.0.113.5", now - 100, 3600, True),
    ("asterisk", "203.0.113.6", now - 100, -1, True),
    ("asterisk", "203.0.113.7", now - 5000, 3600, True),  # over
    ("asterisk", "203.0.113.5", now - 9000, 600, False),  # an earlier one
    ("gone", "203.0.113.8", now - 10, 600, True),
    ("asterisk", "192.0.2.4", now - 5, 600, True),  # ignored
    ("door", "2001:db8:bad:1::9", now - 5, 6000, True),
]
for jail, ip, at, bantime, stands in rows:
    db.execute("INSERT INTO bans VALUES(?, ?, ?, ?, 1, NULL)", (jail, ip, at, bantime))
    if stands:
        db.execute("INSERT INTO bips VALUES(?, ?, ?, ?, 1, NULL)", (ip, jail, at, bantime))
db.commit()
END
}

tree() {
	mkdir -p "$F/filter.d"
	: >"$T/log/nginx-error.log"
	cat >"$F/jail.conf" <<END
[DEFAULT]
port = 0:65535
action_ = iptables-multiport[name=%(__name__)s, port="%(port)s"]
action = %(action_)s
bantime = 1h
ignoreip = 192.0.2.0/24
[asterisk]
port = 5060,5061
action_ = %(default/action_)s[protocol="tcp"]
          %(default/action_)s[protocol="udp"]
logpath = $LOG
maxretry = 3
[asleep]
filter = asterisk
logpath = $LOG
END
	cat >"$F/jail.local" <<END
[asterisk]
enabled = true
[door]
enabled = true
filter = door[where="back door"]
logpath = $T/log/door.log
          $T/log/old*.log head
bantime = -1
action = sendmail-whois[dest=office@example.org]
         iptables-allports
[web]
enabled = true
filter = nginx-http-auth
logpath = $T/log/nginx-error.log
[broken]
enabled = true
filter = nosuch
logpath = $LOG
END
	cat >"$F/fail2ban.conf" <<'END'
[Definition]
loglevel = INFO
dbpurgeage = 1d
END
	printf '[Definition]\ndbpurgeage = 5d\n' >"$F/fail2ban.local"
	cat >"$F/filter.d/door.conf" <<'END'
[Definition]
failregex = ^%(__p)s knock at <where> from <HOST>, 100%% sure$
            ^ again <F-USER>\S+</F-USER> at <HOST>$
ignoreregex = ^\w+ from the postman
__p = \w+
datepattern = ^%%Y-%%m-%%d
where = gate
END
	printf '[Definition]\nfailregex = no password of <HOST>$\n' >"$F/filter.d/nginx-http-auth.conf"
}

import() {
	rc "$VG" import "$F" -c "$TREE" --state "$T/state" -s "$SOCK" "$@"
}

said() {
	grep -qF -- "$1" "$T/out"
}

setup
F=$T/fail2ban
TREE=$T/etc
rm -r "$TREE"
tree
database "$T/fail2ban.sqlite3" "$(date +%s)"

is "a dry run finds what is lost" "$(import --dry-run --db "$T/fail2ban.sqlite3")" 1
check_not "and writes nothing" test -e "$TREE"
is "exit 1: one jail is broken" "$(import --db "$T/fail2ban.sqlite3")" 1
check "it is named" said "dropped    jail broken"
check "its reason stands with its place" said "jail.local:17:10: error: there is no filter 'nosuch'"
check "the others are translated" said "translated jail asterisk (filter asterisk)"
check_not "and come down to the same" said "differs"
check "a log that clients can write lines into is named" said "warning    jail web: $T/log/nginx-error.log"
check "with the safer one" said "the safer log is $T/log/nginx-access.log"
check "which the filter reads that comes along" said "this one only with mode=errorlog"
check "how long bans are remembered is taken over" \
	grep -qx 'dbpurgeage = 432000' "$TREE/jails/defaults.import.local"
check "a jail that is off stays off" said "kept off   1 jails"
check "a shipped filter replaces theirs, or is the same" test ! -e "$TREE/filters/asterisk.conf"
"$VG" check -c "$TREE" --show door >"$T/shown"
check "values are resolved" grep -qF '^\w+ knock at back door from <HOST>, 100% sure$' "$T/shown"
check "the second rule too" grep -qF '^ again <F-USER>\S+</F-USER> at <HOST>$' "$T/shown"
check "head stays head" grep -qF "old*.log head" "$T/shown"
check "the mail goes to the office" grep -q "office@example.org" "$T/shown"
"$VG" check -c "$TREE" --show asterisk >"$T/shown"
check "both protocols are closed" grep -q "udp:5060,5061" "$T/shown"
check "bans of no jail are dropped" said "ban of 203.0.113.8 in jail gone: there is no such jail"
check "bans of ignored addresses too" said "ban of 192.0.2.4 in jail asterisk: it is in ignoreip"
check "three are taken" said "taken      3 bans that stand, 2 of the past; 2 dropped"
is "the new tree has no error" "$(rc "$VG" check -c "$TREE")" 0
is "again: nothing is taken twice" "$(import --db "$T/fail2ban.sqlite3")" 1
check "each is named" said "ban of 203.0.113.5 in jail asterisk: it is banned already"
check "files of an import are written again" said "translated jail door"

echo "[asterisk]" >"$TREE/jails/asterisk.local"
is "a file of the operator's is left alone" "$(import)" 1
check "and named" said "jails/asterisk.local: it stands there and is not from an import"
is "byte for byte" "$(cat "$TREE/jails/asterisk.local")" "[asterisk]"
rm "$TREE/jails/asterisk.local"
printf '[voipguard]\ndbpurgeage = 2d\n' >"$TREE/jails/defaults.local"
is "an operator's dbpurgeage goes before theirs" "$(import)" 1
check "and is named" said "differs    dbpurgeage: 432000 s there, 172800 s here"
rm "$TREE/jails/defaults.local"
rm "$F/jail.local"
printf '[asterisk]\nenabled = true\n[door]\nenabled = true\nfilter = door\nlogpath = %s\n' \
	"$T/log/door.log" >"$F/jail.local"
is "without the broken jail: exit 0" "$(import)" 0
is "a database that is none" "$(import --db "$F/jail.conf")" 1
check "is named" said "jail.conf is not a database"
mkdir "$T/theirs"
chown nobody "$T/theirs"
is "and leaves no file of root's" "$(rc "$VG" import "$F" -c "$TREE" --state "$T/theirs" \
	-s "$SOCK" --db "$F/jail.conf")$(find "$T/theirs" -user root)" 1
is "one that is not there" "$(import --db "$T/none")" 1
is "a tree that is not there" "$(rc "$VG" import "$T/none" -c "$TREE")" 1
is "a word too few" "$(rc "$VG" import)" 2

chmod -R a+rX "$TREE"
daemon_start
check "the daemon has the bans" eventually 5 in_kernel 203.0.113.5
is "with their own end" "$(epoch "$(ban_field 203.0.113.5 until)")" \
	"$(($(epoch "$(ban_field 203.0.113.5 since)") + 3600))"
check "the permanent one" in_kernel 203.0.113.6
check "the one of IPv6" in_kernel 2001:db8:bad:1::
check_not "not the one that is over" in_kernel 203.0.113.7
daemon_stop
rm -r "$T/state"
daemon_start
is "a running daemon is asked" "$(import --db "$T/fail2ban.sqlite3")" 0
check "and has them in the kernel" in_kernel 203.0.113.5
daemon_stop
finish
