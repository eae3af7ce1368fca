"""Every filter over its own sample log, compared with what the log says of each line."""

import collections
import datetime
import ipaddress
import json
import os
import re
import subprocess
import time

import logs

CLOCK = 1124013600  # 2005-08-14T10:00Z, which the samples' times without a year are written for
LATE_CLOCK = 2000000000  # later than any of them: what lies after the clock is read as the clock
ZONE = "CET-01CEST-02,M3.5.0,M10.5.0"
RUN_LIMIT_S = 60

# Keys of a failJSON that say nothing about the hit itself.
NO_FIELDS = {"match", "time", "desc", "constraint", "host", "ip4", "ip6", "dns"}
DIGITS_AND_DOTS = re.compile(r"^[0-9.]+$")
RULE_LINE = re.compile(r"^ *rule (\d+) +(never hit|\d+ (?:hits|held))  (\S+)  (.*)$")


class Outcome:
    """What one filter came to; sent between processes."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.problems = []
        self.left_out = collections.Counter()  # reason -> comparisons not made
        self.used = set()  # places of failJSON judged
        self.unused = {}  # place of a failJSON -> why not
        self.files = []
        self.combinations = 0

    def check(self, truth, problem):
        if truth:
            self.passed += 1
        else:
            self.problems.append(problem)
        return truth


def voipguard(program, tree, filter_text, path, *options):
    """Runs `voipguard test`; returns (status, output, errors)."""
    run = subprocess.run([program, "test", "-c", tree, filter_text, path, *options],
                         capture_output=True, timeout=RUN_LIMIT_S, check=False,
                         env={**os.environ, "TZ": ZONE, "LC_ALL": "C.UTF-8"})
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def read_hits(output):
    """Line number -> hit, of lines that were not ignored."""
    found = {}
    for line in output.splitlines():
        hit = json.loads(line)
        if "line" in hit and not hit["ignored"]:
            found[hit["line"]] = hit
    return found


def local_epoch(text):
    shape = "%Y-%m-%dT%H:%M:%S.%f" if "." in text else "%Y-%m-%dT%H:%M:%S"
    moment = datetime.datetime.strptime(text, shape)
    return time.mktime(moment.timetuple()) + moment.microsecond / 1e6


def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def same_host(ours, theirs):
    try:
        return ipaddress.ip_address(ours) == ipaddress.ip_address(theirs)
    except ValueError:
        return ours == theirs


class Run:
    """One combination, run and judged."""

    def __init__(self, program, tree, name, combination, path, outcome):
        self.command = (program, tree, combination.filter(name), path)
        self.extra = ["--logtype", "journal"] if combination.is_journal() else []
        self.combination = combination
        self.outcome = outcome
        self.rules = []  # (text, whether a sample hit it)
        self.loads = False
        with open(os.path.join(tree, "filter.d", name + ".conf"), encoding="utf-8") as file:
            self.has_sessions = "<F-MLFID>" in file.read()
        self.label = combination.filter(name)

    def hits(self, clock):
        status, output, errors = voipguard(*self.command, "--json", "--now", str(clock),
                                           *self.extra)
        if not self.outcome.check(status == 0, f"{self.label}: {errors.strip().splitlines()[:1]}"):
            return None
        return read_hits(output)

    def run(self):
        write_lines(self.command[3], [sample.text for sample in self.combination.samples])
        hits = self.hits(CLOCK)
        if hits is None:
            return
        self.loads = True
        late = self.hits(LATE_CLOCK)
        self.read_rules()
        for number, sample in enumerate(self.combination.samples, 1):
            self.judge(sample, hits.get(number), late.get(number))

    def judge(self, sample, hit, late):
        place = f"{self.label}: {sample.place()}"
        if not sample.is_hit():
            if hit and not self.has_sessions and "<F-NOFAIL>" in self.rules[hit["regex"] - 1][0]:
                self.outcome.left_out["F-NOFAIL without F-MLFID: fail2ban counts it in "
                                      "operation, its tests pass over it"] += 1
                return
            self.outcome.check(not hit, f"{place}: hit by rule {hit and hit['regex']}, "
                                        f"expected none: {sample.text}")
            return
        if not hit and DIGITS_AND_DOTS.match(sample.expected.get("host", "")) and \
                not is_address(sample.expected["host"]):
            self.outcome.left_out["hits: 192.0.2.09 and the like are no address to ban"] += 1
            return
        if not self.outcome.check(hit, f"{place}: not hit: {sample.text}"):
            return
        for key, wanted in sample.expected.items():
            if key in ("host", "ip4", "ip6"):
                self.outcome.check(same_host(hit["host"], wanted),
                                   f"{place}: {key} {hit['host']}, expected {wanted}")
            elif key == "dns":
                self.outcome.check(wanted is not None or not same_host(hit["host"], ""),
                                   f"{place}: dns {hit['host']}, expected {wanted}")
            elif key not in NO_FIELDS:
                self.judge_field(place, hit["fields"], key, wanted)
        if sample.expected.get("time"):
            self.judge_time(place, sample, hit, late)

    def judge_field(self, place, fields, key, wanted):
        if key == "attempts":
            self.outcome.left_out["attempts: a count of theirs, ours lists each line"] += 1
            return
        if key == "users":
            self.outcome.left_out["users: the names of a whole session, ours are the line's"] += 1
            return
        self.outcome.check(fields.get(key, "") == wanted,
                           f"{place}: {key} {fields.get(key)!r}, expected {wanted!r}")

    def judge_time(self, place, sample, hit, late):
        wanted = local_epoch(sample.expected["time"])
        if self.combination.is_journal():
            self.outcome.left_out["time: an entry of the journal brings its own"] += 1
            return
        if wanted > CLOCK:
            if hit["epoch"] == CLOCK and (not late or int(late["epoch"]) != int(wanted)):
                self.outcome.left_out["time: without a year, less than a day ahead of the clock; "
                                      "ours is the clock"] += 1
                return
            hit = late or hit
        # fail2ban drops fractions of a second, we keep them
        self.outcome.check(hit["epoch"] is not None and int(hit["epoch"]) == int(wanted),
                           f"{place}: time {hit['epoch']}, expected {wanted:.0f}: {sample.text}")

    def read_rules(self):
        """Which rules the lines hit, from the closing summary for people."""
        status, output, _ = voipguard(*self.command, "--now", str(CLOCK), *self.extra)
        for line in output.splitlines() if status == 0 else []:
            rule = RULE_LINE.match(line)
            if rule:
                self.rules.append((rule.group(4), rule.group(2) != "never hit"))


def judge_filter(program, tree, name, directory, scratch):
    """All combinations of one filter; returns an Outcome."""
    os.environ["TZ"] = ZONE
    time.tzset()
    outcome = Outcome(name)
    reader = logs.Reader(directory, name).read()
    outcome.used = reader.used
    outcome.unused = reader.left_out
    outcome.files = reader.files
    runs = []
    for number, combination in enumerate(reader.combinations.values()):
        path = os.path.join(scratch, f"{name}.{number}.log")
        runs.append(Run(program, tree, name, combination, path, outcome))
        runs[-1].run()
    outcome.combinations = len(runs)
    # A rule counts as shown if it is hit here, or by its text in another combination.
    shown = {text for run in runs for text, is_hit in run.rules if is_hit}
    for run in runs:
        for number, (text, _) in enumerate(run.rules, 1):
            outcome.check(text in shown, f"{run.label}: no sample hits rule {number}: {text}")
        if run.loads:
            outcome.check(run.rules, f"{run.label}: no rule was listed")
    return outcome
