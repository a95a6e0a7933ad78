#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kills_account.py: compares what jobs wrote themselves with what the ledger says of them, by its views `runs` and `missed`.

Each job NAME appended "SLOT RUN" to OUT/NAME.began when it began and to OUT/NAME.ended when it was through. For fixed-rate jobs every
slot from the first to the last must have exactly one outcome.

Where scheduler and runner both died, two things can't be known, and are counted: that a job ran before the ledger first heard of it; and how
many slots of a fixed delay came behind one that is interrupted.
"""
import argparse
import collections
import configparser
import datetime
import glob
import os
import sqlite3
import sys

UNITS = {"ms": 1000, "s": 1000000}
UNKNOWN_US = 3000000  # before a death: the horizon reaches so far


def instant_us(text):
    return int(datetime.datetime.fromisoformat(text.rstrip("Z") + "+00:00").timestamp() * 1000 + 0.5) * 1000


def read_lines(path):
    """(slot, run) of each line."""
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [(int(line.split()[0]), line.split()[1]) for line in f]


def read_definition(path):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read(path)
    (section,) = parser.sections()
    every = parser[section]["Every"]
    unit = next(u for u in UNITS if every.endswith(u))
    return parser[section].get("Mode") == "fixed-rate", int(every[: -len(unit)]) * UNITS[unit], parser[section].get("CatchUp", "none")


class Job:
    def __init__(self, db, options, name, killed, deaths):
        self.name, self.errors, self.killed, self.deaths = name, [], killed, deaths
        self.is_grid, self.every, self.catch_up = read_definition("%s/%s.ini" % (options.jobs, name))
        self.began = read_lines("%s/%s.began" % (options.out, name))
        self.ended = read_lines("%s/%s.ended" % (options.out, name))
        self.runs = db.execute("SELECT run, slot, result FROM runs WHERE job = ? ORDER BY run", [name]).fetchall()
        self.missed = db.execute("SELECT outcome, reason, n, first, last FROM missed WHERE job = ?", [name]).fetchall()
        self.n_ran = db.execute("SELECT sum(n) FROM slots JOIN job ON job.id = slots.job WHERE name = ? AND outcome = 0", [name]).fetchone()[0] or 0
        self.slots = {}  # number or instant in ms: its outcomes
        self.n_interrupted = self.n_unknown = 0

    def error(self, text):
        self.errors.append("%s: %s" % (self.name, text))

    def number(self, us):
        """Of a grid the slot's number, else its instant in ms: that is what the views give."""
        if not self.is_grid:
            return us // 1000
        n = round((us - self.origin) / self.every)
        off = us - self.origin - n * self.every
        if abs(off) > self.every // 4:
            self.error("%d is %d us off the grid" % (us, off))
        self.origin += off // 4  # the wall clock is slewed against the one that the grid counts on
        return n

    def read_ledger(self):
        rows = [(instant_us(slot), instant_us(slot), 1, result) for run, slot, result in self.runs]
        rows += [(instant_us(first), instant_us(last), n, "%s %s" % (outcome, reason)) for outcome, reason, n, first, last in self.missed]
        rows.sort()
        self.origin = rows[0][0] if rows else 0
        for first_us, last_us, n, what in rows:
            first, last = self.number(first_us), self.number(last_us)
            if self.is_grid and last - first + 1 != n:
                self.error("%s: %d..%d should be %d slots" % (what, first, last, n))
            for k in range(first, last + 1) if self.is_grid else (first, last)[: n]:
                self.slots.setdefault(k, []).append(what)

    def outcome(self, us):
        """What the ledger says of the slot of a line."""
        k = self.number(us)
        if self.is_grid or k in self.slots:
            return self.slots.get(k, [])
        return self.slots.get(k + 1, [])  # rounded by the view

    def check(self):
        self.read_ledger()
        numbers = sorted(self.slots)
        for k in range(numbers[0], numbers[-1] + 1) if self.is_grid and numbers else []:
            if k not in self.slots:
                self.error("slot %d has no outcome" % k)
        for k, outcomes in self.slots.items():
            if len(outcomes) > 1:
                self.error("slot %d has %d outcomes: %s" % (k, len(outcomes), ", ".join(outcomes)))
        if self.n_ran != len(self.runs):
            self.error("%d runs, but %d slots ran" % (len(self.runs), self.n_ran))
        for what, lines in (("slot", [line[0] for line in self.began]), ("run", [line[1] for line in self.began])):
            for value, n in collections.Counter(lines).items():
                if n > 1:
                    self.error("%s %s began %d times" % (what, value, n))
        for us, run in self.began:
            self.check_began(us, run)
        for us, run in self.ended:
            self.check_ended(us, run)
        return self.errors

    def may_be_interrupted(self, run):
        return run.rpartition("-")[0] in self.killed

    def may_be_unknown(self, us, run):
        """Nothing is said of this slot of a runner that was killed."""
        if self.is_grid:
            return self.may_be_interrupted(run) and self.number(us) < min(self.slots)
        death = min((at for at in self.deaths if at > us), default=0)
        return self.may_be_interrupted(run) and death - us < UNKNOWN_US

    def check_began(self, us, run):
        said = self.outcome(us)
        is_interrupted = said and said[0].startswith("interrupted")
        self.n_interrupted += bool(is_interrupted)
        if not said and self.may_be_unknown(us, run):
            self.n_unknown += 1
        elif not said or said[0].startswith(("missed", "withheld", "merged")) or (is_interrupted and not self.may_be_interrupted(run)):
            self.error("run %s of slot %d began, the ledger says: %s" % (run, us, said))

    def check_ended(self, us, run):
        said = self.outcome(us)
        if said and said[0].startswith("interrupted") and self.may_be_interrupted(run):
            return
        if not said and self.may_be_unknown(us, run):
            return
        if said == ["cancelled"] and not self.may_be_interrupted(run):  # by the stop, between its last act and its exit
            return
        if said != ["success"]:
            self.error("run %s of slot %d ended well, the ledger says: %s" % (run, us, said))


