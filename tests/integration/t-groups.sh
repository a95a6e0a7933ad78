#!/bin/bash
# SPDX-License-Identifier: MIT
# Groups with a real daemon: defaults for the members, one hold for all of them that survives a kill of the scheduler and a restart,
# commands for @NAME, places, and a group with an error, which stays as it was.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
all_groups() { ctl list --groups --json=short | jq -r "$1"; }                          # FILTER
night() { ctl list --groups --json=short | jq -r ".[] | select(.name == \"night\").$1"; } # FIELD
job() { ctl list "$1" --json=short | jq -r ".[0].$2"; }                                 # JOB FIELD
answers() { ctl list >/dev/null 2>&1; }

cat >"$T/jobs/night.ini" <<EOF
[group night]
Description=all that works at night
MaxRunning=1
KillGrace=2s
[group disk]
EOF
for name in a b; do
        write_job $name <<EOF
Every=200ms
Mode=fixed-rate
Overlap=queue
Log=all
MemberOf=night
Script=echo run >>$T/out/$name
EOF
done
write_job c <<EOF
Every=1h
Mode=fixed-rate
InitialDelay=1h
MemberOf=disk
Command=/bin/true
EOF
write_job off <<EOF
Enabled=no
MemberOf=disk
Command=/bin/true
EOF
for name in good:0 bad:5 worse:9; do
        write_job "${name%:*}" <<EOF
MemberOf=odd
Script=sleep 0.2; exit ${name#*:}
EOF
done
echo '[group odd]' >"$T/jobs/odd.ini"
start_daemon "--state=$T/state"

# what is shown
wait_event ended a
wait_event ended b
assert_equal "groups" "disk:2 night:2 odd:3" "$(all_groups 'map("\(.name):\(.members)") | sort | join(" ")')"
assert_equal "places" 1 "$(night maxRunning)"
assert_equal "groups of a" '["night"]' "$(job a 'groups | tojson')"
expect_ctl 0 list --groups
assert_contains "the table of groups" "all that works at night" "$said"
expect_ctl 0 list @night --no-legend
assert_equal "members" 2 "$(wc -l <<<"$said")"
expect_ctl 0 show @disk
expect_ctl 4 show @disc
assert_contains "what to do" "chimectl list --groups" "$(cat "$T/err")"
expect_ctl 4 pause @disc
assert_contains "what to do" "chimectl list --groups" "$(cat "$T/err")"
expect_ctl 0 cat a "--config=$T/chimed.conf" "--jobs=$T/jobs"
assert_contains "the origin" "# group night ($T/jobs/night.ini:4)" "$said"

# one hold for all; that of a job is another
expect_ctl 0 pause @night --reason=moving
assert_contains "the way back" "chimectl resume @night" "$said"
assert_event held @night CHIMED_REASON=paused
assert_equal "state of a" paused "$(job a state)"
expect_ctl 0 why a
assert_contains "why" "Its group night was paused by" "$said"
assert_contains "the way back" "chimectl resume @night" "$said"
expect_ctl 0 pause a
expect_ctl 0 resume a
assert_contains "resume says what still holds" "chimectl resume @night" "$said"
assert_equal "state of a" paused "$(job a state)"

# over a kill of the scheduler, and a restart of all
kill -KILL "$(scheduler_pid)"
until_true 10 answers
assert_equal "state of b" paused "$(job b state)"
stop_daemon
mark_log
start_daemon "--state=$T/state"
assert_equal "the reason" moving "$(night hold.reason)"
assert_equal "state of a" paused "$(job a state)"
assert_equal "runs in the pause" 0 "$(count_events started a)"
expect_ctl 0 resume @night
wait_event started a
wait_event started b
stop_daemon
start_daemon "--state=$T/state"
assert_equal "hold" null "$(night hold)"

# starting is all or nothing, and the one that refuses is named
expect_ctl 0 cancel @night
assert_equal "state of a" cancelled "$(job a state)"
expect_ctl 3 trigger @night
assert_contains "who refuses" "a is cancelled" "$(cat "$T/err")"
expect_ctl 3 start @disk
assert_contains "who refuses" "off is disabled" "$(cat "$T/err")"
mark_log
expect_ctl 0 start @night
wait_event started b
expect_ctl 0 cancel @night
expect_ctl 0 trigger --force @night
assert_contains "what does a" "a: " "$said"
assert_contains "what does b" "b: " "$said"

# one that stays waits for all of them, and exits as the worst did; or triggers none
expect_ctl 9 trigger --wait @odd
for name in good bad worse; do
        assert_contains "the end of $name" "$name: run " "$said"
done
expect_ctl 0 cancel bad
mark_log
expect_ctl 125 trigger --wait @odd
assert_contains "who refuses" "bad is cancelled" "$(cat "$T/err")"
assert_equal "runs beside the one that refuses" 0 "$(count_events started good)"

# a group with an error stays as it was, and its members too
mark_log
sed -i 's/^KillGrace=.*/KillGrace=soon/; s/^MaxRunning=.*/MaxRunning=2/' "$T/jobs/night.ini"
wait_event reload
assert_equal "places" 1 "$(night maxRunning)"
mark_log
sed -i 's/^KillGrace=.*/KillGrace=3s/' "$T/jobs/night.ini"
wait_event reload
assert_equal "places" 2 "$(night maxRunning)"
stop_daemon
