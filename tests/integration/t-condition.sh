#!/bin/bash
# SPDX-License-Identifier: MIT
# Conditions of a start, with the real programs: a slot is withheld, waits and is asked again, or starts by force; what hangs is cancelled.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
answers() { ctl list >/dev/null 2>&1; }
why() { ctl --json=short why "$1" | jq -r '.sentences[]'; }
says() { why "$1" | grep -qF -- "$2"; } # JOB TEXT
state() { ctl --json=short list "$1" | jq -r '.[].state'; }
status_of() { # COMMAND...: its exit status
        local status=0
        "$@" || status=$?
        echo "$status"
}

tag=9$(printf %05d "$RANDOM") # of what must not be left behind
write_job absent <<END2
Every=200ms
Mode=fixed-rate
Log=all
ConditionPathExists=$T/out/go
StandardOutput=append:$T/out/absent
Command=echo step
END2
write_job waiting <<END2
ConditionPathExists=$T/out/go-on
ConditionWait=1h
ExecCondition=/bin/sh -c 'echo asked >>$T/out/asked'
StandardOutput=truncate:$T/out/waiting
ExecCondition=/bin/echo question
Command=/bin/echo answer
END2
write_job once <<END2
Every=1d
Mode=fixed-rate
Log=all
ConditionPathExists=$T/out/go-on
ConditionWait=1h
Command=/bin/true
END2
write_job again <<END2
Every=1d
Mode=fixed-rate
Log=all
ConditionPathExists=$T/out/never
ConditionWait=1h
Command=/bin/true
END2
write_job asks <<END2
ExecCondition=/bin/sh -c 'exit 3'
Command=/bin/true
END2
write_job fails <<END2
ExecCondition=/bin/sh -c 'exit 255'
Command=/bin/true
END2
write_job hangs <<END2
ExecCondition=/bin/sleep $tag
KillGrace=1s
Command=/bin/true
END2
write_job slow <<END2
ExecCondition=/bin/sleep $tag
Timeout=200ms
Command=/bin/true
END2
write_job both <<END2
ExecCondition=/bin/sleep 0.7
ExecCondition=/bin/sleep 0.7
Timeout=1s
Command=/bin/true
END2
write_job idle <<END2
ConditionLoadBelow=1000000
Command=/bin/true
END2
write_job unit <<END2
ConditionUnitActive=no-such-thing.service
Command=/bin/true
END2
write_job attempts <<END2
ConditionPathExists=$T/out/try
Retries=3
RetryDelay=100ms
Script=rm $T/out/try; echo tried >>$T/out/tried; exit 1
END2
start_daemon "--state=$T/state"
until_true 10 answers

# withheld, with the condition, and no run
wait_event withheld absent
assert_event withheld absent CHIMED_REASON=condition "CHIMED_CONDITION=ConditionPathExists=$T/out/go (it is not there)"
until_true 10 says absent "this did not hold: ConditionPathExists=$T/out/go (it is not there)" # while it is not being asked
assert_equal "starts" "" "$(event_field CHIMED_RUN_ID started absent)"
assert_equal "runs in history" 0 "$(ctl --json=short show absent | jq -r '.counts.runs // 0')"
touch "$T/out/go"
until_true 10 has_lines "$T/out/absent" 2

# a slot waits, is told once, and is started by force
wait_event pending once
assert_event pending once
assert_equal "state" pending "$(state once)"
says once "waits for ConditionPathExists=$T/out/go-on (it is not there)" || die "$(why once)"
ctl -q trigger --wait --force once

# one that waits can be cancelled, and the schedule goes on
assert_event pending again
assert_contains "cancel" "again: 1 slot that waited will not run" "$(ctl cancel --run again)"
assert_event withheld again CHIMED_REASON=cancelled
assert_equal "state" waiting "$(state again)"
assert_equal "nothing is left" 3 "$(status_of ctl -q cancel --run again)"

# what is asked, and for how long, is shown
assert_contains "show slow" "Conditions ExecCondition=/bin/sleep $tag" "$(ctl show slow)"
assert_contains "show slow" "runs at most 200ms; no retries" "$(ctl show slow)"
assert_equal "timeout of another" null "$(ctl --json=short show asks | jq -r .timeoutUsec)"

# commands: 3 does not hold, 255 is a failure
assert_equal "what does not hold" 125 "$(status_of ctl -q trigger --wait asks)"
says asks 'ExecCondition=/bin/sh -c "exit 3" (exit 3)' || die "$(why asks)"
assert_equal "what fails" 125 "$(status_of ctl -q trigger --wait fails)"
assert_event failed fails CHIMED_RESULT=start-failed CHIMED_STEP=condition
assert_equal "by force" 0 "$(status_of ctl -q trigger --wait --force asks)"

# one that hangs is cancelled, or ended by its time limit; nothing is left
ctl -q trigger hangs
until_true 10 says hangs "its conditions are being asked"
ctl -q cancel --run hangs
assert_event ended hangs CHIMED_RESULT=cancelled
assert_equal "what takes too long" 124 "$(status_of ctl -q trigger --wait slow)"
assert_equal "what takes too long together" 124 "$(status_of ctl -q trigger --wait both)"
assert_equal "left behind" "" "$(pgrep -f "^/bin/sleep $tag\$" || true)"

# an attempt whose conditions do not hold is not made, and says so
touch "$T/out/try"
ctl -q trigger attempts
wait_event failed attempts
assert_event failed attempts CHIMED_REASON=condition "CHIMED_CONDITION=ConditionPathExists=$T/out/try (it is not there)"
assert_equal "attempts" 1 "$(wc -l <"$T/out/tried")"
until_true 10 says attempts "this did not hold: ConditionPathExists=$T/out/try"

assert_equal "by load" 0 "$(status_of ctl -q trigger --wait idle)"
assert_equal "by unit" 125 "$(status_of ctl -q trigger --wait unit)"
says unit "ConditionUnitActive=no-such-thing.service" || die "$(why unit)"

# a trigger waits for its conditions, over a restart of nothing: the path comes, all is asked anew, and the output is one
ctl -q trigger --wait waiting &
until_true 10 says waiting "waits for ConditionPathExists=$T/out/go-on"
[ ! -e "$T/out/asked" ] || die "a command was asked although a path is not there"
touch "$T/out/go-on"
wait $! || die "the trigger has failed"
assert_equal "questions" 1 "$(wc -l <"$T/out/asked")"
assert_equal "output" "question answer" "$(tr '\n' ' ' <"$T/out/waiting" | sed 's/ $//')"
assert_equal "faults" "[]" "$(ctl --json=short audit | jq -c '[.. | .faults? // empty] | add // []')"
assert_equal "complaints" 0 "$(count_events degraded)"
stop_daemon
