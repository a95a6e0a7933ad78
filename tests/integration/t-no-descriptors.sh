#!/bin/bash
# SPDX-License-Identifier: MIT
# The scheduler, then the runner, has no descriptor left while clients come and jobs are due (RS1): nobody spins, the jobs of the one go
# on, those of the other are accounted for, and both recover.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
socket=$T/run/io.chimed
descriptors() { find "/proc/$1/fd" -mindepth 1 | wc -l; }
# Processor time of all its threads in milliseconds.
cpu_ms() { cat "/proc/$1/task/"*/schedstat | awk '{ n += $1 } END { printf "%d\n", n / 1000000 }'; }
no_more() { # PID: descriptors than it has
        old_limit=$(prlimit --pid="$1" --nofile --output=SOFT --noheadings)
        prlimit --pid="$1" --nofile="$(descriptors "$1"):"
}

ctl_answers() { timeout 10 "$CHIMED_BUILD/chimectl" "--socket=$socket" list >/dev/null 2>&1; }
# A start that lacks descriptors is tried again until the next slot takes its place.
tells_trouble() { [ "$(count_events start-failed tick)" != 0 ] || [ "$(count_events missed tick)" != 0 ]; }

write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/true
EOF
start_daemon
wait_event ended tick
scheduler=$(scheduler_pid)

# thirty connections knock, and stay; none is answered
no_more "$scheduler"
python3 - "$socket" "$T/out" <<'EOF' &
import os
import socket
import sys
import time

peers = []
for i in range(30):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try:
        s.connect(sys.argv[1])
        s.send(b'{"method":"io.chimed.GetStatus"}\0')
    except OSError:  # the line of those that knock is full
        pass
    peers.append(s)
open(sys.argv[2] + "/knocked", "w").close()
end = time.monotonic() + 60
while not os.path.exists(sys.argv[2] + "/leave") and time.monotonic() < end:
    time.sleep(0.02)
EOF
clients=$!
until_true 20 file_exists "$T/out/knocked"
n=$(count_events ended tick) used=$(cpu_ms "$scheduler") began=$(milliseconds)
wait_event ended tick 30 $((n + 20))
used=$(($(cpu_ms "$scheduler") - used)) took=$(($(milliseconds) - began))
((used * 10 < took)) || die "the scheduler used $used ms of $took ms"
note "without descriptors the scheduler used $used ms of $took ms"
prlimit --pid="$scheduler" --nofile="$old_limit:"
touch "$T/out/leave"
wait "$clients"
until_true 20 ctl_answers
assert_equal "slots missed for it" 0 "$(events missed tick | jq -r .CHIMED_REASON | grep -c resources || true)"

# the runner can make no pipe: each slot has its outcome all the same
runner=$(runner_pid)
no_more "$runner"
mark_log
used=$(cpu_ms "$runner") began=$(milliseconds)
until_true 30 tells_trouble
used=$(($(cpu_ms "$runner") - used)) took=$(($(milliseconds) - began))
((used * 2 < took)) || die "the runner used $used ms of $took ms"
prlimit --pid="$runner" --nofile="$old_limit:"
mark_log
wait_event ended tick 30 3
log_from=1
stop_daemon
assert_complete tick 100000 --min-slots=20 --min-missed=1
