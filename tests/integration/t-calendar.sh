#!/bin/bash
# SPDX-License-Identifier: MIT
# Calendars with a real daemon: each second has its slot, none twice, over a kill of the scheduler and a reload; the next slots follow
# the zone over its clock changes, and an update of its data; what is shown is what was written; the audit agrees.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
show() { ctl --json=short show "$1" | jq -r "$2"; } # JOB FILTER
answers() { ctl list >/dev/null 2>&1; }
audit() { ctl --json=short audit "$1" | jq -r "[.. | $2? // empty] | add"; } # JOB FIELD
next() { # JOB FROM N
        ctl --json=short next "$1" "--from=$2" -n "$3" | jq -r '.. | .slotUsec? // empty | . / 1000000 | todate'
}

# Full seconds, rising, none twice; those without a run are told.
assert_seconds() { # JOB
        assert_equal "$1: faults of the audit" "[]" "$(audit "$1" .faults)"
        awk -v job="$1" '
                $1 % 1000000 != 0 { print job ": " $1 " is no full second"; bad = 1 }
                NR > 1 && $1 <= last { print job ": " $1 " after " last; bad = 1 }
                { last = $1 }
                END { exit bad }' "$T/out/$1" || die "$1: its slots are not the seconds"
}

write_job calendar <<EOF
OnCalendar=*:*:*
TimeZone=Europe/Berlin
Script=echo "\$CHIMED_SLOT_USEC" >>$T/out/calendar
EOF
write_job cron <<EOF
Cron=* * * * * *
OnCalendar=*:*:0/2
TimeZone=UTC
Script=echo "\$CHIMED_SLOT_USEC" >>$T/out/cron
EOF
write_job nightly <<EOF
OnCalendar=Mon..Sun 02:30
TimeZone=Europe/Berlin
Command=/bin/true
EOF
write_job skips <<EOF
Cron=30 2 * * *
TimeZone=Europe/Berlin
Gap=skip
Fold=both
Command=/bin/true
EOF
write_job over <<EOF
OnCalendar=2001-01-01 12:00 UTC
Command=/bin/true
EOF
write_job wrong <<EOF
OnCalendar=daily
TimeZone=Berlin
Command=/bin/true
EOF
touch "$T/out/calendar" "$T/out/cron"
# a database of time zones that can be updated
export TZDIR=$T/zones
mkdir -p "$TZDIR/Europe"
cp -L /usr/share/zoneinfo/Europe/Berlin "$TZDIR/Europe/"
start_daemon "--state=$T/state"
wait_event config-error
assert_contains "the wrong zone" 'wrong.ini:3:10: \"Berlin\" is no time zone' "$(events config-error)"
until_true 10 answers

assert_equal "schedule of nightly" "02:30 Europe/Berlin" "$(show nightly .schedule)"
assert_equal "schedule of skips" "cron 30 2 * * * Europe/Berlin" "$(show skips .schedule)"
assert_equal "state of over" finished "$(show over .state)"
assert_equal "over a gap" "2027-03-27T01:30:00Z 2027-03-28T01:00:00Z 2027-03-29T00:30:00Z" \
        "$(next nightly 2027-03-26T12:00:00Z 3 | paste -sd ' ')"
assert_equal "over a gap that is skipped" "2027-03-27T01:30:00Z 2027-03-29T00:30:00Z" \
        "$(next skips 2027-03-26T12:00:00Z 2 | paste -sd ' ')"
assert_equal "over a fold that is done twice" "2027-10-30T00:30:00Z 2027-10-31T00:30:00Z 2027-10-31T01:30:00Z" \
        "$(next skips 2027-10-29T12:00:00Z 3 | paste -sd ' ')"

until_true 10 has_lines "$T/out/calendar" 2
until_true 10 has_lines "$T/out/cron" 2
kill -KILL "$(scheduler_pid)"
until_true 10 answers
until_true 10 has_lines "$T/out/calendar" 4
n=$(wc -l <"$T/out/cron")
until_true 10 has_lines "$T/out/cron" $((n + 2))
assert_seconds calendar
assert_seconds cron

# another calendar counts from now, the same one goes on
plans=$(audit cron .plans)
mark_log
write_job nightly <<EOF
OnCalendar=*-*-* 00:00 UTC
Command=/bin/true
EOF
wait_event reload
assert_equal "schedule of nightly after the reload" "00:00 UTC" "$(show nightly .schedule)"
assert_equal "plans of cron after the reload" "$plans" "$(audit cron .plans)"
n=$(wc -l <"$T/out/calendar")
until_true 10 has_lines "$T/out/calendar" $((n + 2))
assert_seconds calendar

# new data of a zone make new plans of the jobs in that zone, by themselves
rm "$T/jobs/wrong.ini"
ctl -q reload
assert_equal "next of skips" "2027-01-02T01:30:00Z" "$(next skips 2027-01-01T12:00:00Z 1)"
cp -L /usr/share/zoneinfo/America/New_York "$TZDIR/Europe/Berlin.new"
mark_log
mv "$TZDIR/Europe/Berlin.new" "$TZDIR/Europe/Berlin"
wait_event reload
assert_contains "why" "zone data of Europe/Berlin changed" "$(event_field MESSAGE reload)"
assert_equal "next of skips with other data" "2027-01-02T07:30:00Z" "$(next skips 2027-01-01T12:00:00Z 1)"
assert_equal "plans of cron after the update" "$plans" "$(audit cron .plans)"
