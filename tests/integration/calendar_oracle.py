#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""calendar_oracle.py: draws calendar events, zones and instants, and compares chimed's next times with those of systemd-analyze.

  calendar_oracle.py WHEN_NEXT [--cases=N] [--seed=N] [--analyze=COMMAND]

Prints how many of each kind of difference there were, and fails on any that is of none of the kinds:

never     what can never match is an error where it is read; systemd reads it and never elapses
second    times with * or / in hour or minute follow real time, so both passes of a fold; systemd jumps over the second
gap       fixed times that a gap removes run at its end (Gap=run-after); systemd leaves them out
gap day   near some gaps systemd loses more times of that day than those that are removed, and "~" may lead it to the day beside
fold      systemd goes by the wall clock alone, so inside a fold it may answer with the other pass, or go back: what lies in the two
          passes is left out of the comparison where it is not equal
overflow  a step without an end that leads out of the minute, hour, day or month leads systemd to lose the first times of the next
          hour, day, month or year: all that it finds is found, what it loses is right there
deadlock  systemd gives up ("Resource deadlock avoided") at some gaps at midnight
tilde     a list of days from the end of the month: systemd counts three off the highest day for each further value
range     a range of one second ("5..5") or whose step leads out of it ("0..59/60") is read by one of the two only
blanks    blanks at the end and several between two words are read; systemd reads some of them
"""
import argparse
import collections
import datetime
import os
import random
import re
import subprocess
import sys
import zoneinfo

ZONES = (
    "UTC Europe/Berlin America/New_York Australia/Lord_Howe Pacific/Apia Africa/Casablanca America/Sao_Paulo Asia/Gaza America/Nuuk "
    "Asia/Tehran Antarctica/Troll Europe/Dublin Pacific/Chatham America/Havana Asia/Kolkata America/St_Johns Africa/Cairo Asia/Beirut"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SHORT = "minutely hourly daily weekly monthly quarterly semiannually yearly annually biannually".split()
OPEN_STEP = re.compile(r"(?<!\.)\b\d+/\d")
EVERY_SECOND = re.compile(r":00/1( |$)")
BATCH, WANTED = 100, 5
UTC = datetime.timezone.utc


def changes_of(name, first=2020, last=2037):
    """Instants of a zone at which its offset changes."""
    zone, found = zoneinfo.ZoneInfo(name), []
    offset = lambda s: datetime.datetime.fromtimestamp(s, UTC).astimezone(zone).utcoffset()
    at = int(datetime.datetime(first, 1, 1, tzinfo=UTC).timestamp())
    end = int(datetime.datetime(last, 1, 1, tzinfo=UTC).timestamp())
    while at < end:
        low, high = at, at + 7 * 86400
        if offset(low) != offset(high):
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == offset(at) else (low, middle)
            found.append((high, (offset(high) - offset(low)).total_seconds()))
        at += 7 * 86400
    return found


class Draw:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.changes = {name: changes_of(name) for name in ZONES}

    def chance(self, percent):
        return self.r.random() * 100 < percent

    def value(self, low, high):
        return self.r.randint(low, high)

    def item(self, low, high, form="%d"):
        first = self.value(low, high)
        kind = self.value(0, 9)
        if kind < 6:
            return form % first
        if kind < 8:
            text = (form + ".." + form) % (first, self.value(first, high))
            return text + ("/%d" % self.value(1, max(1, (high - low) // 3)) if self.chance(40) else "")
        return (form + "/%d") % (first, self.value(1, max(1, high - first))) if first < high else form % first

    def field(self, low, high, star, form="%d"):
        if self.chance(star):
            return "*"
        return ",".join(self.item(low, high, form) for _ in range(self.value(1, 3) if self.chance(30) else 1))

    def seconds(self):
        if not self.chance(20):
            return self.field(0, 59, 10, self.r.choice(["%d", "%02d"]))
        text = "%d.%s" % (self.value(0, 59), "".join(self.r.choice("0123456789") for _ in range(self.value(1, 8))))
        if self.chance(50):
            text += "/%d.%d" % (self.value(0, 9), self.value(1, 9))
        return text

    def weekdays(self):
        def name(i):
            text = WEEKDAYS[i] if self.chance(30) else WEEKDAYS[i][:3]
            return self.r.choice([text, text, text.lower(), text.upper()])

        def part():
            first = self.value(0, 6)
            if not self.chance(40):
                return name(first)
            return name(first) + self.r.choice(["..", "..", "-"]) + name(self.value(first, 6))

        return ",".join(part() for _ in range(self.value(1, 3))) + ("," if self.chance(5) else "")

    def date(self):
        month = self.field(1, 12, 60, self.r.choice(["%d", "%02d"]))
        day = "~" + self.field(1, 28, 5) if self.chance(15) else "-" + self.field(1, 31, 40)
        if self.chance(30):
            return month + day
        year = "*"
        if self.chance(20):
            year = self.field(2020, 2045, 0) if self.chance(80) else self.field(20, 45, 0, "%02d")
        return year + "-" + month + day

    def event(self):
        if self.chance(3):
            return self.r.choice(SHORT)
        if self.chance(1):
            return "@%d" % self.value(0, 3000000000)
        words = []
        if self.chance(25):
            words.append(self.weekdays())
        if self.chance(50):
            words.append(self.date())
        if not words or self.chance(75):
            time = self.field(0, 23, 30, self.r.choice(["%d", "%02d"])) + ":" + self.field(0, 59, 15, self.r.choice(["%d", "%02d"]))
            words.append(time + (":" + self.seconds() if self.chance(30) else ""))
        return (" " if self.chance(97) else "  ").join(words)

    def broken(self, text):
        for _ in range(self.value(1, 2)):
            i = self.value(0, len(text) - 1)
            letter = self.r.choice("0123456789*-~:/., MonTue")
            text = self.r.choice([text[:i] + letter + text[i:], text[:i] + text[i + 1 :], text[:i] + letter + text[i + 1 :]]) or "x"
        return text

    def base(self, zone):
        if self.changes[zone] and self.chance(60):
            return self.r.choice(self.changes[zone])[0] + self.value(-2 * 86400, 86400)
        return self.value(1577836800, 2100000000)


def seconds_of(text):
    """"Thu 2026-01-01 10:00:00 UTC"; systemd 257 leaves lines in UTC out where they seem to be the same, then the offset is the name."""
    time, _, abbreviation = text.rpartition(" ")
    sign, hours = abbreviation[:1], abbreviation[1:3]
    east = (-1 if sign == "-" else 1) * int(hours) * 3600 if sign in "+-" else 0
    return int(datetime.datetime.strptime(time, "%a %Y-%m-%d %H:%M:%S").replace(tzinfo=UTC).timestamp()) - east


def ask_systemd(command, events, zone, base):
    """Of each event: (normalized, instants in seconds), or None if it is refused."""
    when = datetime.datetime.fromtimestamp(base, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    run = subprocess.run(
        command + ["calendar", "--iterations=%d" % WANTED, "--base-time=" + when, "--"] + events,
        capture_output=True, text=True, check=False, env={"TZ": zone, "LC_ALL": "C", "PATH": os.environ["PATH"]},
    )
    known = {}
    for block in run.stdout.split("\n\n"):
        original = normalized = None
        instants = []
        for line in block.split("\n"):
            key, _, rest = line.strip().partition(": ")
            if key == "Original form":
                original = rest
            elif key == "Normalized form":
                normalized = rest
            elif (key == "Next elapse" or key.startswith("Iter")) and rest != "never":
                instants.append(rest)
            elif key == "(in UTC)":
                instants[-1] = rest
        if normalized is not None:
            known[normalized if original is None else original] = (normalized, [seconds_of(i) for i in instants])
    for event in events:
        if "Failed to determine next elapse for '%s': Resource deadlock" % event in run.stderr:
            known[event] = (None, [])
    return [known.get(e) for e in events]


class Compare:
    def __init__(self, changes):
        self.changes, self.kinds, self.failures, self.n = changes, collections.Counter(), [], 0

    def in_fold(self, zone, at):
        """Whether an instant lies in one of the two passes of a fold, or at their end."""
        return any(size < 0 and when + size <= at <= when - size for when, size in self.changes[zone])

    def one(self, event, zone, base, theirs, ours):
        self.n += 1
        text, _, rest = ours.partition(" | ")
        if text == "error":
            self.refused(event, zone, base, theirs, rest)
            return
        kind, _, instants = rest.partition(" |")
        if theirs is None:
            self.accepted(event, zone, base, text)
            return
        if theirs[0] is None:
            self.kinds["deadlock"] += 1
            return
        if EVERY_SECOND.sub(r":*\1", text) != theirs[0]:
            self.fail(event, zone, base, "normalized %s instead of %s" % (text, theirs[0]))
            return
        notes = collections.Counter()
        kept = []
        for instant in instants.split():
            us, _, note = instant.partition("!")
            notes[note] += 1
            if note == "gap" or (note == "second" and kind == "free"):
                continue
            kept.append(int(us) // 1000000)
        expected = theirs[1]
        for note in ("gap", "second"):
            self.kinds[note] += notes[note] > 0
        if kept[: len(expected)] == expected and (len(expected) == WANTED or len(kept) == len(expected)):
            return
        outside = [[i for i in some if not self.in_fold(zone, i)] for some in (kept, expected)]
        n = min(len(some) for some in outside)
        if outside[0][:n] == outside[1][:n] and (any(self.in_fold(zone, i) for i in kept + expected + [base])):
            self.kinds["fold"] += 1
            return
        kind = self.kind_of_loss(event, zone, *outside)
        if kind:
            self.kinds[kind] += 1
            return
        self.fail(event, zone, base, "%s instead of %s" % (kept[:WANTED], expected))

    def kind_of_loss(self, event, zone, kept, expected):
        """Which kind it is if systemd finds a part of what there is, else None."""
        name = event.split()[-1] if event.split()[-1] in self.changes else zone
        more = [i for i in expected if i not in kept and i <= kept[-1]] if kept else expected
        if "~" in event and all(any(size > 0 and abs(i - when) < 86400 for when, size in self.changes[name]) for i in more):
            expected = [i for i in expected if i not in more]
        elif more:
            return None
        local = lambda at: datetime.datetime.fromtimestamp(at, UTC).astimezone(zoneinfo.ZoneInfo(name))
        lost = [local(i) for i in kept if i not in expected and (not expected or i < expected[-1])]
        beside_gap = [any(size > 0 and local(when).date() == at.date() for when, size in self.changes[name]) for at in lost]
        at_border = [at.minute == 0 or at.hour == 0 or at.day == 1 or at.month == 1 for at in lost]
        if all(gap or (border and OPEN_STEP.search(event)) for gap, border in zip(beside_gap, at_border)):
            return "overflow" if lost and not any(beside_gap) else "gap day"
        return None

    def refused(self, event, zone, base, theirs, why):
        if theirs is None:
            self.kinds["refused by both"] += 1
        elif not theirs[1] and "can never match" in why:
            self.kinds["never"] += 1
        elif "out of range" in why and "/" in event and ".." in event:
            self.kinds["range"] += 1
        else:
            self.fail(event, zone, base, "refused (%s), %s to systemd" % (why, theirs))

    def accepted(self, event, zone, base, text):
        if event != " ".join(event.split()):
            self.kinds["blanks"] += 1
        elif "~" in text and "," in text.partition("~")[2].partition(" ")[0]:
            self.kinds["tilde"] += 1
        elif any(a == b for a, b in re.findall(r"([\d.]+)\.\.([\d.]+)", event)):
            self.kinds["range"] += 1
        else:
            self.fail(event, zone, base, "read as %s, refused by systemd" % text)

    def fail(self, event, zone, base, what):
        self.failures.append("%r in %s after @%d: %s" % (event, zone, base, what))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("when_next")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--analyze", default="systemd-analyze", help="another version of it")
    options = parser.parse_args()
    draw = Draw(options.seed)
    compare = Compare(draw.changes)
    while compare.n < options.cases:
        zone = draw.r.choice(ZONES)
        base = draw.base(zone)
        events = list(dict.fromkeys(draw.broken(e) if draw.chance(8) else e for e in (draw.event() for _ in range(BATCH))))
        suffix = " " + zone if draw.chance(10) else ""
        events = [e + suffix for e in events]
        # fixed or not, a fold and a gap have at most some dozens of instants that are left out; the dear ones are cut
        questions = "".join("calendar %s %d %d %s\n" % (zone, base * 1000000, 200, e) for e in events)
        ours = subprocess.run([options.when_next], input=questions, capture_output=True, text=True, check=True).stdout.splitlines()
        for event, theirs, answer in zip(events, ask_systemd(options.analyze.split(), events, "UTC" if suffix else zone, base), ours):
            compare.one(event, zone, base, theirs, answer)
    print("%d compared; " % compare.n + ", ".join("%s: %d" % k for k in sorted(compare.kinds.items())))
    for line in compare.failures[:20]:
        print("different: " + line)
    if compare.failures:
        sys.exit("calendar_oracle: seed %d: %d of %d differ" % (options.seed, len(compare.failures), compare.n))


main()
