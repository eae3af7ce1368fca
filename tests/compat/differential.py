"""fail2ban's Filter and ours over the same generated lines: the same ones hit, the same host is
named, the same time read."""

import collections
import json
import os
import re
import time

import logs
import mutate
import samples
import theirs

# What <ADDR> of fail2ban takes.
LIKE_AN_ADDRESS = re.compile(r"^(?:[0-9.]+|[0-9a-fA-F]*:[0-9a-fA-F:]*)$")
LONE_COLONS = re.compile(r"(?<![0-9a-fA-F:])::(?:(?![0-9a-fA-F:])|:\d)")
WIDE_START = re.compile(r"(?<![0-9a-fA-F:])::(?:[0-9a-fA-F]{1,4}:){6}[0-9a-fA-F]")
NO_TIME = re.compile(r"\b(?:2[4-9]|[3-9]\d):\d\d:\d\d|\d\d:(?:[6-9]\d:\d\d|\d\d:[6-9]\d)"
                     r"|\b(?:31|00)[-/]")
ZONE_WORD = re.compile(r"\W{0,2}[A-Za-z]+ [A-Z][a-z]{2} +\d")
LONG_FRACTION = re.compile(r":\d\d[.,]\d{7,}")
CLOCK_TIME = re.compile(r"\b(\d\d?):(\d\d):(\d\d)")
SESSION = re.compile(r"\[(?:conn)?\d+\]")
SESSION_S = 300
ODD_DATE = re.compile(r"20[3-9]\d-|\d-1[3-9]-")
SMALL_T = re.compile(r"\d-\d\dt\d\d:")
FAR_YEAR = re.compile(r"20[3-9]\d")
HOST_BYTES_MAX = 256  # HIT_TEXT_MAX
# 2026-09-21: later than the samples; fail2ban takes years up to three after the machine's own.
CLOCK = 1790000000
LINES = 5000  # of each filter
SEED = 137

# (filter, options, whether it remembers lines): prefregex, sessions, several lines, every kind of
# date.
FILTERS = [
    ("3proxy", {}, False), ("apache-auth", {}, False), ("asterisk", {}, False),
    ("courier-auth", {}, False), ("cyrus-imap", {}, False),
    ("dovecot", {"mode": "aggressive"}, False), ("ejabberd-auth", {}, True),
    ("exim", {"mode": "aggressive"}, False), ("freeswitch", {"mode": "extra"}, False),
    ("guacamole", {}, True), ("mongodb-auth", {}, True), ("mysqld-auth", {}, False),
    ("named-refused", {}, False), ("nginx-http-auth", {}, False), ("pam-generic", {}, False),
    ("postfix", {"mode": "aggressive"}, False), ("proftpd", {}, False),
    ("sendmail-reject", {"mode": "extra"}, True), ("slapd", {}, True),
    ("sshd", {"mode": "aggressive"}, True),
]

EXTRA = {"sshd": ["bsd/syslog-plain.txt", "bsd/syslog-v.txt", "bsd/syslog-vv.txt"]}


def seed_lines(found, name):
    """The sample lines of a filter, without those meant for the journal."""
    reader = logs.Reader(found.logs, name).read()
    lines = [sample.text for combination in reader.combinations.values()
             if not combination.is_journal() for sample in combination.samples]
    for extra in EXTRA.get(name, []):
        with open(os.path.join(found.logs, extra), encoding="utf-8") as file:
            lines += [line.rstrip("\r\n") for line in file]
    return list(dict.fromkeys(lines))


def same_time(ours, their_time):
    if ours["epoch"] is None or their_time is None:
        return ours["epoch"] is None and their_time is None
    return int(ours["epoch"]) == int(min(their_time, CLOCK))


def same(ours, their):
    if not ours or not their:
        return not ours and not their
    return samples.same_host(ours["host"], their[0]) and same_time(ours, their[1])


def names_nobody(host):
    return bool(LIKE_AN_ADDRESS.match(host)) and not samples.is_address(host)


def seconds(line):
    """Of the day, as the line tells the time; None: it does not."""
    clock = CLOCK_TIME.search(line)
    if not clock:
        return None
    hour, minute, second = map(int, clock.groups())
    return hour * 3600 + minute * 60 + second


