#!/bin/bash
# SPDX-License-Identifier: MIT
# Grids with a real daemon, on the clock of a zone and beside calendars: each slot once, over a kill of the scheduler, another interval and
# a new start of both programs; what is shown is what was written; the audit agrees.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
show() { ctl --json=short show "$1" | jq -r "$2"; } # JOB FILTER
answers() { ctl list >/dev/null 2>&1; }
faults() { ctl --json=short audit "$1" | jq -c "[.. | .faults? // empty] | add"; }
next() { # JOB FROM N
        ctl --json=short next "$1" "--from=$2" -n "$3" | jq -r '.. | .slotUsec? // empty | . / 1000000 | todate' | paste -sd ' '
}
await_more() { # N: so many more runs of both
        local job n
        for job in civil mixed; do
                n=$(wc -l <"$T/out/$job")
                until_true 10 has_lines "$T/out/$job" $((n + $1))
        done
}
assert_rising() { # JOB
        sort -n -u "$T/out/$1" | cmp -s - "$T/out/$1" || die "$1: not each slot once, one after the other: $(cat "$T/out/$1")"
        assert_equal "$1: faults of the audit" "[]" "$(faults "$1")"
}

write_job civil <<EOF
Every=500ms
Mode=fixed-rate
Align=hour
TimeZone=Europe/Berlin
Script=echo "\$CHIMED_SLOT_USEC" >>$T/out/civil
EOF
write_job mixed <<EOF
Every=700ms
Mode=fixed-rate
InitialDelay=300ms
OnCalendar=*:*:*
Script=echo "\$CHIMED_SLOT_USEC" >>$T/out/mixed
EOF
write_job weeks <<EOF
Every=2w
Mode=fixed-rate
Align=2026-03-16 09:00
OnCalendar=2027-10-25 12:00
TimeZone=Europe/Berlin
Command=/bin/true
EOF
touch "$T/out/civil" "$T/out/mixed"
start_daemon "--state=$T/state"
until_true 10 answers

assert_equal "schedule of civil" "every 500ms, fixed rate from midnight Europe/Berlin" "$(show civil .schedule)"
assert_equal "schedule of weeks" "every 2w, fixed rate from 2026-03-16 09:00 Europe/Berlin, 2027-10-25 12:00 Europe/Berlin" \
        "$(show weeks .schedule)"
assert_equal "next of weeks" "2027-10-25T07:00:00Z 2027-10-25T10:00:00Z 2027-11-08T08:00:00Z" \
        "$(next weeks 2027-10-20T12:00:00Z 3)"

await_more 3
kill -KILL "$(scheduler_pid)"
until_true 10 answers
await_more 3
assert_rising civil
assert_rising mixed
ctl -q set-interval mixed 400ms
await_more 3
assert_rising mixed
stop_daemon
start_daemon "--state=$T/state"
until_true 10 answers
await_more 2
assert_rising civil
assert_rising mixed
awk '$1 % 500000 != 0 { exit 1 }' "$T/out/civil" || die "civil is not on its grid"
awk '$1 % 1000000 != 0 { n++ } END { exit n < 5 }' "$T/out/mixed" || die "mixed has no grid beside its calendar"
