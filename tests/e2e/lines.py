#!/usr/bin/python3
"""Writes Asterisk SECURITY lines as res_security_log.c makes them, with fresh time stamps.

lines.py [--append FILE] [options] ADDRESS...   COUNT failures of each address, round by round
"""
import argparse
import datetime
import os
import secrets
import shutil
import sys
import time

NONCE = None  # --nonce

TAILS = {
    "ChallengeResponseFailed": ',Challenge="{nonce}",Response="{response}",'
                               'ExpectedResponse=""',
    "ChallengeSent": ',Challenge=""',
    "SuccessfulAuth": ',UsingPassword="1"',
    "InvalidAccountID": "",
    "FailedACL": ',ACLName="registrar_attempt_without_configured_aors"',
}


def line(event, address, transport, account, at, pad=0):
    when = datetime.datetime.fromtimestamp(at).astimezone()
    family = "IPV6" if ":" in address else "IPV4"
    local = "2001:db8:99::1" if ":" in address else "10.99.0.1"
    session = secrets.token_hex(6) + "x" * pad + "@" + address
    informational = event in ("ChallengeSent", "SuccessfulAuth")
    tail = TAILS[event].format(nonce=NONCE or f"{int(at)}/{secrets.token_hex(16)}",
                               response=secrets.token_hex(16))
    return (f'[{when:%Y-%m-%d %H:%M:%S}] SECURITY[74] res_security_log.c: '
            f'SecurityEvent="{event}",EventTV="{when:%Y-%m-%dT%H:%M:%S}.'
            f'{when.microsecond // 1000:03d}{when:%z}",'
            f'Severity="{"Informational" if informational else "Error"}",Service="PJSIP",'
            f'EventVersion="1",AccountID="{account}",SessionID="{session}",'
            f'LocalAddress="{family}/{transport}/{local}/5060",'
            f'RemoteAddress="{family}/{transport}/{address}/{40000 + secrets.randbelow(20000)}"'
            f'{tail}\n')


class Log:
    """The writer's side of a log file: one append write a record, as Asterisk does it."""

    def __init__(self, path):
        self.path = path
        self.rotations = 0
        self.fd = self.open()

    def open(self):
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, text):
        os.write(self.fd, text.encode())

    def rename(self):
        """Like logrotate: the name moves, we write on until reopen()."""
        self.rotations += 1
        os.rename(self.path, f"{self.path}.{self.rotations}")

    def reopen(self):
        os.close(self.fd)
        self.fd = self.open()

    def copytruncate(self):
        self.rotations += 1
        shutil.copyfile(self.path, f"{self.path}.{self.rotations}")
        os.ftruncate(self.fd, 0)


def rotate_and_write(log, args):
    """Writes args.count lines, with a rotation after each args.every of them. The first quarter
    after a rename still goes into the old file, as before a `logger reload`."""
    pending = 0
    for i in range(args.count):
        for address in args.addresses:
            log.write(line(args.event, address, args.transport, args.account, time.time()))
        if pending and i % args.every == args.every // 4:
            log.reopen()
            pending = 0
        if i % args.every == args.every - 1:
            if args.rotate == "rename":
                log.rename()
                pending = 1
            else:
                # copytruncate loses what a reader has not read: give it its time, as an hour
                # between two rotations would.
                time.sleep(args.pause)
                log.copytruncate()
                log.write(line(args.event, args.addresses[0], args.transport, args.account,
                               time.time()))
        if args.interval:
            time.sleep(args.interval)
    if pending:
        log.reopen()


def main():
    global NONCE
    parser = argparse.ArgumentParser()
    parser.add_argument("--append", metavar="FILE")
    parser.add_argument("--event", choices=sorted(TAILS), default="ChallengeResponseFailed")
    parser.add_argument("--transport", default="UDP")
    parser.add_argument("--account", default="100")
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--age", type=float, default=0, help="seconds that the lines are old")
    parser.add_argument("--pad", type=int, default=0, help="bytes that the Call-ID is longer")
    parser.add_argument("--nonce", help="the challenge that was answered; default: an invented one")
    parser.add_argument("--interval", type=float, default=0)
    parser.add_argument("--rotate", choices=("rename", "copytruncate"))
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0)
    parser.add_argument("addresses", nargs="+", metavar="ADDRESS")
    args = parser.parse_args()
    NONCE = args.nonce
    if args.rotate:
        rotate_and_write(Log(args.append), args)
        return
    text = "".join(line(args.event, address, args.transport, args.account,
                        time.time() - args.age, args.pad)
                   for _ in range(args.count) for address in args.addresses)
    if args.append:
        with open(args.append, "a", encoding="ascii") as log:
            log.write(text)
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
