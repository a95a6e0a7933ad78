#!/bin/bash
# SPDX-License-Identifier: MIT
# Jobs that follow others: the child runs once for each end that it listens to, hears of its parent in its environment, and neither a scheduler that
# is killed nor a reload makes it run twice or not at all.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
answers() { ctl list >/dev/null 2>&1; }
heard() { sed -n "s/^$2=//p" "$T/out/$1"; } # JOB VARIABLE
# the runs of a job that are over
has_run() { [ "$(ctl --json=short show "$1" | jq .runs)" -ge "$2" ]; } # JOB N
runs_of() { ctl --json=short show "$1" | jq .runs; }

write_job parent <<END
OnSuccess=good
OnEnd=any
Log=all
Script=
 echo first; printf 'a\0b\n'
 [ ! -e $T/out/fail ] || exit 3
 while [ -e $T/out/wait ]; do sleep 0.02; done
END
write_job good <<END
Log=all
Script=echo x >>$T/out/good.runs; env >$T/out/good.new; mv $T/out/good.new $T/out/good
END
write_job any <<END
Overlap=queue
QueueMax=10
Log=all
Script=env | grep -a ^CHIMED_ >$T/out/any; echo "\$CHIMED_PARENT_EVENT \$CHIMED_PARENT_RESULT" >>$T/out/any.runs
END
write_job sorry <<END
OnFailureOf=parent
Log=all
Script=env >$T/out/sorry
END
write_job again <<END
OnRecovery=nobody
Script=true
END
start_daemon "--state=$T/state"
until_true 10 answers
assert_contains "an unknown name" "there is no job nobody" "$(event_field MESSAGE config-error)"

ctl -q trigger --wait parent
until_true 10 has_run good 1
assert_equal "job" parent "$(heard good CHIMED_PARENT_JOB)"
assert_equal "event" success "$(heard good CHIMED_PARENT_EVENT)"
assert_equal "result" success "$(heard good CHIMED_PARENT_RESULT)"
assert_equal "exit status" 0 "$(heard good CHIMED_PARENT_EXIT_STATUS)"
assert_equal "output" first "$(heard good CHIMED_PARENT_OUTPUT)"
assert_contains "the rest of the output" "a?b" "$(cat "$T/out/good")"
assert_equal "cause" chain "$(heard good CHIMED_CAUSE)"
assert_equal "parent in the ledger" \
        "$(ctl --json=short show parent | jq .lastRun.runId)" "$(ctl --json=short show good | jq .lastRun.parentRunId)"
assert_contains "why" "came of run" "$(ctl why good)"

touch "$T/out/fail"
ctl -q trigger --wait parent || true
until_true 10 has_run sorry 1
until_true 10 has_run any 2
assert_equal "event of a failure" failure "$(heard sorry CHIMED_PARENT_EVENT)"
assert_equal "exit status of a failure" 3 "$(heard sorry CHIMED_PARENT_EXIT_STATUS)"
assert_equal "runs of good" 1 "$(runs_of good)"
assert_contains "why not" "no run comes of that" "$(ctl why good)"
rm "$T/out/fail"

ctl -q pause good
ctl -q trigger --wait parent
until_true 10 has_run any 3
ctl -q resume good
assert_equal "runs of good after a pause" 1 "$(wc -l <"$T/out/good.runs")"
assert_contains "why it was withheld" paused "$(ctl history good)"

# The end is told while there is no scheduler.
touch "$T/out/wait"
ctl -q trigger parent
until_true 10 has_events 4 started parent
kill -STOP "$(scheduler_pid)"
rm "$T/out/wait"
kill -KILL "$(scheduler_pid)"
until_true 10 answers
until_true 10 has_run good 2
until_true 10 has_run any 4
# And killed as soon as the child runs.
for _ in 1 2 3; do
        n=$(wc -l <"$T/out/good.runs")
        ctl -q trigger parent
        until_true 10 has_lines "$T/out/good.runs" $((n + 1))
        kill -KILL "$(scheduler_pid)"
        until_true 10 answers
done
ctl -q trigger --wait parent
until_true 10 has_run good 6
until_true 10 has_run any 8
assert_equal "runs of good" 6 "$(wc -l <"$T/out/good.runs")"
assert_equal "runs of any" 8 "$(wc -l <"$T/out/any.runs")"
assert_equal "faults" "[]" "$(ctl --json=short audit | jq -c '[.. | .faults? // empty] | add')"
stop_daemon
