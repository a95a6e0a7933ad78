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

stop_daemon
((stop_took < slack * 1000 + 100)) || die "the stop took $stop_took ms"
note "stopped with a run in flight in $stop_took ms"
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
stop_daemon
((stop_took < slack * 1000 + 100)) || die "the stop with a deaf job took $stop_took ms"
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

# a scheduler that cannot leave is killed, in five seconds or by a second signal, and no zombie of it is left to whoever comes after us
hang_scheduler() {
        mark_log
        start_daemon --state=
        scheduler=$(scheduler_pid)
        kill -STOP "$scheduler"
        kill -TERM "$daemon"
}
leaves_when_told_again() {
        kill -TERM "$daemon" 2>/dev/null
        is_zombie_or_gone "$daemon"
}
hang_scheduler
until_true 20 is_zombie_or_gone "$daemon"
is_gone "$scheduler" || die "the scheduler that hangs is still there"
wait "$daemon" || die "status $?"
hang_scheduler
began=$(milliseconds)
until_true 20 leaves_when_told_again
is_gone "$scheduler" || die "the scheduler that hangs is still there"
took=$(($(milliseconds) - began))
((took < 3000 * slack)) || die "a second signal took $took ms"
wait "$daemon" || die "status $?"
daemon=
