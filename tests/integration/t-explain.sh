#!/bin/bash
# SPDX-License-Identifier: MIT
# explain and next of expressions, without any chimed: words, slots, the caret below what is wrong, and exit statuses.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export TZ=UTC COLUMNS=80 NO_COLOR=1
ctl() { # STATUS VERB...
        local wanted=$1 status=0
        shift
        said=$(timeout 10 "$CHIMED_BUILD/chimectl" "--socket=$T/nobody" "$@" 2>&1) || status=$?
        [ "$status" = "$wanted" ] || die "chimectl $*: status $status, wanted $wanted: $said"
}
says() { assert_contains "what chimectl says" "$1" "$said"; } # PART
instants() { jq -r '.next[].slotUsec' <<<"$said" | paste -sd ' '; }

# what a job without a zone of its own would do, in the machine's: here one is given
ctl 0 explain --zone=Europe/Berlin --from=2027-03-27T00:00:00Z -n 2 '30 2 * * *'
says "at 02:30 every day, Europe/Berlin"
row=$(tr -s ' ' <<<"$said") # the gaps between columns are as wide as the distances from today let them be
assert_contains "the row after the gap" "Sun 2027-03-28 03:00:00 CEST Sun 2027-03-28 01:00:00 UTC" "$row"
says "it runs right after (Gap=run-after)"

# each policy at both changes
ctl 0 explain --json=short --zone=Europe/Berlin --from=2027-03-27T12:00:00Z -n1 --gap=skip 02:30
assert_equal "after a gap that is skipped" 1806280200000000 "$(instants)"
for row in first:1824942600000000 second:1824946200000000 both:1824942600000000; do
        ctl 0 explain --json --zone=Europe/Berlin --from=2027-10-31T00:00:00Z -n1 "--fold=${row%:*}" 02:30
        assert_equal "fold ${row%:*}" "${row#*:}" "$(instants)"
done

# several at once; the zone of an expression is its own
ctl 0 explain --json=short --zone=Asia/Tokyo 'Mon 10:00 UTC' daily '@hourly'
assert_equal "zones" "UTC Asia/Tokyo Asia/Tokyo" "$(jq -r .zone <<<"$said" | paste -sd ' ')"

# TIME in its forms; distances count from now
for from in @1806102000 2027-03-26T23:00:00Z '2027-03-26 23:00'; do
        ctl 0 explain --json "--from=$from" -n1 '*:*:*'
        assert_equal "from $from" 1806102001000000 "$(instants)"
done
now=$(date +%s)
ctl 0 explain --json --from=+2h -n1 '*:*:*'
distance=$(($(instants) / 1000000 - now))
((distance >= 7200 && distance < 7300)) || die "+2h is in $distance s"
ctl 0 explain --from=tomorrow hourly

# what is wrong: with its place, and the others are explained none the less
ctl 1 explain 'Mon 25:30' daily
says $'chimectl: Mon 25:30\n              ^ hour 25 is out of range 0..23'
says "at 00:00 every day"
ctl 1 explain '0 75 * * *'
says $'            ^ hour 75'
ctl 1 explain '02:30 Berlin'
says $'                ^ "Berlin" is no time zone; did you mean Europe/Berlin?'
ctl 1 explain --cron daily
ctl 1 explain 5min
says "Every="
ctl 1 explain '*-02-30'
says "can never match"
ctl 1 explain $'\e[31mdaily'
[[ $said != *$'\e'* ]] || die "an escape sequence came through"
ctl 2 explain
ctl 2 explain --zone=Berlin daily
ctl 2 explain --gap=jump daily
ctl 2 explain -n 1001 daily
ctl 2 explain --from=someday daily

# next has the slots only; a name is a job, and what can be none is an expression
ctl 0 next --zone=UTC --from=@1806102000 -n 2 '0 12 * * *'
assert_equal "next" "0 12 * * *|UTC|Sat 2027-03-27 12:00:00 UTC|Sun 2027-03-28 12:00:00 UTC" "$(awk -F '  +' '{ print $1 }' <<<"$said" | paste -sd '|')"
ctl 0 next --json=short '*-*-1' '0 0 1 * *'
assert_equal "a calendar and a crontab" 1 "$(jq -c .next <<<"$said" | sort -u | wc -l)"
ctl 1 next daily
says "chimed is not running"
ctl 0 next daily --zone=UTC --no-legend -n1
assert_equal "lines" 1 "$(wc -l <<<"$said")"
