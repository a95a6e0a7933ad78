#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cron_oracle.py: draws crontab fields and instants, and compares chimed's next times with those of croniter, in UTC.

  cron_oracle.py WHEN_NEXT [--cases=N] [--seed=N]

Only what both read and mean alike is drawn; test_cron.c has the rest. Left out, with croniter's meaning (1.3):

*/N in a day field     counts as restricted, where cron's rule of the star has it unrestricted; so beside a restricted field only
all values of a field  ("0-6") count as a star
L, # and others        "L5" is the last Friday; L, W and # are not mixed with values, W is not known, # is no part of an OR
an impossible half     of an OR of day fields makes croniter find nothing: each half is asked for alone then
February 29            as an instant to begin at leads croniter past the first days of March
"""
import argparse
import datetime
import random
import subprocess
import sys

from croniter import croniter
from croniter.croniter import CroniterBadDateError

RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))  # second to weekday
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
DAY, MONTH, WEEKDAY = 3, 4, 5
BATCH, WANTED = 100, 5


class Draw:
    def __init__(self, seed):
        self.r = random.Random(seed)

    def chance(self, percent):
        return self.r.random() * 100 < percent

    def value(self, field, number):
        if field == MONTH and self.chance(20):
            return MONTHS[number - 1]
        if field == WEEKDAY and self.chance(20):
            return WEEKDAYS[number]
        return str(number)

    def item(self, field, stars):
        """A text and its values."""
        low, high = RANGES[field]
        first = self.r.randint(low, high)
        last = self.r.randint(first, high)
        step = self.r.randint(2, max(2, (high - low) // 2))
        kind = self.r.randint(0, 9)
        if kind < 5 or first == last:
            return self.value(field, first), {first}
        if kind < 7:
            return self.value(field, first) + "-" + self.value(field, last), set(range(first, last + 1))
        if kind < 8 or not stars:
            return "%d-%d/%d" % (first, last, step), set(range(first, last + 1, step))
        return "*/%d" % step, set(range(low, high + 1, step))

    def field(self, field, stars=True):
        if self.chance(35):
            return "*"
        while True:
            items = [self.item(field, stars) for _ in range(self.r.choice((1, 1, 1, 2, 3)))]
            if len(set().union(*(values for _, values in items))) <= RANGES[field][1] - RANGES[field][0]:
                return ",".join(text for text, _ in items)

    def fields(self):
        """Our text and croniter's."""
        fields = [self.field(f) for f in range(6)]
        fields[DAY], fields[WEEKDAY] = self.field(DAY, False), self.field(WEEKDAY, False)
        theirs = None
        if self.chance(8):
            fields[DAY], fields[WEEKDAY] = self.r.choice(("L", "*", "*/3")), "*"
        elif self.chance(8):
            weekday, n = self.r.randint(0, 7), self.r.randint(1, 5)
            fields[DAY] = "*"
            fields[WEEKDAY], theirs = self.r.choice((("%dL" % weekday, "L%d" % (weekday % 7)), ("%d#%d" % (weekday, n), "%d#%d" % (weekday % 7, n))))
        if self.chance(2):
            text = self.r.choice(("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"))
            return text, text
        five = fields[1:5] + [theirs or fields[WEEKDAY]]
        if self.chance(70):
            return " ".join(fields[1:]), " ".join(five)
        return " ".join(fields), " ".join(five + [fields[0]])  # croniter has the seconds last


def ask_croniter(text, days_and, base):
    """The next instants, as many as it finds."""
    found, instants = croniter(text, base, day_or=not days_and, max_years_between_matches=50), []
    try:
        while len(instants) < WANTED:
            instants.append(int(found.get_next(float)))
    except CroniterBadDateError:
        pass
    return instants


def ask_halves(text, base):
    """The same of an OR of the two day fields, each asked for alone."""
    instants, fields = set(), text.split()
    for field in (2, 4):
        instants.update(ask_croniter(" ".join(fields[:field] + ["*"] + fields[field + 1 :]), True, base))
    return sorted(instants)[:WANTED]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("when_next")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw, n, n_never, failures = Draw(options.seed), 0, 0, []
    while n < options.cases:
        cases = []
        for _ in range(BATCH):
            ours, theirs = draw.fields()
            cases.append((ours, theirs, draw.chance(25), draw.r.randint(1577836800, 2500000000)))
        questions = "".join("cron%s UTC %d %d %s\n" % ("-and" if days_and else "", base * 1000000, WANTED, ours) for ours, _, days_and, base in cases)
        answers = subprocess.run([options.when_next], input=questions, capture_output=True, text=True, check=True).stdout.splitlines()
        for (ours, theirs, days_and, base), answer in zip(cases, answers):
            n += 1
            text, _, rest = answer.partition(" | ")
            found = [int(us) // 1000000 for us in rest.partition(" |")[2].split()] if text != "error" else []
            wanted = ask_croniter(theirs, days_and, base)
            if not wanted and not days_and and "*" not in (theirs.split()[2], theirs.split()[4]):
                wanted = ask_halves(theirs, base)
            n_never += not wanted
            if found != wanted:
                when = datetime.datetime.fromtimestamp(base, datetime.timezone.utc)
                failures.append("%r (%s) after %s: %s instead of %s" % (ours, "and" if days_and else "or", when, rest, wanted))
    print("%d compared with croniter, %d of them never due" % (n, n_never))
    for line in failures[:20]:
        print("different: " + line)
    if failures:
        sys.exit("cron_oracle: seed %d: %d of %d differ" % (options.seed, len(failures), n))


main()
