#!/bin/bash
# SPDX-License-Identifier: MIT
# No process can be made: once, and for a while. A start is tried again by itself, a slot that was too late is missed for resources, a run in flight
# goes on, and the next slot runs (PR11).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
command -v strace >/dev/null || skip "needs strace"

write_job tick <<EOF
Every=300ms
Mode=fixed-rate
Log=all
StandardOutput=append:$T/out/tick
Script=echo "\$CHIMED_SLOT_USEC"
EOF
write_job long <<EOF
Every=1h
Log=all
Script=
 until [ -e $T/out/go ]; do sleep 0.05; done
EOF
write_job asked <<EOF
Every=1h
InitialDelay=1h
Command=/bin/true
EOF

refuse() { # ERROR [WHEN]
        strace -f -qq -o "$T/strace" -p "$daemon" -e trace=clone,clone3,vfork,fork -e "inject=clone,clone3,vfork,fork:error=$1${2:+:when=$2}" \
                2>"$T/strace.err" &
        tracer=$!
        await_tracer || skip "may not trace"
}
stop_refusing() {
        kill -TERM "$tracer"
        wait "$tracer" || true
        until_true 5 is_not_traced
        grep -q INJECTED "$T/strace" || die "no process was asked for"
}
has_missed_for_resources() { events missed tick | grep -qE '"CHIMED_REASON": *"resources"'; }
has_refused() { grep -q INJECTED "$T/strace"; }

# the leak checker can't work under strace
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
start_daemon "--state=$T/state"
wait_event started long
wait_event ended tick

for error in EAGAIN ENOMEM; do
        # once: of each thread, as strace counts
        mark_log
        refuse "$error" 1
        until_true 20 has_refused
        wait_event ended tick 30 3
        stop_refusing
        # until slots are missed for it
        mark_log
        refuse "$error"
        until_true 60 has_missed_for_resources
        stop_refusing
        mark_log
        wait_event ended tick 30 2
done
expect_ctl 0 trigger --wait asked
assert_equal "ends of the run in flight" 0 "$(count_events ended long)"
touch "$T/out/go"
log_from=1
wait_event ended long
assert_equal "slots that ran twice" "" "$(sort "$T/out/tick" | uniq -d)"
stop_daemon
start_daemon "--state=$T/state"
expect_ctl 0 audit tick
stop_daemon
