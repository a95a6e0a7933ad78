#!/bin/bash
# SPDX-License-Identifier: MIT
# The runner is stopped for three seconds: the scheduler lives, slots of that time are accounted for, and all goes on (PR17, SO15).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/true
EOF
start_daemon
wait_event ended tick 10 3
scheduler=$(scheduler_pid)
kill -STOP "$(runner_pid)"
until_true 5 grep -q '^State:[[:space:]]*T' "/proc/$(runner_pid)/status"
ticks_before=$(awk '{ print $14 + $15 }' "/proc/$scheduler/stat")
sleep 3 # the fault itself: how long it lasts
kill -0 "$scheduler" || die "the scheduler did not survive"
ticks=$(($(awk '{ print $14 + $15 }' "/proc/$scheduler/stat") - ticks_before))
((ticks < 100)) || die "the scheduler was busy for $ticks hundredths of a second while the runner was stopped"
kill -CONT "$(runner_pid)"
mark_log
wait_event ended tick 10 5
assert_equal "the scheduler" "$scheduler" "$(scheduler_pid)"
log_from=1
stop_daemon
assert_complete tick 100000 --min-slots=35 --min-missed=20
