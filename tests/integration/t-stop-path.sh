#!/bin/bash
# SPDX-License-Identifier: MIT
# StopWhenPathExists=: what is there when a run is to start ends it before anything is executed or opened, as its user sees it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
answers() { ctl list >/dev/null 2>&1; }
has_finished() { [ "$(event_field CHIMED_RESULT ended "$1")" = finished ]; } # JOB
is_root() { [ "$(id -u)" = 0 ]; }

write_job steps <<END
Every=100ms
Mode=fixed-rate
Log=all
StopWhenPathExists=$T/out/stop
StandardOutput=append:$T/out/steps
Command=echo step
END
write_job asked <<END
StopWhenPathExists=$T/out/stop
Script=echo executed >>$T/out/asked
END
mkdir -m 700 "$T/closed"
if is_root; then
        write_job closed <<END
User=nobody
Log=all
StopWhenPathExists=$T/closed/stop
Command=/bin/true
END
fi
start_daemon "--state=$T/state"
until_true 10 answers
ctl -q trigger --wait asked
assert_equal "runs of asked" 1 "$(wc -l <"$T/out/asked")"
assert_contains "what show says" "$T/out/stop" "$(ctl show asked)"
until_true 10 has_lines "$T/out/steps" 3

ln -s "$T/closed" "$T/out/stop" # a link to something
mark_log
until_true 10 has_finished steps
n=$(wc -l <"$T/out/steps")
assert_contains "the record" "was not executed: what StopWhenPathExists= names is there" "$(event_field MESSAGE ended steps)"
assert_equal "starts beside steps that were executed" "" "$(event_field CHIMED_DURATION_USEC ended steps)"
mark_log
status=0
ctl -q trigger --wait asked || status=$?
assert_equal "exit status of trigger" 0 "$status"
assert_equal "runs of asked" 1 "$(wc -l <"$T/out/asked")"
assert_equal "steps since" "$n" "$(wc -l <"$T/out/steps")"
assert_contains "history" finished "$(ctl history asked)"
assert_equal "faults" "[]" "$(ctl --json=short audit steps | jq -c '[.. | .faults? // empty] | add')"
assert_equal "the result in the ledger" finished "$(ctl --json=short show asked | jq -r .lastGood.result)"

if is_root; then # what can't be looked at may be there
        ctl -q trigger --wait closed && die "a run has started although its path can't be looked at"
        assert_event failed closed CHIMED_RESULT=start-failed CHIMED_STEP=stop-path ERRNO=13
fi

assert_equal "states" "finished finished" "$(ctl --json=short list asked steps | jq -r '[.[].state] | join(" ")')"
rm "$T/out/stop"
ctl -q trigger --wait asked && die "a finished job was triggered"
ctl -q start asked
ctl -q trigger --wait asked
assert_equal "runs of asked" 2 "$(wc -l <"$T/out/asked")"
log_from=1
stop_daemon
