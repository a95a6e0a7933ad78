#!/bin/bash
# SPDX-License-Identifier: MIT
# Overlap=: slots that come while a run is in flight wait in a line, take its place, or run beside it; with the real programs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
running() { ctl show "$1" --json | jq '.runningRunIds | length'; }
is_running() { [ "$(running "$1")" = "$2" ]; }

# so many at the same time, none more; and a cancel returns when all are gone
write_job side <<'EOF'
Every=200ms
Mode=fixed-rate
Overlap=parallel
MaxParallel=3
KillGrace=1s
Command=/bin/sleep 0.93
EOF
# the latest slot runs
write_job fresh <<EOF
Every=500ms
Mode=fixed-rate
Overlap=replace
Script=echo \$CHIMED_SLOT_USEC >>$T/out/fresh; exec sleep 1000
EOF
# in their order
write_job line <<EOF
Overlap=queue
QueueMax=3
Every=100ms
Mode=fixed-rate
Script=[ -e $T/out/line ] || sleep 0.6; echo \$CHIMED_SLOT_USEC >>$T/out/line
EOF
start_daemon
until_true 10 is_running side 3
has_overlap() { has_events 1 missed side; }
until_true 10 has_overlap
until_true 10 is_running side 3
expect_ctl 4 trigger nobody
expect_ctl 0 cancel side
assert_equal "runs after the cancel" 0 "$(running side)"
assert_equal "processes after the cancel" "" "$(pgrep -f -x '/bin/sleep 0.93' -P "$(runner_pid)" || true)"
expect_ctl 1 trigger --if-running=parallel fresh
grep -q 'Overlap= is not parallel' "$T/err" || die "the refusal: $(cat "$T/err")"

has_runs() { (($(wc -l <"$T/out/$1") >= $2)); }
until_true 10 has_runs fresh 4
assert_equal "slots that replaced" 500000 "$(sed -n '2,3p' "$T/out/fresh" | paste -sd- | bc | tr -d -)"
until_true 10 has_runs line 8
stop_daemon # nothing is written any more
assert_equal "the line's order" "$(cat "$T/out/line")" "$(sort -n "$T/out/line")"
