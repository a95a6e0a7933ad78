#!/bin/bash
# SPDX-License-Identifier: MIT
# Where reading /proc hangs, a run's time-out and the daemon's end still come: the main process is killed without it.
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
# the leak checker can't work under strace
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
start_daemon
strace -f -qq -o "$T/strace" -p "$daemon" -P /proc -e trace=getdents64 -e inject=getdents64:delay_enter=60000000 &
tracer=$!
is_traced() { grep -qE '^TracerPid:[[:space:]]*[1-9]' "/proc/$daemon/status"; }
is_traced_or_not_to_be() { is_traced || ! kill -0 "$tracer" 2>/dev/null; }
until_true 5 is_traced_or_not_to_be
is_traced || skip "may not trace"
until_true 15 has_events 1 timed-out stubborn
assert_event timed-out stubborn CHIMED_RESULT=timeout
grep -q getdents64 "$T/strace" || die "nothing hung"
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
