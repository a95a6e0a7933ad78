#!/bin/bash
# SPDX-License-Identifier: MIT
# A scheduler that is stopped before it has trusted the clock has looked at no slot: what passed before is caught up by the next one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job even <<EOJ
Every=2s
Mode=fixed-rate
Align=epoch
CatchUp=one
Log=all
Command=/bin/true
EOJ
cp "$T/chimed.conf" "$T/conf"

start_daemon "--state=$T/state"
wait_event ended even 10
stop_daemon
until=$((${EPOCHREALTIME%.*} + 5))
is_later() { ((${EPOCHREALTIME%.*} >= until)); }
until_true 10 is_later

printf "[chimed]\nTimeSyncWait=7d\n" >>"$T/chimed.conf"
start_daemon "--state=$T/state"
stop_daemon

cp "$T/conf" "$T/chimed.conf"
mark_log
start_daemon "--state=$T/state"
wait_event caught-up even 5
assert_event caught-up even
