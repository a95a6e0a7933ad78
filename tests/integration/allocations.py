#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""allocations.py: programs whose allocator refuses: each allocation once, and all from each on, as far as the time for it allows.

The programs are those of the folder "refusing" of the build, which take what to refuse from a file beside them; refusing.h has its layout.
"""
import ctypes
import mmap
import os
import subprocess
import sys

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


def main():
    folder, verb = sys.argv[1:3]
    refusals = Refusals(folder)
    if verb == "programs":
        sweep_programs(refusals, folder, sys.argv[3:])


main()
