#!/bin/bash
# SPDX-License-Identifier: MIT
# A slot whose start nobody recorded before both processes died starts once more with RetryInterrupted=, and is not told as one that the
# ledger was too slow for.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job again <<EOF
Every=1h
Mode=fixed-rate
RetryInterrupted=yes
Script=echo \$CHIMED_ATTEMPT >>$T/out/again; exec sleep 100
EOF
write_job tick <<EOF
Every=200ms
Mode=fixed-rate
Script=echo >>$T/out/tick
EOF
start_daemon "--state=$T/state"
until_true 10 has_lines "$T/out/again" 1
scheduler=$(scheduler_pid)
# shellcheck disable=SC2046
kill -KILL "$daemon" $(descendants "$daemon")
wait "$daemon" 2>/dev/null || true
daemon=
until_true 10 is_gone "$scheduler"
mark_log
start_daemon "--state=$T/state"
until_true 10 has_lines "$T/out/again" 2
assert_equal "attempts of again" "1 2" "$(paste -sd ' ' "$T/out/again")"
until_true 10 has_lines "$T/out/tick" $(($(wc -l <"$T/out/tick") + 2))
assert_equal "records of trouble" "" "$(troubles)"
stop_daemon 15