def pauses(jobs, kills):
    """Seconds from each kill of the scheduler alone to the next slot that ran of a job that catches nothing up."""
    slots = sorted(us for job in jobs if job.is_grid and job.catch_up == "none" for us, _ in job.began)
    found = []
    for k, (what, at) in enumerate(kills):
        until = kills[k + 1][1] if k + 1 < len(kills) else slots[-1]
        later = [us for us in slots if at < us]
        if what == "scheduler" and later and later[0] < until:
            found.append((later[0] - at) / 1e6)
    return found


def main():
    parser = argparse.ArgumentParser()
    for name in ("ledger", "out", "jobs", "kills"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    with open(options.kills) as f:
        kills = [(line.split()[0], int(line.split()[1])) for line in f]
    db = sqlite3.connect("file:%s?mode=ro" % options.ledger, uri=True)
    names = sorted(os.path.basename(path)[: -len(".ini")] for path in glob.glob(options.jobs + "/*.ini"))
    ids = collections.OrderedDict()  # of runners, each with the latest slot that it began
    for name in names:
        for us, run in read_lines("%s/%s.began" % (options.out, name)):
            ids[run.rpartition("-")[0]] = max(us, ids.get(run.rpartition("-")[0], 0))
    last = max(ids, key=ids.get)
    jobs = [Job(db, options, name, set(ids) - {last}, [at for what, at in kills if what == "runner"]) for name in names]
    errors = [error for job in jobs for error in job.check()]
    errors += ["%s never ran" % job.name for job in jobs if not job.began]
    if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
        errors.append("the file is damaged")
    again = pauses(jobs, kills)
    if again and (sorted(again)[len(again) * 19 // 20] > 1 or max(again) > 5):
        errors.append("scheduling did not go on within a second: %s" % ", ".join("%.1f" % s for s in again if s > 1))
    print(
        "note: %d kills, %d of them of the scheduler alone; %d runners; %d runs began, %d wrote their end, %d are interrupted, %d unknown; %d slots have one"
        " outcome each; on again after %.2f s, at worst %.2f s"
        % (
            len(kills),
            sum(what == "scheduler" for what, at in kills),
            len(ids),
            sum(len(job.began) for job in jobs),
            sum(len(job.ended) for job in jobs),
            sum(job.n_interrupted for job in jobs),
            sum(job.n_unknown for job in jobs),
            sum(len(job.slots) for job in jobs),
            sorted(again)[len(again) // 2] if again else 0,
            max(again, default=0),
        )
    )
    for error in errors[:25]:
        print("account:", error)
    if len(errors) > 25:
        print("account: and %d more" % (len(errors) - 25))
    return 1 if errors else 0


sys.exit(main())
