#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""account.py: proves from records alone that each slot of a fixed-rate job has exactly one outcome.

Reads JSON records (chimed --log=json or journalctl -o json) from standard input. Runs name their slot, missed ranges name
first, last and count. Slot number = distance from the first slot / period. Then every number from the first to the last must occur
exactly once, and each range must hold as many numbers as its count says.
"""
import argparse
import datetime
import json
import sys


def instant_us(text):
    """RFC 3339 in UTC to microseconds since 1970, exactly."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 1000000 + int((fraction + "000000")[:6])


def read_records(stream, job):
    for line in stream:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "CHIMED_EVENT" in record and "CHIMED_JOB" in record and job in (None, record["CHIMED_JOB"]):
            yield record


class Account:
    def __init__(self, period, may_retell):
        self.period, self.may_retell, self.origin, self.seen, self.errors = period, may_retell, None, {}, []
        self.runs = self.ranges = self.missed = 0

    def number(self, us):
        if self.origin is None:
            self.origin = us
        n = round((us - self.origin) / self.period)
        if abs(us - self.origin - n * self.period) > self.period // 20:
            self.errors.append("%d us is %d us off the grid" % (us, us - self.origin - n * self.period))
        return n

    def add(self, n, what):
        # a new scheduler tells the missed slots behind the last run again, and can't know why the dead one held them missed
        is_retold = self.may_retell and n in self.seen and self.seen[n].split()[0] == what.split()[0] == "missed"
        if n in self.seen and not is_retold:
            self.errors.append("slot %d twice: %s and %s" % (n, self.seen[n], what))
        self.seen[n] = what

    def add_run(self, record):
        n, what = self.number(int(record["CHIMED_SLOT_USEC"])), "run " + record["CHIMED_RUN_ID"].rsplit("-")[-1]
        if not self.may_retell or self.seen.get(n) != what:
            self.runs += 1
            self.add(n, what)

    def add_range(self, record):
        first, last = (self.number(instant_us(record[k])) for k in ("CHIMED_FIRST_SLOT", "CHIMED_LAST_SLOT"))
        count = int(record["CHIMED_COUNT"])
        self.ranges += 1
        self.missed += count
        if last - first + 1 != count:
            self.errors.append("range %d..%d says it holds %d" % (first, last, count))
        for n in range(first, last + 1):
            self.add(n, "missed " + record["CHIMED_REASON"])

    def check(self):
        if not self.seen:
            self.errors.append("no slots at all")
            return
        first, last = min(self.seen), max(self.seen)
        self.errors += ["slot %d has no outcome" % n for n in range(first, last + 1) if n not in self.seen]


def take(account, record):
    # a run is told when it started and when it ended: either names the slot. A start that failed has an end only; so has,
    # over a crash, a run whose start no scheduler lived to tell. What is tried again (retry) has its outcome later
    has_end_only = record.get("CHIMED_RESULT") in ("start-failed", "finished") or ("CHIMED_RESULT" in record and account.may_retell)
    if record["CHIMED_EVENT"] == "started" or (has_end_only and record["CHIMED_EVENT"] != "retry"):
        account.add_run(record)
    elif record["CHIMED_EVENT"] == "missed":
        account.add_range(record)


def main():
    parser = argparse.ArgumentParser()
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--job")
    which.add_argument("--each", action="store_true", help="every job that has a record")
    parser.add_argument("--jobs", type=int, default=1, help="so many there must be")
    parser.add_argument("--period", type=int, required=True, help="microseconds")
    parser.add_argument("--may-retell", action="store_true", help="missed slots may be told again, and runs by their end alone (after a crash)")
    parser.add_argument("--min-slots", type=int, default=1, help="of each")
    parser.add_argument("--min-missed", type=int, default=0, help="of each")
    options = parser.parse_args()
    accounts = {} if options.each else {options.job: Account(options.period, options.may_retell)}
    for record in read_records(sys.stdin, options.job):
        job = record["CHIMED_JOB"]
        if job not in accounts:
            accounts[job] = Account(options.period, options.may_retell)
        take(accounts[job], record)
    errors = [] if len(accounts) >= options.jobs else ["only %d jobs" % len(accounts)]
    for job, account in accounts.items():
        account.check()
        if len(account.seen) < options.min_slots or account.missed < options.min_missed:
            account.errors.append("only %d slots, %d missed" % (len(account.seen), account.missed))
        errors += ["%s: %s" % (job, error) if options.each else error for error in account.errors]
    totals = [sum(n) for n in zip(*((len(a.seen), a.runs, a.missed, a.ranges) for a in accounts.values()))] or [0, 0, 0, 0]
    print("note: %d slots = %d runs + %d missed in %d records" % tuple(totals))
    for error in errors[:20]:
        print("account:", error)
    return 1 if errors else 0


sys.exit(main())
