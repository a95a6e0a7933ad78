#!/bin/bash
# SPDX-License-Identifier: MIT
# MaxRunning= with a real daemon: never more runs than places, the more urgent first, what waits is explained and outlives a kill of the
# scheduler, and a burst of slots that come in one instant is accounted for to the last.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
state() { ctl list "$1" --json=short 2>/dev/null | jq -r '.[0].state'; } # JOB
has_state() { [ "$(state "$1")" = "$2" ]; }                              # JOB STATE
disk() { ctl list --groups --json=short | jq -r '.[] | select(.name == "disk") | "\(.running) run, \(.waiting) wait"'; }
let_end() { touch "$T/out/$1.go"; } # JOB
burst_has_ended() { [ "$(events ended | grep -ac burst-)" -ge 200 ]; }

printf '[group disk]\nMaxRunning=1\n' >"$T/jobs/disk.ini"
for name in first second third urgent; do
        write_job $name <<EOF
Script=echo $name >>$T/out/order; until [ -e $T/out/$name.go ]; do sleep 0.02; done
MemberOf=disk
Priority=$([ $name = urgent ] && echo 5 || echo 0)
EOF
done
start_daemon "--state=$T/state"

# in the order of priority and arrival
for name in first second third urgent; do
        expect_ctl 0 trigger $name
done
assert_contains "what a trigger that waits is told" "; chimectl why says what it waits for" "$said"
wait_event started first
assert_equal "places" "1 run, 3 wait" "$(disk)"
assert_equal "state" pending "$(state third)"
expect_ctl 0 why third
said=$(tr -s " \n" " " <<<"$said")
assert_contains "which place" "waits for a place in the group disk, where 1 of 1 places (MaxRunning=) are taken, by first." "$said"
assert_contains "its turn" "number 3 of those who wait" "$said"
let_end first
wait_event started urgent
let_end urgent
wait_event started second
assert_equal "one at a time" "first urgent second" "$(paste -sd ' ' "$T/out/order")"
assert_equal "places" "1 run, 1 wait" "$(disk)"

# a limit that is lifted lets the others go on; one that comes back ends nobody
mark_log
sed -i 's/^MaxRunning=.*//' "$T/jobs/disk.ini"
wait_event reload
wait_event started third
mark_log
echo MaxRunning=1 >>"$T/jobs/disk.ini"
wait_event reload
assert_equal "state" running "$(state second)"
assert_equal "state" running "$(state third)"
rm "$T/out/first.go"
expect_ctl 0 trigger first
let_end second
wait_event ended second
assert_equal "there is still one too many" pending "$(state first)"
let_end third
wait_event started first

# a slot waits over a kill of the scheduler
mark_log
write_job daily <<EOF
Every=1d
Mode=fixed-rate
MemberOf=disk
Command=/bin/echo here
EOF
wait_event reload
until_true 10 has_state daily pending
kill -KILL "$(scheduler_pid)"
until_true 10 has_state daily pending
assert_equal "state" running "$(state first)"
let_end first
wait_event started daily

# 200 slots in an instant, five places
mark_log
{
        printf '[group wide]\nMaxRunning=5\n'
        for i in $(seq 200); do
                printf '[job burst-%d]\nMemberOf=wide\nEvery=1h\nMode=fixed-rate\nCommand=%s\n' "$i" "$CHIMED_BUILD/tests/stamp"
        done
} >"$T/new.ini"
mv "$T/new.ini" "$T/jobs/burst.ini"
until_true 60 burst_has_ended
events started | jq -r '.CHIMED_JOB' | grep -a burst- | sort | uniq -d >"$T/twice"
assert_equal "jobs that ran twice" "" "$(cat "$T/twice")"
most=$(tail -n "+$log_from" "$log" | grep -a burst- | jq -rs 'reduce .[].CHIMED_EVENT as $e ({n: 0, most: 0};
        .n += (if $e == "started" then 1 elif $e == "ended" then -1 else 0 end) | .most = ([.n, .most] | max)) | .most')
((most <= 5)) || die "$most runs in five places"
note "$most runs at a time in five places"
stop_daemon
