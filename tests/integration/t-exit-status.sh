#!/bin/bash
# SPDX-License-Identifier: MIT
# SuccessExitStatus=, SkipExitStatus=, FinishExitStatus=: what a program says by its exit status or the signal that ends it, in the
# journal, on the screens, in the ledger and to whoever waits for it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# on_demand NAME KEY=VALUE SCRIPT
on_demand() {
        write_job "$1" <<END
Log=all
$2
Script=$3
END
}
# ended_as JOB STATUS RESULT WORDS: waiting for it ends with STATUS, and its record says so
ended_as() {
        expect_ctl "$2" -q trigger --wait "$1"
        local kind=ended
        [ "$3" != failed ] || kind=failed
        assert_event "$kind" "$1" "CHIMED_RESULT=$3"
        assert_contains "the record of $1" "$4" "$(event_field MESSAGE "$kind" "$1")"
        assert_equal "result of $1 in the ledger" "$3" "$("$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" --json=short \
                show "$1" | jq -r .lastRun.result)"
}

on_demand three SuccessExitStatus=3 'exit 3'
on_demand four SuccessExitStatus=3 'exit 4'
# shellcheck disable=SC2016
on_demand signalled SuccessExitStatus=SIGUSR1 'kill -USR1 $$'
on_demand nothing SkipExitStatus=TEMPFAIL 'exit 75'
on_demand zero SkipExitStatus=0 'exit 0'
on_demand once FinishExitStatus=0 'exit 0'
on_demand limit "SuccessExitStatus=TERM
Timeout=200ms" 'sleep 30'
write_job quiet <<END
Every=20ms
Log=changes
SkipExitStatus=7
Script=test -e $T/out/work || exit 7
END
write_job until-done <<END
Every=50ms
Log=all
FinishExitStatus=9
Script=echo step >>$T/out/steps; [ "\$(wc -l <$T/out/steps)" -lt 3 ] || exit 9
END
start_daemon "--state=$T/state"
ended_as three 0 success "succeeded (exit status 3) after"
assert_event ended three EXIT_CODE=exited EXIT_STATUS=3
ended_as four 4 failed "failed with exit status 4 after"
ended_as signalled 0 success "succeeded (SIGUSR1) after"
assert_event ended signalled EXIT_CODE=killed EXIT_STATUS=USR1
ended_as nothing 0 skipped "had nothing to do (exit status 75) after"
ended_as zero 0 skipped "had nothing to do after"
expect_ctl 0 history nothing
assert_contains "history" skipped "$said"
expect_ctl 0 show nothing
assert_contains "show" skipped "$said"
expect_ctl 124 -q trigger --wait limit # our own signal is the time limit's
assert_event timed-out limit CHIMED_RESULT=timeout

# done for good, by the schedule and on demand; and what runs finds out what became of the run before it
wait_event job-stopped until-done
assert_equal "steps" 3 "$(wc -l <"$T/out/steps")"
assert_event ended until-done CHIMED_RESULT=finished EXIT_STATUS=9
expect_ctl 0 --json=short show until-done
assert_equal "state" finished "$(jq -r .state <<<"$said")"
ended_as once 0 finished "finished after"

# Log=changes: nothing to do, and something done, are both good
wait_event ended quiet
touch "$T/out/work"
wait_success() { [ "$("$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" --json=short show quiet | jq -r .lastRun.result)" = success ]; }
until_true 10 wait_success
assert_equal "ends that were told of quiet" 1 "$(count_events ended quiet)"
stop_daemon
