#!/bin/bash
# SPDX-License-Identifier: MIT
# What follows upon a failure: further attempts of the same slot, which outlive the scheduler; a job that is stopped; one that is
# overdue; a start for which the system has no process left (PR11, RS10).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# JOB: its attempts write what they are told, and fail until there are as many as in its file "good".
write_tries() { # JOB GOOD
        echo "$2" >"$T/$1.good"
        { cat && echo "Script=echo \"\$CHIMED_SLOT_USEC \$CHIMED_ATTEMPT \$CHIMED_CAUSE\" >>$T/out/$1; [ \"\$CHIMED_ATTEMPT\" -ge \$(cat $T/$1.good) ]"; } |
                write_job "$1"
}

# Another run of crowded has failed since.
is_tried_again() {
        expect_ctl 0 why crowded
        # shellcheck disable=SC2154
        [[ "$said" != *"Run $first_try could"* ]]
}

write_tries third 3 <<EOF
Every=1h
Mode=fixed-rate
Retries=5
RetryDelay=200ms
EOF
write_tries never 99 <<EOF
Every=1h
Mode=fixed-rate
Retries=1
RetryDelay=50ms
EOF
write_job steps <<EOF
Retries=2
RetryDelay=100ms
Script=echo "attempt \$CHIMED_ATTEMPT"; exit \$((10 + CHIMED_ATTEMPT))
EOF
write_job mends <<EOF
Retries=2
RetryDelay=50ms
Script=exit \$((CHIMED_ATTEMPT < 2))
EOF
write_job gives-up <<EOF
Retries=2
RetryDelay=1h
Script=exit 7
EOF
write_tries killed 2 <<EOF
Every=1h
Mode=fixed-rate
Retries=1
RetryDelay=4s
EOF
write_job stopped <<EOF
Every=200ms
Mode=fixed-rate
StopAfterFailures=3
Log=all
Command=/bin/false
EOF
write_job awaited <<EOF
Every=1h
Mode=fixed-rate
ExpectWithin=1s
Script=[ -e $T/awaited.good ]
EOF
user=
if [ "$(id -u)" = 0 ]; then # only other users have a limit
        user=User=nobody
        TEST_FOLDER=$T setpriv --reuid=nobody --regid=nogroup --clear-groups sleep 1000 &
        hog=$!
        chmod 755 "$T"
        chmod 777 "$T/out"
fi
write_job crowded <<EOF
$user
StopAfterFailures=1
Script=echo "\$CHIMED_ATTEMPT" >>$T/out/crowded
EOF
write_job starved <<EOF
$user
Every=2s
Mode=fixed-rate
Log=all
Command=/bin/true
EOF
start_daemon "--state=$T/state"

# attempts of one slot, until one is good
wait_event ended third
assert_equal "attempts" "1 schedule,2 retry,3 retry" "$(cut -d ' ' -f 2- "$T/out/third" | paste -sd ,)"
assert_equal "slots of all attempts" 1 "$(cut -d ' ' -f 1 "$T/out/third" | uniq | wc -l)"
assert_equal "failures that were not the last" 2 "$(count_events retry third)"
assert_equal "failures" 0 "$(count_events failed third)"
assert_contains "the first failure" "attempt 2 of 6 in" "$(event_field MESSAGE retry third 1)"

# and where none is
wait_event failed never
assert_contains "the last failure" "it was attempt 2 of 2" "$(event_field MESSAGE failed never)"
assert_event failed never CHIMED_ATTEMPT=2
expect_ctl 0 list --json=short never
assert_equal "failures in a row" 1 "$(jq '.[0].failuresInRow' <<<"$said")"

