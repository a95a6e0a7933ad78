#!/bin/bash
# SPDX-License-Identifier: MIT
# A job of another user gets at nothing of the daemon: not the ledger, the run folder, the descriptors, memory, environment and maps of its
# processes, and it can neither trace nor signal them (PV3). The scheduler has a user of its own here.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
for program in python3 unshare; do
        command -v "$program" >/dev/null || skip "needs $program"
done
unshare -m true 2>/dev/null || skip "may not make a mount namespace"

# Tries all of it, and prints what could be done.
cat >"$T/tries.py" <<'EOF'
import ctypes
import os
import sys

run, state = sys.argv[1:3]
with open(sys.argv[3], encoding="ascii") as f:
    pids = {name: int(pid) for name, pid in (line.split() for line in f)}
libc = ctypes.CDLL(None, use_errno=True)


def call(*arguments):
    if libc.syscall(*[ctypes.c_long(a) for a in arguments]) < 0:
        raise OSError(ctypes.get_errno(), "")


def read(path):
    with open(path, "rb") as f:
        f.read(1)


def read_memory(pid):
    with open("/proc/%d/maps" % pid, encoding="ascii") as maps:
        start = int(maps.readline().split("-")[0], 16)
    with open("/proc/%d/mem" % pid, "rb", buffering=0) as f:
        f.seek(start)
        f.read(1)


def trace(pid):  # ends with this process
    if libc.ptrace(0x4206, ctypes.c_long(pid), None, None) < 0:  # PTRACE_SEIZE
        raise OSError(ctypes.get_errno(), "")


def steal(pid):  # pidfd_open, pidfd_getfd
    fd = libc.syscall(ctypes.c_long(434), ctypes.c_long(pid), ctypes.c_long(0))
    call(438, fd, 3, 0)


tries = {
    "list the state folder": lambda: os.listdir(state),
    "read the ledger": lambda: read(state + "/ledger.db"),
    "write the ledger": lambda: os.close(os.open(state + "/ledger.db", os.O_WRONLY)),
    "make a file beside the ledger": lambda: os.mkdir(state + "/new"),
    "make a file in the run folder": lambda: os.mkdir(run + "/new"),
    "rename the socket": lambda: os.rename(run + "/io.chimed", run + "/other"),
    "read the lock": lambda: read(run + "/lock"),
    "write the stamp of the boot": lambda: os.close(os.open(run + "/boot", os.O_WRONLY)),
}
for name, pid in pids.items():
    for file in "environ", "maps", "auxv", "io":
        tries["read %s of the %s" % (file, name)] = lambda p="/proc/%d/%s" % (pid, file): read(p)
    tries["read memory of the " + name] = lambda p=pid: read_memory(p)
    tries["list descriptors of the " + name] = lambda p=pid: os.listdir("/proc/%d/fd" % p)
    tries["open a descriptor of the " + name] = lambda p=pid: os.open("/proc/%d/fd/3" % p, os.O_RDONLY)
    tries["see the folder of the " + name] = lambda p=pid: os.listdir("/proc/%d/cwd" % p)
    tries["change the score of the " + name] = lambda p=pid: os.close(os.open("/proc/%d/oom_score_adj" % p, os.O_WRONLY))
    tries["steal a descriptor of the " + name] = lambda p=pid: steal(p)
    tries["signal the " + name] = lambda p=pid: os.kill(p, 0)
    tries["change the limits of the " + name] = lambda p=pid: __import__("resource").prlimit(p, 7, (64, 64))
    tries["change the priority of the " + name] = lambda p=pid: os.setpriority(os.PRIO_PROCESS, p, 19)
    tries["trace the " + name] = lambda p=pid: trace(p)
for what, do in tries.items() if os.getuid() else [("read the ledger", tries["read the ledger"])]:
    try:
        do()
        print(what)
    except PermissionError:
        pass
    except OSError as e:
        print("%s: neither done nor refused: %s" % (what, e))
print("tried")
EOF
cp /etc/passwd "$T/passwd"
echo "chimed:x:61010:61010::/nonexistent:/bin/false" >>"$T/passwd"
for user in nobody 61003; do
        write_job "$user" <<EOF
User=$user
Group=nogroup
Every=1h
InitialDelay=1h
StandardOutput=append:$T/out/$user
Command=/usr/bin/env python3 $T/tries.py $T/run $T/state $T/pids
EOF
done
write_job plain <<EOF
Every=1h
InitialDelay=1h
StandardOutput=append:$T/out/plain
Command=/usr/bin/env python3 $T/tries.py $T/run $T/state $T/pids
EOF

# the daemon alone sees that there is a user chimed; all of it execs, so the pid stays
# shellcheck disable=SC2016 # the inner shell expands it
unshare -m sh -c 'mount --bind "$0" /etc/passwd && exec "$@"' "$T/passwd" "$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" \
        "--jobs=$T/jobs" "--run=$T/run" "--state=$T/state" --log=json </dev/null >>"$daemon_stderr" 2>&1 &
daemon=$!
wait_event ready
assert_equal "the scheduler's user" 61010 "$(stat -c %u "/proc/$(scheduler_pid)")"
printf 'runner %s\nscheduler %s\n' "$daemon" "$(scheduler_pid)" >"$T/pids"
for user in nobody 61003; do
        expect_ctl 0 trigger --wait "$user"
        assert_equal "what $user could do" tried "$(cat "$T/out/$user")"
done
expect_ctl 0 trigger --wait plain # root may, so the tries are tries
assert_contains "what root could do" "read the ledger" "$(cat "$T/out/plain")"
stop_daemon
