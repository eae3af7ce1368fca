"""The whole configuration loads as it is."""

import os
import re
import shutil
import subprocess

import samples

FINDING = re.compile(r"^(.*?): (error|warning): (.*)$")


def filters_load(program, found, wanted, _scratch):
    """Every filter of the package; returns (passed, problems)."""
    passed, warnings, problems = 0, 0, []
    for tree, name in found.filters():
        if wanted and name not in wanted:
            continue
        status, _, errors = samples.voipguard(program, tree, name, os.devnull)
        warnings += errors.count(": warning: ")
        if status == 0 and ": error: " not in errors:
            passed += 1
        else:
            problems.append(f"{name} does not load: {errors.strip()}")
    print(f"# trees: {passed} filters load, with {warnings} warnings")
    return passed, problems


def _check(program, tree):
    run = subprocess.run([program, "check", "-c", tree], capture_output=True, text=True,
                         timeout=samples.RUN_LIMIT_S, check=False)
    return run.returncode, (run.stdout + run.stderr).splitlines()


def switched_on(found, scratch):
    """A copy of the tree in which every jail is enabled."""
    tree = os.path.join(scratch, "all-on")
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(found.tree, tree, symlinks=True)
    with open(os.path.join(tree, "jail.local"), "w", encoding="utf-8") as file:
        file.write("[DEFAULT]\nenabled = true\n")
    return tree


# What is refused on purpose, and why.
REFUSED = {
    "ignorecommand is not run": "no program is run for a line of a log",
    "lets an address in": "bans close, they never open",
}


def _refusal(finding):
    return next((reason for text, reason in REFUSED.items() if text in finding), None)


def jails_pass(program, found, wanted, scratch):
    """The jails as they come, then all of them switched on; returns (passed, problems)."""
    if wanted:
        return 0, []
    passed, problems = 0, []
    for tree in (found.tree, switched_on(found, scratch)):
        status, findings = _check(program, tree)
        errors = [line for line in findings
                  if FINDING.match(line) and FINDING.match(line).group(2) == "error"]
        wrong = [line for line in errors if not _refusal(line)]
        for line in errors:
            if _refusal(line):
                print(f"# refused, as {_refusal(line)}: {os.path.relpath(line, tree)}")
        if status != (1 if errors else 0):
            wrong.append(f"check -c {tree}: exit status {status}")
        passed += not wrong
        problems += wrong
    return passed, problems
