# SPDX-License-Identifier: MIT
"""scene: chimed with its jobs in a machine, what became known of them outside, and what must be so of it. For the vm-* tests.

Each job says which slot it runs; each record of chimed is stamped with the clocks when it is said.
"""
import argparse
import calendar
import json
import os
import signal
import sys
import time

from machine import SECOND, Failed, Machine, Skip, wait_until

CTL = "chimectl --socket=/run/chimed/io.chimed "
REPLAN_US = int(os.environ.get("CHIMED_VM_REPLAN_MS", "50")) * 1000
RESUME_US = int(os.environ.get("CHIMED_VM_RESUME_MS", "200")) * 1000


class Run:
    """A run as its job told it."""

    def __init__(self, words):
        self.job, self.slot, self.run, self.cause, self.bt = words[0], int(words[1]), words[2], words[3], int(words[4])

    def __repr__(self):
        return "%s %s %s" % (self.job, time.strftime("%d %H:%M:%S", time.gmtime(self.slot / SECOND)), self.cause)


class Record:
    """A record of chimed."""

    def __init__(self, words):
        self.rt, self.bt = int(words[0]), int(words[1])
        self.fields = json.loads(words[2])

    def __getitem__(self, name):
        return self.fields.get("CHIMED_" + name)

    def __repr__(self):
        return "%d %s" % (self.bt, self.fields.get("MESSAGE"))


class Scene:
    def __init__(self, machine, jobs, defaults="", settings="", options=""):
        self.machine, self.jobs, self.options = machine, jobs, options
        self.settings = "[chimed]\n%s[defaults]\nStandardOutput=null\n%s" % (settings, defaults)
        self.mark = 0
        self.lines = []  # the time lines that are over: where in what was told they ended

    def start(self):
        """Writes the files anew and starts chimed; returns when it is ready."""
        self.mark_here()
        script = "mkdir -p /disk/jobs; cat >/disk/chimed.conf <<'X'\n%sX\n" % self.settings
        for name, text in self.jobs.items():
            command = "" if "Script=" in text else "Command=/bin/vm_guest ran\n"
            script += "cat >/disk/jobs/%s.ini <<'X'\n[job %s]\n%s%sX\n" % (name, name, command, text)
        script += "chimed --log=json --config=/disk/chimed.conf --jobs=/disk/jobs --run=/run/chimed --state=/disk/state %s 2>&1 | vm_guest stamp &" % self.options
        self.machine.run(script)
        self.wait_record("ready", seconds=30)

    # ---- what was told ----

    def mark_here(self):
        """What is asked for is looked for from here on."""
        self.mark = len(self.machine.told())

    def told(self, kind, of, since):
        found = []
        for line in self.machine.told()[self.mark if since is None else since :]:
            words = line.split(" ", 3) if kind == "rec" else line.split(" ")
            if words[0] == kind:
                try:
                    found.append(of(words[1:]))
                except (ValueError, IndexError):
                    if kind == "ran":
                        raise Failed("not understood: " + line) from None
        return found

    def runs(self, job=None, since=None):
        return [run for run in self.told("ran", Run, since) if job in (None, run.job)]

    def records(self, kind, job=None, since=None):
        return [r for r in self.told("rec", Record, since) if r["EVENT"] == kind and job in (None, r["JOB"])]

    def woke(self):
        return [(int(words[0]), int(words[1]), int(words[2])) for words in self.told("woke", list, None)]

    def wait_record(self, kind, job=None, seconds=10, n=1):
        return wait_until("%s %s" % (kind, job or ""), lambda: self.records(kind, job)[n - 1 :], seconds)[0]

    def wait_run(self, job, slot_us=None, seconds=20):
        """The run of a slot, or any."""
        wanted = "a run of %s %s" % (job, slot_us or "")
        return wait_until(wanted, lambda: [r for r in self.runs(job) if slot_us in (None, r.slot)], seconds)[0]

    def wait_quiet(self):
        """Until the next clock step is told at once: at most one is a minute."""
        last = ([r.bt for r in self.records("clock-step", since=0)] or [0])[-1]
        wait_until("a minute without a record", lambda: self.machine.now()[1] > last + 61 * SECOND, 90)

    # ---- what chimectl says ----

    def ctl(self, words):
        text = self.machine.run(CTL + "--json=short " + words)
        return json.loads(text) if text.strip() else None

    def show(self, job):
        return self.ctl("show " + job)

    def missed(self, job):
        """The ranges that the ledger has of slots that did not run, oldest first."""
        return sorted(self.ctl("history --missed -n 10000 " + job)["missed"], key=lambda gap: gap["firstSlotUsec"])

    def wait_missed(self, job, reason, n, from_us, seconds=15):
        """Until the ledger has so many slots (a range of numbers) from an instant on as missed for this reason."""

        def count():
            return sum(gap["count"] for gap in self.missed(job) if gap["reason"] == reason and gap["firstSlotUsec"] >= from_us)

        wait_until("%s slots of %s missed: %s" % (n, job, reason), lambda: count() in n, seconds)

    # ---- what must be so ----

    def new_time_line(self):
        """From what is told next on, slots of before may come anew."""
        self.lines.append(len(self.machine.told()))

    def assert_accounted(self):
        """No slot of a time line ran twice, and the ledger has each once."""
        borders = [0] + self.lines + [None]
        told = self.machine.told()
        for first, last in zip(borders, borders[1:]):
            seen = {}
            for run in (Run(line.split(" ")[1:]) for line in told[first:last] if line.startswith("ran ")):
                if (run.job, run.slot) in seen:
                    raise Failed("ran twice: %r as %s and %s" % (run, seen[run.job, run.slot], run.run))
                seen[run.job, run.slot] = run.run
        self.assert_audited()

    def assert_audited(self):
        """The ledger has each slot once."""
        self.machine.run(CTL + "--no-pager audit")

    def assert_undisturbed(self, job, every_us, since):
        """The runs of an interval came in the same distances."""
        runs = self.runs(job, since)
        passed = runs[-1].bt - runs[0].bt
        n = round(passed / every_us) + 1
        if n != len(runs):
            raise Failed("%s ran %d times in %.3f s" % (job, len(runs), passed / SECOND))

    def assert_soon(self, what, us, limit_us):
        if us > limit_us:
            raise Failed("%s took %.1f ms" % (what, us / 1000))
        return "%s %.1f ms" % (what, us / 1000)


def expect(what, wanted, found):
    if wanted != found:
        raise Failed("%s: wanted %s, found %s" % (what, wanted, found))


def at(text):
    """YYYY-MM-DD HH:MM:SS in UTC in microseconds since 1970."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")) * SECOND


def main(what, play):
    """Plays scenes in a machine: play(machine, note). The exit status is that of the test stages: 77 where there is none."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=os.path.abspath)
    options = parser.parse_args()
    machine, notes, began = None, [], time.monotonic()

    def note(text):
        notes.append(text)
        print("%5.1f s %s" % (time.monotonic() - began, text), flush=True)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        machine = Machine(options.build)
        play(machine, note)
    except Skip as reason:
        print(reason)
        return 77
    except Failed as failure:
        print("FAILED: %s" % failure)
        print("-- the last that was told:")
        print("\n".join(machine.told()[-25:]))
        return 1
    finally:
        if machine:
            machine.remove()
    print("note: %d scenes in %d s: %s" % (len(notes), time.monotonic() - began, "; ".join(notes)))
    return 0