# a trigger that stays follows all attempts, and exits as the last one did
expect_ctl 13 trigger --follow steps
assert_equal "output of all attempts" "attempt 1,attempt 2,attempt 3" "$(paste -sd , <<<"$said")"
assert_contains "what is said between" "exit status 11 after" "$(cat "$T/err")"
assert_contains "what is said between" "attempt 2 comes in" "$(cat "$T/err")"
expect_ctl 0 trigger --wait mends
expect_ctl 124 trigger --wait --timeout=300ms gives-up
assert_contains "what is left" "gives-up: attempt 2 comes without you watching" "$(cat "$T/err")"
expect_ctl 0 cancel --run gives-up
assert_contains "what is dropped" "gives-up: attempt 2 of its last slot will not come" "$said"

# the scheduler dies while an attempt is to come
wait_event retry killed
expect_ctl 0 why killed
assert_contains "why" "attempt 2 of 2 comes at" "$said"
expect_ctl 0 list --no-legend killed
assert_contains "the list" "(attempt 2)" "$said"
kill -KILL "$(scheduler_pid)"
until_true 15 has_lines "$T/out/killed" 2
assert_equal "attempts over a death" "1,2" "$(cut -d ' ' -f 2 "$T/out/killed" | paste -sd ,)"
wait_event ended killed

# a job that fails is stopped, until somebody starts it
wait_event job-failed stopped
assert_equal "runs that failed" 3 "$(count_events failed stopped)"
assert_contains "the word on it" "chimectl start stopped" "$(event_field MESSAGE job-failed stopped)"
expect_ctl 0 list --json=short stopped
assert_equal "its state" failed "$(jq -r '.[0].state' <<<"$said")"
expect_ctl 3 trigger stopped
expect_ctl 0 why stopped
assert_contains "why" "it failed in 3 slots in a row" "$said"
expect_ctl 0 start stopped
wait_event job-failed stopped "" 2

# overdue, until a run is good
wait_event overdue awaited
expect_ctl 0 list awaited
assert_contains "the list" "overdue" "$said"
touch "$T/awaited.good"
expect_ctl 0 trigger awaited
wait_event overdue awaited "" 2
assert_event overdue awaited CHIMED_REASON=over
expect_ctl 0 list --json=short awaited
assert_equal "when it was overdue since" null "$(jq '.[0].overdueSinceUsec' <<<"$said")"

# no process is left for its user: the run is tried again, told once, and that is no failure
prlimit --pid "$(runner_pid)" --nproc=0:
expect_ctl 0 trigger crowded
wait_event retry crowded
assert_event retry crowded CHIMED_RESULT=start-failed ERRNO=11
assert_contains "the word on it" "it is tried again, first in" "$(event_field MESSAGE retry crowded)"
expect_ctl 0 why crowded
assert_contains "why" "could not be started for lack of processes" "$said"
first_try=$(event_field CHIMED_RUN_ID retry crowded | sed 's/.*-//')
until_true 10 is_tried_again
# a slot waits for it until the next one is due
wait_event missed starved
assert_event missed starved CHIMED_REASON=resources
assert_event retry starved CHIMED_RESULT=start-failed ERRNO=11
assert_contains "the word on it" "it is tried again" "$(event_field MESSAGE retry starved)"
assert_equal "failures" 0 "$(count_events failed starved)"
expect_ctl 0 why starved
assert_contains "why" "was missed: processes, memory or descriptors ran" "$said"
n=$(count_events ended starved)
prlimit --pid "$(runner_pid)" "--nproc=$(prlimit --nproc --output=HARD --noheadings | tr -d " "):"
until_true 10 has_lines "$T/out/crowded" 1
wait_event ended crowded
wait_event ended starved "" $((n + 1))
expect_ctl 0 audit --json=short
assert_equal "faults" "[]" "$(jq -c '[.. | .faults? // empty] | add // []' <<<"$said")"
assert_equal "its attempt" 1 "$(cat "$T/out/crowded")"
assert_equal "times it was told" 1 "$(count_events retry crowded)"
assert_equal "failures" 0 "$(count_events failed crowded)"
[ -z "$user" ] || kill "$hog"
stop_daemon
