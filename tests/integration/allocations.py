#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""allocations.py: programs whose allocator refuses: each allocation once, and all from each on, as far as the time for it allows.

The programs are those of the folder "refusing" of the build, which take what to refuse from a file beside them; refusing.h has its layout.
"""
import ctypes
import json
import mmap
import os
import socket
import subprocess
import sys
import time

RUNNER, READER, SCHEDULER, CHIMED, CHIMECTL, SIMULATOR, OTHER = range(7)
PATIENCE = 20  # seconds, of what must come


class Refusing(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("at", "is_lasting", "n_asked", "n_refused", "n_live", "r0", "r1", "r2")]


class Refusals:
    """The file beside the programs."""

    def __init__(self, folder):
        with open(folder + "/refusing", "w+b") as f:
            f.truncate(ctypes.sizeof(Refusing) * (OTHER + 1))
            self.map = mmap.mmap(f.fileno(), 0)
        os.chmod(folder + "/refusing", 0o666)
        self.kinds = (Refusing * (OTHER + 1)).from_buffer(self.map)

    def refuse(self, kind, at, is_lasting):
        k = self.kinds[kind]
        k.n_asked = k.n_refused = 0
        k.is_lasting = int(is_lasting)
        k.at = at

    def grant(self, kind):
        """How many there were to refuse, and how many were."""
        k = self.kinds[kind]
        k.at = 0
        return k.n_asked, k.n_refused


def fail(text):
    print("FAILED: " + text)
    sys.exit(1)


def points(n, most):
    """Of 1 to n: all of the first ones, and so many in all."""
    dense = min(n, most // 2)
    rest = n - dense
    step = max(1, -(-rest // max(1, most - dense)))
    return list(range(1, dense + 1)) + list(range(dense + 1, n + 1, step))


# ---- programs that come to an end ----


def run_once(argv):
    """Its status, and what it says."""
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
    return p.returncode, p.stdout, p.stderr


def sweep_program(refusals, kind, name, argv, most):
    """A program does without, or fails with a word; what it says when all is well is the same."""
    refusals.refuse(kind, 0, False)
    wanted = run_once(argv)
    n, _ = refusals.grant(kind)
    if wanted[0] != 0 or n == 0:
        fail("%s: status %d, %d allocations: %s" % (name, wanted[0], n, wanted[2].decode(errors="replace")))
    n_refused = n_good = 0
    for at in points(n, most):
        for is_lasting in (False, True):
            refusals.refuse(kind, at, is_lasting)
            status, out, err = run_once(argv)
            n_refused += refusals.grant(kind)[1] > 0
            n_good += status == 0
            where = "%s: allocation %d%s of %d" % (name, at, " and all behind it" if is_lasting else "", n)
            if status not in (0, 1):
                fail("%s: status %d: %s" % (where, status, err.decode(errors="replace")))
            if status == 0 and out != wanted[1]:
                fail("%s: says something else, and that all is well: %s" % (where, out.decode(errors="replace")))
            if status == 1 and not err:
                fail("%s: fails without a word" % where)
    print("note: %s: %d allocations, refused in %d processes, %d did without" % (name, n, n_refused, n_good))


def sweep_programs(refusals, folder, files):
    most = int(os.environ.get("CHIMED_REFUSALS", "60"))
    check = [folder + "/chimed", "--check"] + files
    simulate = [folder + "/chimectl", "simulate", "--from=2026-01-01 01:00", "--to=2026-01-01 02:00", "--no-pager"] + files + ["backup"]
    sweep_program(refusals, CHIMECTL, "chimectl check", [folder + "/chimectl", "check"] + files, most)
    sweep_program(refusals, CHIMED, "chimed --check", check, most)
    sweep_program(refusals, READER, "chimed-runner --read --check", check, most)
    sweep_program(refusals, CHIMECTL, "chimectl simulate", simulate, most)
    sweep_program(refusals, SIMULATOR, "chimed-simulate", simulate, most)


# ---- the daemon ----

# METHOD, PARAMETERS, whether it is asked with "more"
CALLS = [
    ("GetStatus", {}, False),
    ("ListJobs", {}, True),
    ("ShowJob", {"job": "once"}, False),
    ("Next", {"n": 3}, False),
    ("Simulate", {"limit": 10}, False),
    ("ListGroups", {}, False),
    ("Why", {"job": "tick"}, False),
    ("ListRuns", {"job": "tick"}, False),
    ("ListMissed", {"job": "tick"}, False),
    ("Audit", {"job": "once"}, False),
    ("Trigger", {"job": "once"}, False),
    ("Trigger", {"job": "once", "output": True}, True),
    ("Subscribe", {}, True),
    ("Pause", {"job": "other"}, False),
    ("Resume", {"job": "other"}, False),
    ("SetInterval", {"job": "other", "everyUsec": 3600000000}, False),
    ("Cancel", {"job": "other"}, False),
    ("Start", {"job": "other"}, False),
    ("Reload", {}, False),
]
LASTING = 0.2  # seconds without an answer, after which there is memory again
DEATHS = 3  # of the scheduler, one after the other; before the next start the runner waits


class Daemon:
    def __init__(self, refusals, folder, files, log):
        self.refusals, self.folder, self.log = refusals, folder, log
        self.path = folder + "/run/io.chimed"
        self.command = [folder + "/bin/chimed", "--run=" + folder + "/run", "--state=" + folder + "/state", "--log=json"] + files
        self.process = None
        self.n_deaths = self.n_deaths_ever = 0

    def start(self):
        self.n_deaths = 0
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.insist("the start", "GetStatus", {})

    def stop(self, where):
        self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            fail("%s: the daemon does not stop" % where)
        if status != 0:
            fail("%s: the daemon's exit status is %d" % (where, status))

    def ask(self, method, parameters, more, seconds):
        """The first reply; None where the connection was closed, False where nothing has come in that time."""
        call = {"method": "io.chimed." + method, "parameters": parameters, **({"more": True} if more else {})}
        data = b""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(seconds)
            try:
                s.connect(self.path)
                s.sendall(json.dumps(call).encode() + b"\0")
                while b"\0" not in data:
                    got = s.recv(65536)
                    if not got:
                        return None
                    data += got
            except socket.timeout:
                return False
            except (ConnectionError, FileNotFoundError):
                return None
        return json.loads(data.split(b"\0")[0])

    def insist(self, where, method, parameters, more=False):
        """Until it is answered well: the scheduler may be a new one. Its reply."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            reply = self.ask(method, parameters, more, PATIENCE)
            if reply and "error" not in reply:
                return reply["parameters"]
            if self.process.poll() is not None:
                fail("%s: the runner has ended with status %d" % (where, self.process.returncode))
            time.sleep(0.01)
        fail("%s: afterwards %s is not answered: %s" % (where, method, reply))

    def scheduler(self, where):
        return self.insist(where, "GetStatus", {})["pid"]


