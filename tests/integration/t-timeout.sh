#!/bin/bash
# SPDX-License-Identifier: MIT
# Timeout=: the signal, the grace, then KILL for the whole tree, also for what left the session (PR6).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job deaf <<'EOF'
Every=1h
Log=all
Timeout=500ms
KillGrace=300ms
Script=
 trap '' TERM
 setsid sh -c 'trap "" TERM; while :; do sleep 0.2; done' &
 (setsid sleep 61 &)
 while :; do sleep 0.2; done
EOF
write_job polite <<EOF
Every=1h
Log=all
Timeout=300ms
KillGrace=60s
Script=
 trap 'echo term >>$T/out/polite; exit 3' TERM
 while :; do sleep 0.05; done
EOF
write_job interrupted <<EOF
Every=1h
Log=all
Timeout=300ms
KillSignal=INT
KillGrace=60s
Script=
 trap 'echo int >>$T/out/interrupted; exit 0' INT
 while :; do sleep 0.05; done
EOF
write_job stopped <<'EOF'
Every=1h
Log=all
Timeout=300ms
KillGrace=60s
Script=kill -STOP $$
EOF
start_daemon
for job in deaf polite interrupted stopped; do
        wait_event timed-out "$job"
        assert_event timed-out "$job" CHIMED_RESULT=timeout
done
assert_event timed-out deaf EXIT_CODE=killed EXIT_STATUS=KILL
us=$(event_field CHIMED_DURATION_USEC timed-out deaf)
((us >= 800000 && us < 3000000)) || die "the deaf job took $us us, not the limit and the grace"
assert_event timed-out polite EXIT_CODE=exited EXIT_STATUS=3
assert_equal "signals of the polite job" term "$(cat "$T/out/polite")"
assert_equal "signals with KillSignal=INT" int "$(cat "$T/out/interrupted")"
assert_event timed-out stopped EXIT_CODE=killed EXIT_STATUS=TERM
assert_equal "what is left alive" "" "$(processes_left)"
stop_daemon
