#!/usr/bin/python3
"""makelog.py FILE LINES: an Asterisk security log of now, each tenth line a failure.

The rest is what phones make: challenges and good logins. 250 attackers share the failures.
"""
import datetime
import random
import sys

HEAD = ('[{prefix}] SECURITY[74] res_security_log.c: SecurityEvent="{event}",EventTV="{stamp}",'
        'Severity="{severity}",Service="PJSIP",EventVersion="1",AccountID="{account}",'
        'SessionID="{session:012x}@{address}",LocalAddress="IPV4/UDP/10.99.0.1/5060",'
        'RemoteAddress="IPV4/UDP/{address}/{port}"{tail}\n')
FAILED = (',Challenge="1795426955/{nonce:032x}",Response="{response:032x}",ExpectedResponse=""')
CHUNK = 10000


def line(number, rng, prefix, stamp):
    kind = number % 10
    if kind == 9:
        address = f"198.51.100.{rng.randrange(1, 251)}"
        tail = FAILED.format(nonce=rng.getrandbits(128), response=rng.getrandbits(128))
        event, severity = "ChallengeResponseFailed", "Error"
    else:
        address = f"192.0.2.{rng.randrange(1, 251)}"
        event, tail = (("ChallengeSent", ',Challenge=""'),
                       ("SuccessfulAuth", ',UsingPassword="1"'))[kind % 2]
        severity = "Informational"
    return HEAD.format(prefix=prefix, stamp=stamp, event=event, severity=severity,
                       account=100 + number % 40, session=rng.getrandbits(48), address=address,
                       port=rng.randrange(1024, 65536), tail=tail)


def main():
    path, lines = sys.argv[1], int(sys.argv[2])
    rng = random.Random(1)
    now = datetime.datetime.now().astimezone()
    prefix = f"{now:%Y-%m-%d %H:%M:%S}"
    stamp = f"{now:%Y-%m-%dT%H:%M:%S}.123{now:%z}"
    with open(path, "w", encoding="ascii") as log:
        for first in range(0, lines, CHUNK):
            log.write("".join(line(n, rng, prefix, stamp)
                              for n in range(first, min(first + CHUNK, lines))))


if __name__ == "__main__":
    main()
