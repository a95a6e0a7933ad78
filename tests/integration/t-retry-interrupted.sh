#!/bin/bash
# SPDX-License-Identifier: MIT
# RetryInterrupted=: a slot whose run was lost with its runner gets one more attempt as soon as chimed is back, and the scheduler that
# asks for it is not refused: others go on beside it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job again <<EOF
Every=1h
Mode=fixed-rate
RetryInterrupted=yes
Script=echo "\$CHIMED_SLOT_USEC \$CHIMED_ATTEMPT" >>$T/out/again; [ "\$CHIMED_ATTEMPT" = 2 ] || sleep 1000
EOF
write_job tick <<EOF
Every=100ms
Mode=fixed-rate
Command=$CHIMED_BUILD/tests/slot_job $T/out/tick
EOF
start_daemon "--state=$T/state"
until_true 10 has_lines "$T/out/again" 1
until_true 10 has_lines "$T/out/tick" 20

scheduler=$(scheduler_pid)
kill -KILL "$daemon" "$scheduler"
wait "$daemon" 2>/dev/null || true
daemon=
until_true 10 is_gone "$scheduler"
mark_log
lines=$(wc -l <"$T/out/tick")
start_daemon "--state=$T/state"
until_true 10 has_lines "$T/out/again" 2
assert_equal "attempts" "1 2" "$(cut -d ' ' -f 2 "$T/out/again" | paste -sd ' ')"
assert_equal "slots of both attempts" 1 "$(cut -d ' ' -f 1 "$T/out/again" | uniq | wc -l)"
until_true 10 has_lines "$T/out/tick" $((lines + 5))
wait_event ended again
assert_equal "records of trouble" "" "$(troubles)"
stop_daemon
