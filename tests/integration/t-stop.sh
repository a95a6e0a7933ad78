#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGTERM: out within a second, results told, nothing left; StopWait= lets runs finish; a second instance says who is first.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
slack=1 # a sanitizer's exit takes its time
! nm "$CHIMED_BUILD/chimed" 2>/dev/null | grep -E '__(asan|tsan)_init' >/dev/null || slack=4

# Twice the same number of starts, 200 ms apart: four slots came and none was started.
no_more_ticks() {
        local n
        n=$(count_events started tick)
        sleep 0.2
        [ "$n" = "$(count_events started tick)" ]
}

write_job long <<'EOF'
Every=1h
Log=all
Script=
 (setsid sleep 62 &)
 sleep 61
EOF
start_daemon --state= # a job that has just run is new again
wait_event started long

status=0
said=$("$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/run" --log=json 2>&1) || status=$?
assert_equal "exit status of a second instance" 1 "$status"
assert_contains "what a second instance says" "$(runner_pid)" "$said"
assert_contains "what a second instance says" "$T/run" "$said"

began=$(milliseconds)
stop_daemon
took=$(($(milliseconds) - began))
((took < slack * 1000 + 100)) || die "the stop took $took ms"
note "stopped with a run in flight in $took ms"
wait_event ended long
assert_event ended long CHIMED_RESULT=cancelled
wait_event stopped
assert_equal "what is left alive" "" "$(processes_left)"

# a job deaf to TERM does not hold the stop for long
mark_log
write_job long <<'EOF'
Every=1h
Log=all
KillGrace=60s
Script=
 trap '' TERM
 while :; do sleep 0.1; done
EOF
start_daemon --state= # a job that has just run is new again
wait_event started long
began=$(milliseconds)
stop_daemon
took=$(($(milliseconds) - began))
((took < slack * 1000 + 100)) || die "the stop with a deaf job took $took ms"
assert_event ended long CHIMED_RESULT=cancelled
assert_equal "what is left alive" "" "$(processes_left)"

# told to wait, it waits, and starts nothing more
printf '[chimed]\nStopWait=30s\n' >>"$T/chimed.conf"
mark_log
write_job long <<EOF
Every=1h
Log=all
Script=while [ ! -e $T/out/go ]; do sleep 0.05; done
EOF
printf 'Every=50ms\nMode=fixed-rate\nLog=all\nCommand=/bin/true\n' | write_job tick
start_daemon --state= # a job that has just run is new again
wait_event started long
wait_event ended tick
kill -TERM "$(runner_pid)"
until_true 5 no_more_ticks
touch "$T/out/go"
until_true 5 is_zombie_or_gone "$daemon"
wait "$daemon" || die "status $?"
daemon=
assert_event ended long CHIMED_RESULT=success
assert_equal "what is left alive" "" "$(processes_left)"

# the folder is free again, also after a KILL of both
mark_log
rm "$T/jobs/long.ini"
start_daemon --state= # a job that has just run is new again
# shellcheck disable=SC2046
kill -KILL $(runner_pid) $(scheduler_pid)
wait "$daemon" || true
mark_log
start_daemon --state= # a job that has just run is new again
stop_daemon
