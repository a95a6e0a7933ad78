#!/bin/bash
# SPDX-License-Identifier: MIT
# A scheduler that is stopped before it has trusted the clock has looked at no slot: what passed before is caught up by the next one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job even <<EOJ
Every=5s
Mode=fixed-rate
Align=epoch
CatchUp=one
Log=all
Command=/bin/true
EOJ
cp "$T/chimed.conf" "$T/conf"

start_daemon "--state=$T/state"
wait_event ended even 30
stop_daemon
# a slot and some have passed, and the next one is far: what it would start is not told as caught up
until=$((${EPOCHREALTIME%.*} + 6))
is_between_slots() {
        local now=${EPOCHREALTIME%.*} us=${EPOCHREALTIME#*.}
        ((now >= until && 10#$us >= 200000 && now % 5 == 0))
}
until_true 30 is_between_slots

printf "[chimed]\nTimeSyncWait=7d\n" >>"$T/chimed.conf"
start_daemon "--state=$T/state"
stop_daemon

cp "$T/conf" "$T/chimed.conf"
mark_log
start_daemon "--state=$T/state"
wait_event caught-up even 30
assert_event caught-up even