def refuse_in_call(daemon, kind, call, at, is_lasting, n, pid):
    """Returns the scheduler's pid afterwards."""
    method, parameters, more = call
    where = "%s, allocation %d%s of %d of %s" % (method, at, " and all behind it" if is_lasting else "", n, ("the runner", "a reader", "the scheduler")[kind])
    daemon.refusals.refuse(kind, at, is_lasting)
    reply = daemon.ask(method, parameters, more, LASTING if is_lasting else PATIENCE)
    daemon.refusals.grant(kind)
    if reply is False and not is_lasting:
        fail("%s: no answer, and the connection stays" % where)
    now = daemon.scheduler(where)
    if now == pid:
        return pid
    daemon.n_deaths_ever += 1
    daemon.n_deaths += 1
    if daemon.n_deaths < DEATHS:
        return now
    daemon.stop(where)
    daemon.start()
    return daemon.scheduler(where)


def sweep_call(daemon, kind, call, most):
    method, parameters, more = call
    daemon.refusals.refuse(kind, 0, False)
    daemon.insist(method, method, parameters, more)
    n, _ = daemon.refusals.grant(kind)
    pid = daemon.scheduler(method)
    for i, at in enumerate(points(n, most)):
        pid = refuse_in_call(daemon, kind, call, at, i % 2 == 1, n, pid)
    daemon.insist(method, method, parameters, more)
    return len(points(n, most))


def sweep_daemon(refusals, folder, files):
    most = int(os.environ.get("CHIMED_REFUSALS", "60")) // 6
    with open(folder + "/log", "a", encoding="utf-8") as log:
        daemon = Daemon(refusals, folder, files, log)
        daemon.start()
        n = sum(sweep_call(daemon, SCHEDULER, call, most) for call in CALLS)
        n += sum(sweep_call(daemon, RUNNER, call, most) for call in CALLS if call[0] in ("ShowJob", "Trigger", "Reload"))
        n += sweep_call(daemon, READER, CALLS[-1], most)
        daemon.stop("the end")
    print("note: refused in %d calls; the scheduler was replaced %d times" % (n, daemon.n_deaths_ever))


def main():
    verb, folder = sys.argv[1:3]
    refusals = Refusals(folder + "/bin")
    if verb == "programs":
        sweep_programs(refusals, folder + "/bin", sys.argv[3:])
    else:
        sweep_daemon(refusals, folder, sys.argv[3:])


main()
