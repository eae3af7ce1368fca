#!/usr/bin/python3
"""Replays captured Asterisk lines into a log at a human pace, with the time of now in both stamps.

replay.py FROM TO SECONDS BANNED   prints a short form of each line as it is written

BANNED is a file of addresses: Asterisk hears nothing more of one that stands in it, so its further
lines are not written.
"""
import datetime
import os
import re
import sys
import time

WORDS = {
    "ChallengeSent": "asked for a password",
    "SuccessfulAuth": "right password",
    "ChallengeResponseFailed": "WRONG password",
    "InvalidAccountID": "unknown account",
}


def is_banned(address, path):
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as addresses:
        return address in addresses.read().split()


def main():
    source, target, pace, banned = sys.argv[1:5]
    with open(source, encoding="utf-8") as captured, open(target, "a", encoding="utf-8") as log:
        for line in captured:
            address = re.search(r'RemoteAddress="\w+/\w+/([^/]+)/', line).group(1)
            if is_banned(address, banned):
                continue
            now = datetime.datetime.now().astimezone()
            line = re.sub(r"^\[[^]]*\]", f"[{now:%Y-%m-%d %H:%M:%S}]", line)
            stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}{now:%z}"
            line = re.sub(r'EventTV="[^"]*"', f'EventTV="{stamp}"', line)
            log.write(line)
            log.flush()
            event = re.search(r'SecurityEvent="(\w+)"', line).group(1)
            account = re.search(r'AccountID="(\w+)"', line).group(1)
            # A challenge is no news: what follows it is.
            if event != "ChallengeSent":
                print(f"  {now:%H:%M:%S}  {address:<15}  account {account}: {WORDS[event]}",
                      flush=True)
                time.sleep(float(pace))


if __name__ == "__main__":
    main()
