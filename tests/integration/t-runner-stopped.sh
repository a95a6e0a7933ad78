#!/bin/bash
# SPDX-License-Identifier: MIT
# The runner is stopped, which is told once, and then more is to be started than the link takes: the scheduler lives, answers, and does
# nothing in vain; when the runner goes on, all comes to its end, slots of that time are accounted for, and the ledger agrees (PR17, SO15).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

n=14000 # orders for more than the sockets hold and may wait, 1 MiB; the runner takes 10000 at a time, the others a second time
write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/true
EOF
# nobody executes these: their conditions do not hold
{
        echo '[group herd]'
        for ((i = 0; i < n; i++)); do
                printf '[job herd-%d]\nMemberOf=herd\nConditionLoadBelow=0.001\nConditionPathExists=/nonexistent\nCommand=/bin/true\n' "$i"
        done
} >"$T/jobs/herd.ini"

worked() { awk '{ print $14 + $15 }' "/proc/$scheduler/task/$scheduler/stat"; } # the loop, in hundredths of a second
is_told() { events degraded | grep -q "takes no orders"; }
are_over() {
        expect_ctl 0 list --json=short
        [ "$(jq '[.[] | select(.name != "tick" and .state == "manual")] | length' <<<"$said")" = "$n" ]
}

start_daemon
wait_event ended tick 30 10
scheduler=$(scheduler_pid)
kill -STOP "$(runner_pid)"
until_true 5 grep -q '^State:[[:space:]]*T' "/proc/$(runner_pid)/status"
until_true 30 is_told # few orders wait: the sockets hold them
expect_ctl 0 trigger @herd
for question in list next "why tick" "history tick" "trigger tick"; do
        # shellcheck disable=SC2086
        expect_ctl 0 $question
done
before=$(worked)
sleep 1 # the fault itself: how long it lasts
after=$(worked)
((after - before < 50)) || die "the loop worked $((after - before)) hundredths of a second, in which nothing could be done"
kill -CONT "$(runner_pid)"
mark_log
wait_event ended tick 30 10
until_true 60 are_over
assert_equal "the scheduler" "$scheduler" "$(scheduler_pid)"
log_from=1
assert_equal "how often it is told" 1 "$(events degraded | grep -c "takes no orders")"
expect_ctl 0 audit --json=short tick 'herd-1??'
assert_equal "faults" "101 jobs, 0 faults" "$(jq -r '"\(length) jobs, \([.[].faults[]] | length) faults"' <<<"$said")"
stop_daemon 20
assert_complete tick 100000 --min-slots=60 --min-missed=40
