"""What every jail comes down to: our `check --show` against fail2ban's own dump."""

import ast
import os
import subprocess

import samples
import trees

CLIENT = "usr/bin/fail2ban-client"
KEYS = {"addfailregex": "failregex", "addignoreregex": "ignoreregex", "prefregex": "prefregex",
        "datepattern": "datepattern", "maxretry": "maxretry", "maxlines": "maxlines",
        "maxmatches": "maxmatches", "addjournalmatch": "journalmatch"}
COMPARED = ("maxretry", "failregex", "ignoreregex", "prefregex", "datepattern")


def _dumped(found, tree):
    """{jail: {key: [values]}}, {jail: {(ports, protocol)}} of the actions that name both."""
    run = subprocess.run(["python3", os.path.join(found.root, CLIENT), "-c", tree, "-d"],
                         env=dict(os.environ, PYTHONPATH=found.python), capture_output=True,
                         text=True, timeout=samples.RUN_LIMIT_S, check=False)
    jails, closes = {}, {}
    for line in run.stdout.splitlines():
        words = ast.literal_eval(line)
        if words[0] == "add":
            jails[words[1]] = {}
            closes[words[1]] = set()
        elif words[0] in ("set", "multi-set") and words[1] in jails and words[2] in KEYS:
            values = words[3] if isinstance(words[3], list) else words[3:]
            jails[words[1]].setdefault(KEYS[words[2]], []).extend(str(value) for value in values)
        elif words[0] == "multi-set" and words[2] == "action":
            options = {option[0]: option[1] for option in words[4]}
            if "port" in options and "protocol" in options:
                closes[words[1]].add((options["port"], options["protocol"]))
    return jails, closes


def _shown(program, tree):
    """{jail: {key: [lines]}} of all jails."""
    run = subprocess.run([program, "check", "-c", tree, "--show", "*"], capture_output=True,
                         text=True, timeout=samples.RUN_LIMIT_S, check=False)
    jails, rows, key = {}, None, None
    for line in run.stdout.splitlines():
        name = line[:12].strip()
        if name == "jail" and line[12:13] == " ":
            rows, key = jails.setdefault(line[13:], {}), None
        if rows is None or not line:
            continue  # a finding
        key = name or key
        rows.setdefault(key, []).append(line[13:])
    return jails


def _covers(closes, port, protocol):
    """"tcp:22,27000-27015 udp:53" or "all" holds every number in "22,27003"."""
    if closes == ["all"]:
        return True
    ranges = []
    for scope in closes:
        name, _, ports = scope.partition(":")
        if name == protocol:
            ranges += [[int(end) for end in part.split("-")] for part in ports.split(",")]
    return bool(ranges) and all(any(low[0] <= int(word) <= low[-1] for low in ranges)
                                for word in port.replace(" ", "").split(",") if word.isdigit())


def _lines(values):
    """One rule a line: the dump may hold several in one value."""
    return [line.strip() for value in values for line in value.split("\n") if line.strip()]


def jails_agree(program, found, wanted, scratch):
    """Rules, limits and dates of every jail, all switched on; returns (passed, problems)."""
    if wanted:
        return 0, []
    passed, problems = 0, []
    tree = trees.switched_on(found, scratch)
    # 1.0 does not turn to the journal where no log is.
    with open(os.path.join(tree, "jail.local"), "a", encoding="utf-8") as file:
        file.write("systemd_if_nologs = false\n")
    ours = _shown(program, tree)
    theirs, closes = _dumped(found, tree)
    if not theirs:
        return 0, ["fail2ban-client -d dumps no jail"]
    for jail, expected in theirs.items():
        shown = ours.get(jail, {})
        for key in COMPARED:
            have, want = _lines(shown.get(key, [])), _lines(expected.get(key, []))
            passed += have == want
            if have != want:
                problems.append(f"jail {jail}: {key} is {have!r}, should be {want!r}")
        for port, protocol in closes[jail]:
            fits = _covers(shown.get("closes", []), port, protocol)
            passed += fits
            if not fits:
                problems.append(f"jail {jail}: closes {shown.get('closes')}, "
                                f"should hold {protocol} {port}")
    return passed, problems
