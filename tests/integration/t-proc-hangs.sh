#!/bin/bash
# SPDX-License-Identifier: MIT
# Where reading /proc hangs, a run's time-out and the daemon's end still come: the main process is killed without it. The program is not
# executed anew.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
command -v strace >/dev/null || skip "needs strace"

write_job stubborn <<'EOF'
Every=1h
Log=all
Timeout=2s
KillGrace=500ms
Script=
 trap : TERM
 while :; do sleep 0.1; done
EOF
write_job leaver <<EOF
Log=all
KillGrace=300ms
Script=
 (trap '' TERM; touch $T/out/left; exec sleep 61) &
 until [ -e $T/out/go ]; do sleep 0.05; done
EOF
# the leak checker can't work under strace
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
start_daemon
expect_ctl 0 trigger leaver
until_true 10 file_exists "$T/out/left"
strace -f -qq -o "$T/strace" -p "$daemon" -P /proc -e trace=getdents64 -e inject=getdents64:delay_enter=60000000 &
tracer=$!
await_tracer || skip "may not trace"
touch "$T/out/go"
until_true 15 has_events 1 timed-out stubborn
assert_event timed-out stubborn CHIMED_RESULT=timeout
grep -q getdents64 "$T/strace" || die "nothing hung"
# a run whose main process has left another ends, too
wait_event ended leaver 15
# an exec would lose what is asked of it: refused before the scheduler is told to leave
before=$(scheduler_pid)
mark_log
kill -USR2 "$daemon"
wait_event degraded "" 30
assert_contains "the record" "the processes of runs that are being ended can't be looked at" "$(event_field MESSAGE degraded)"
assert_equal "the scheduler" "$before" "$(scheduler_pid)"
# the runner leaves; its thread does only once strace lets go of it
has_left() { grep -q '^State:[[:space:]]*Z' "/proc/$daemon/status"; }
kill -TERM "$daemon"
until_true 5 has_left
kill -KILL "$tracer"
wait "$tracer" || true
status=0
wait "$daemon" || status=$?
daemon=
assert_equal "exit status of chimed" 0 "$status"