def memory_difference(line, ours, their, earlier):
    """The same for a filter that remembers the lines in earlier."""
    mark = SESSION.search(line)
    session = [text for text in earlier if mark and mark.group() in text]
    times = [seconds(text) for text in session if seconds(text) is not None]
    if their and not ours and times and seconds(line) is not None \
            and all(abs(seconds(line) - when) > SESSION_S for when in times):
        return "a session that says nothing for five minutes of the log: fail2ban forgets it " \
               "by the machine's clock"
    if ours and their and not samples.is_address(ours["host"]) \
            and any(their[0] in text for text in session):
        return "a name in the line itself goes before an address of its session"
    if ours and not their and any(ODD_DATE.search(text) for text in session[-2:]):
        return "a line before has a date that fail2ban does not take for one"
    return None


def wanted_difference(line, ours, their, alone):
    """Why the two may differ here, else None. alone() judges the line by itself, or says None."""
    our_host = ours["host"] if ours else None
    their_host, their_time = their or (None, None)
    if (not ours or names_nobody(our_host)) and (not their or names_nobody(their_host)):
        return "what looks like an address and is none: nobody to ban"
    if LONE_COLONS.search(line) or WIDE_START.search(line):
        return "'::' stands alone, or before seven groups: read as fail2ban does since 1.1"
    if ours and ours["epoch"] == CLOCK and their_time is None and FAR_YEAR.search(line):
        return "a year that is not yet: fail2ban sees no date in it, ours counts it as now"
    if ours and their and ours["epoch"] == CLOCK and their_time is None \
            and samples.same_host(our_host, their_host):
        return "a day that there never was: both count it as now"
    if their and their_time is None and not ours and ZONE_WORD.match(line):
        return "a word before the date: fail2ban takes it for a zone, cannot read it and counts " \
               "the line as now"
    if ours and len(our_host) == HOST_BYTES_MAX and their and their_host.startswith(our_host):
        return "a host of more than 256 bytes is cut"
    lonely = alone()
    if lonely is not None and same(ours, lonely):
        return "the line alone is read alike: which format fail2ban tries first depends on " \
               "the lines before"
    if their and their_time is None and NO_TIME.search(line):
        return "an hour or second that there is none: fail2ban takes it for a date, cannot read " \
               "it and counts it as now"
    if ours and not their and SMALL_T.search(line):
        return "a small t before the time, as RFC 3339 allows"
    if ours and not their and LONG_FRACTION.search(line):
        return "a fraction of a second with more than six digits"
    if their and their_time is not None and their_time > 2**32:
        return "a TAI64N label after the year 2106"
    return None


class Outcome:
    def __init__(self, label):
        self.label = label
        self.passed = 0
        self.hits = 0
        self.problems = []
        self.ruled = collections.Counter()


def compare(line, place, ours, their, alone, earlier, outcome):
    outcome.hits += bool(ours)
    if same(ours, their):
        outcome.passed += 1
        return
    reason = wanted_difference(line, ours, their, alone) or \
        memory_difference(line, ours, their, earlier)
    if reason:
        outcome.ruled[reason] += 1
        return
    ours = ours and (ours["host"], ours["epoch"], ours["regex"])
    outcome.problems.append(f"{place}: ours {ours}, theirs {their}: {json.dumps(line)}")


def run(program, found, name, options, remembers, scratch):
    """One filter; returns an Outcome. One that remembers lines gets them in the order of its log,
    each pass over it with nothing remembered from the one before."""
    os.environ["TZ"] = samples.ZONE
    time.tzset()
    label = logs.Combination(options).filter(name)
    outcome = Outcome(label)
    seeds = seed_lines(found, name)
    generator = mutate.Generator(f"{SEED} {name}", seeds)
    arguments = (found, found.tree, name, options, CLOCK)
    path = os.path.join(scratch, f"{name}.generated.log")
    left = LINES
    while left:
        lines = generator.log(left) if remembers else [generator.line() for _ in range(left)]
        left -= len(lines)
        samples.write_lines(path, lines)
        status, output, errors = samples.voipguard(
            program, found.tree, label, path, "--json", "--now", str(CLOCK))
        if status != 0:
            outcome.problems.append(f"{label}: {errors.strip()}")
            return outcome
        hits = samples.read_hits(output)
        judge = theirs.Judge(*arguments)
        for number, line in enumerate(lines, 1):
            alone = (lambda: None) if remembers else \
                (lambda text=line: theirs.Judge(*arguments).line(text))
            compare(line, f"{label}: line {LINES - left - len(lines) + number}",
                    hits.get(number), judge.line(line), alone,
                    lines[: number - 1] if remembers else [], outcome)
    return outcome
