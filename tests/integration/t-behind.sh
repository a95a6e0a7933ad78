#!/bin/bash
# SPDX-License-Identifier: MIT
# A plugin that can't keep up: what ran and what was missed are gathered, each slot is accounted for, and why does not claim of one slot what
# is known of all together only.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir "$T/plugins"
cp "$CHIMED_BUILD"/tests/plugins/slow.so "$T/plugins"
chmod -R go-w "$T/plugins"
printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins" >>"$T/chimed.conf"
write_job behind <<'END_OF_JOB'
Every=5ms
Mode=fixed-rate
Log=changes
Plugin=slow
END_OF_JOB

# Of an outcome: rows of many slots with others between them.
rows_of() { jq -c --arg outcome "$1" \
        '.missed[] | select(.outcome == $outcome and .count > 10 and (.lastSlotUsec - .firstSlotUsec) / 5000 >= .count)' <<<"$said"; }
has_both() {
        expect_ctl 0 history --json=short -n 1000 behind
        [ -n "$(rows_of ran)" ] && [ -n "$(rows_of missed)" ]
}

start_daemon
until_true 60 has_both
row=$(rows_of missed | head -n 1)
ask_why() { # USEC
        expect_ctl 0 why --at="@$(($1 / 1000000)).$(printf '%06d' $(($1 % 1000000)))" behind
}
ask_why "$(jq '(.firstSlotUsec + .lastSlotUsec) / 2 | floor' <<<"$row")"
assert_contains "why of a slot that may have run" "and which was not kept" "$said"
ask_why "$(jq .lastSlotUsec <<<"$row")"
assert_contains "why of the last of a row" "did not run at its time" "$said"
expect_ctl 0 audit behind
stop_daemon
