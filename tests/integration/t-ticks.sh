#!/bin/bash
# SPDX-License-Identifier: MIT
# A job that takes 250 ms every 100 ms: each slot is started once or in exactly one range of missed ones.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/sleep 0.25
EOF
start_daemon
wait_event ended tick 30 16
stop_daemon
assert_complete tick 100000 --min-slots=45 --min-missed=28
# three slots a run: the first has it, the two that come while it is in flight are missed
assert_event missed tick CHIMED_REASON=overlap
