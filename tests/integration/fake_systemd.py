#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fake_systemd: a systemd whose units end as their names say, and the systemctl of it. For tests of what waits for units.

  fake_systemd.py FOLDER      until it is killed

A call is a line "NUMBER WORD..." in the pipe FOLDER/requests, by who reads FOLDER/reply.NUMBER then: the exit status in a line, and what is
to be printed. FOLDER/calls gets a line for each.

Units: "exit-N", "signal-N", "result-WORD" end so at once; "slow" when it is stopped, "stubborn" when it is killed, "busy" runs already until the
file FOLDER/free is there; of "lost" the start comes back as failed, and it ends well
after a second; of "firm" each stop is refused, it ends when it is killed; "guarded" runs already, and each start of it is refused; "refused", "condition", "assertion" and "limit" are not started, "masked", "missing" and "bad-setting" are not to be; "staying" is never
over. Of "stuck" nothing is ever answered but its state, of "dead" nothing at all. Each start has an invocation of its own.
"""
import os
import sys
import threading

lock = threading.Condition()
units = {}


class Unit:
    def __init__(self, name):
        self.name = name
        self.load = name if name in ("masked", "bad-setting") else "not-found" if name == "missing" else "loaded"
        self.active, self.result = "inactive", "success"
        self.code = self.status = self.n = 0
        self.condition = self.assertion = "yes"
        if name in ("busy", "guarded"):
            self.active, self.n = "active", 7

    def show(self):
        pairs = {"LoadState": self.load, "ActiveState": self.active, "Result": self.result, "ExecMainCode": self.code,
                 "ExecMainStatus": self.status, "InvocationID": "%032x" % self.n if self.n else "",
                 "RemainAfterExit": "yes" if self.name == "staying" else "no", "ConditionResult": self.condition,
                 "ConditionTimestampMonotonic": 5, "AssertResult": self.assertion, "AssertTimestampMonotonic": 5}
        return "".join("%s=%s\n" % pair for pair in pairs.items())

    def end(self, result, code=0, status=0):
        self.active = "inactive" if result in ("success", "exec-condition") else "failed"
        self.result, self.code, self.status = result, code, status
        lock.notify_all()

    def start(self):
        kind, _, value = self.name.partition("-")
        if self.active == "active":
            return int(kind == "guarded")
        if kind == "condition":
            self.condition = "no"
            return 0
        if kind in ("assertion", "refused", "limit"):
            self.assertion = "no" if kind == "assertion" else "yes"
            self.result = "start-limit-hit" if kind == "limit" else self.result
            return 1
        self.n += 1
        self.active = "active"
        if kind == "exit":
            self.end("success" if value == "0" else "exit-code", 1, int(value))
        elif kind == "signal":
            self.end("signal", 2, int(value))
        elif kind == "result":
            self.end(value, 2, 9)
        return int(self.active == "failed")

    def end_late(self):
        with lock:
            self.end("success", 1, 0)

    def call(self, verb):
        """The exit status."""
        status = 0
        if verb == "start":
            status = self.start()
            if self.name == "lost":
                threading.Timer(1, self.end_late).start()
                return 1
            while status == 0 and self.active == "active":
                lock.wait(0.05)
                if self.name == "busy" and os.path.exists(folder + "/free"):
                    self.end("success", 1, 0)
            status = int(status or self.active == "failed")
        elif verb == "stop":
            if self.name == "firm":
                return 1
            if self.name == "slow" and self.active == "active":
                self.end("success", 2, 15)
            while self.active == "active":
                lock.wait()
        elif verb == "kill" and self.active == "active":
            self.end("signal", 2, 9)
        return status


def serve(number, words):
    verb, name = [word for word in words if not word.startswith("-")]
    name = name.removesuffix(".service")
    with lock:
        print(" ".join(words), file=calls, flush=True)  # not before the others, nor they before it
        if name == "dead" or (name == "stuck" and verb != "show"):
            return
        unit = units.setdefault(name, Unit(name))
        status = unit.call(verb)
        text = unit.show() if verb == "show" else "Job for %s.service failed.\n" % name if status else ""
    try:
        with open("%s/reply.%s" % (folder, number), "w") as reply:
            reply.write("%d\n%s" % (status, text))
    except OSError:
        pass  # who has asked was killed


def main():
    path = folder + "/requests"
    os.mkfifo(path)
    with os.fdopen(os.open(path, os.O_RDWR)) as requests:
        for line in requests:
            number, *words = line.split()
            threading.Thread(target=serve, args=(number, words), daemon=True).start()


folder = sys.argv[1]
calls = open(folder + "/calls", "a")
main()
