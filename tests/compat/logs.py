"""fail2ban's sample logs: lines, the option combinations they are for, what is expected of them.

A comment line "failJSON: {...}" speaks of the line behind it, "filterOptions:" sets the
combinations for all lines behind it, "fileOptions:" what they have in common, "addFILE:" names
another file to be read for the same filter."""

import ast
import json
import os
import re

COMMENT = re.compile(r"^#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)$")


class Sample:
    def __init__(self, file, number, text, expected):
        self.file = file
        self.number = number
        self.text = text
        self.expected = expected  # {} : no failJSON

    def place(self):
        return f"{self.file}:{self.number}"

    def is_hit(self):
        return bool(self.expected.get("match", False))


class Combination:
    """One filter with one set of options, and the lines it has to judge, in order."""

    def __init__(self, options):
        self.options = {k: v for k, v in options.items() if not k.startswith("test.")}
        self.samples = []

    def is_journal(self):
        return self.options.get("logtype") == "journal"

    def filter(self, name):
        """As `voipguard test` takes it."""
        if not self.options:
            return name
        return name + "[" + ",".join(f'{k}="{v}"' for k, v in self.options.items()) + "]"


def holds(expression, name, options):
    """A condition of the samples: names, strings, opts.get(), ==, !=, and, or, not."""

    def value(node):
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id == "name":
            return name
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "opts.get":
            return options.get(*[value(argument) for argument in node.args])
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            left, right = value(node.left), value(node.comparators[0])
            if isinstance(node.ops[0], ast.Eq):
                return left == right
            if isinstance(node.ops[0], ast.NotEq):
                return left != right
        if isinstance(node, ast.BoolOp):
            values = [value(operand) for operand in node.values]
            return all(values) if isinstance(node.op, ast.And) else any(values)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not value(node.operand)
        raise ValueError(f"condition not understood: {expression}")

    return bool(value(ast.parse(expression, mode="eval")))


class Reader:
    """The samples of one filter."""

    def __init__(self, directory, name):
        self.directory = directory
        self.name = name
        self.combinations = {}  # by their options
        self.files = []
        self.left_out = {}  # place of a failJSON -> why
        self.used = set()  # places of failJSON that some combination judges
        self._common = {}
        self._current = []  # (combination, all its options)
        self._off = None  # why the lines are not for this filter

    def read(self):
        pending = [self.name]
        for file in pending:  # grows
            self.files.append(file)
            self._common = {}
            self._off = None
            self._read_file(file, pending)
        for place in self.used:
            self.left_out.pop(place, None)
        return self

    def _combination(self, options):
        plain = {k: v for k, v in options.items() if not k.startswith("test.")}
        key = json.dumps(plain, sort_keys=True)
        if key not in self.combinations:
            self.combinations[key] = Combination(options)
        return self.combinations[key]

    def _set_options(self, sets):
        self._current = []
        self._off = None
        for own in sets if isinstance(sets, list) else [sets]:
            options = {**self._common, **own}
            condition = options.get("test.condition")
            if condition:
                self._off = None if holds(condition, self.name, options) else condition
            if not self._off:
                self._current.append((self._combination(options), options))

    def _read_file(self, file, pending):
        with open(os.path.join(self.directory, file), encoding="utf-8",
                  errors="surrogateescape", newline="\n") as lines:
            numbered = enumerate(lines, 1)
            for number, line in numbered:
                comment = COMMENT.match(line)
                if not comment:
                    if not line.startswith("#") and line.strip():
                        self._add(Sample(file, number, line.rstrip("\r\n"), {}))
                    continue
                kind, told = comment.group(1), json.loads(comment.group(2))
                if kind == "fileOptions":
                    self._common = told
                elif kind == "filterOptions":
                    self._set_options(told)
                elif kind == "addFILE":
                    pending.append(told)
                else:
                    number, line = next(numbered)
                    self._add(Sample(file, number, line.rstrip("\r\n"), told))

    def _add(self, sample):
        if sample.expected and self._off:
            self.left_out[sample.place()] = f"for another filter: {self._off}"
        if self._off:
            return
        if not self._current:
            self._set_options([{}])
        for combination, options in self._current:
            constraint = sample.expected.get("constraint")
            if constraint and not holds(constraint, self.name, options):
                self.left_out.setdefault(sample.place(), f"not for these options: {constraint}")
                continue
            text = options.get("test.prefix-line", "") if combination.is_journal() else ""
            combination.samples.append(
                Sample(sample.file, sample.number, text + sample.text, sample.expected))
            if sample.expected:
                self.used.add(sample.place())


def count(directory):
    """(files, failJSON) of all that the package has, counted without reading their sense."""
    files, expectations = [], 0
    for path, _, names in os.walk(directory):
        for name in names:
            full = os.path.join(path, name)
            files.append(os.path.relpath(full, directory))
            with open(full, "rb") as file:
                expectations += sum(bool(re.match(rb"#+ ?failJSON:", line)) for line in file)
    return files, expectations
