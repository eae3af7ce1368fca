#!/usr/bin/python3
"""Replays captured Asterisk lines into a log at a human pace, with the time of now in both stamps.

replay.py FROM TO [SECONDS]   prints a short form of each line as it is written
"""
import datetime
import re
import sys
import time

WORDS = {
    "ChallengeSent": "asked for a password",
    "SuccessfulAuth": "right password",
    "ChallengeResponseFailed": "WRONG password",
    "InvalidAccountID": "unknown account",
}


def main():
    source, target = sys.argv[1:3]
    pace = float(sys.argv[3]) if len(sys.argv) > 3 else 0.4
    with open(source, encoding="utf-8") as captured, open(target, "a", encoding="utf-8") as log:
        for line in captured:
            now = datetime.datetime.now().astimezone()
            line = re.sub(r"^\[[^]]*\]", f"[{now:%Y-%m-%d %H:%M:%S}]", line)
            stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}{now:%z}"
            line = re.sub(r'EventTV="[^"]*"', f'EventTV="{stamp}"', line)
            log.write(line)
            log.flush()
            event = re.search(r'SecurityEvent="(\w+)"', line).group(1)
            address = re.search(r'RemoteAddress="\w+/\w+/([^/]+)/', line).group(1)
            account = re.search(r'AccountID="(\w+)"', line).group(1)
            # A challenge is no news: what follows it is.
            if event != "ChallengeSent":
                print(f"  {now:%H:%M:%S}  {address:<15}  account {account}: {WORDS[event]}",
                      flush=True)
                time.sleep(pace)


if __name__ == "__main__":
    main()
