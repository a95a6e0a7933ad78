#!/bin/bash
# SPDX-License-Identifier: MIT
# Time zones that change while chimed runs: the machine gets another one, the data of one are replaced, damaged, removed, and come
# back. Jobs follow without a word from anybody, nothing fires because of it, and the audit stays clean.
set -euo pipefail
if [ "${CHIMED_ZONES_INSIDE:-}" != yes ]; then
        [ "$(id -u)" = 0 ] || { echo "needs root" && exit 77; }
        command -v zic >/dev/null || { echo "no zic here" && exit 77; }
        unshare --mount --propagation private true 2>/dev/null || { echo "no mount namespace of its own here" && exit 77; }
        CHIMED_ZONES_INSIDE=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset TZDIR TZ

# copies in the place of the machine's own folders; without them nothing below may be done
for folder in /etc /usr/share/zoneinfo; do
        cp -a "$folder" "$T/own-${folder##*/}"
        mount --bind "$T/own-${folder##*/}" "$folder"
        touch "$T/own-${folder##*/}/chimed-test"
        [ -e "$folder/chimed-test" ] || die "$folder is not the copy"
done

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
show() { ctl --json=short show "$1" | jq -r "$2"; } # JOB FILTER
answers() { ctl list >/dev/null 2>&1; }
audit() { ctl --json=short audit "$1" | jq -c "[.. | $2? // empty] | add"; } # JOB FIELD
next() { # JOB: the first slot after a noon in winter
        ctl --json=short next "$1" --from=2027-01-01T12:00:00Z -n 1 | jq -r '.. | .slotUsec? // empty | . / 1000000 | todate'
}
# zone NAME OFFSET: new data of a zone, put in its place as an upgrade of a package does it
zone() {
        printf 'Zone %s %s - OWN\n' "$1" "$2" >"$T/rules"
        zic -d "$T/compiled" "$T/rules"
        mv "$T/compiled/$1" "/usr/share/zoneinfo/$1"
}
# machine TARGET: sets the machine's zone as timedatectl does
machine() {
        ln -s "$1" /etc/localtime.new
        mv -T /etc/localtime.new /etc/localtime
}
ticks_more() { # N
        local n
        n=$(wc -l <"$T/out/tick")
        until_true 10 has_lines "$T/out/tick" $((n + $1))
}
assert_reload() { # WORDS
        wait_event reload
        assert_contains "why" "0 new, 1 changed, 0 removed; 0 errors, 0 warnings; $1" "$(event_field MESSAGE reload)"
}

mkdir "$T/compiled" /usr/share/zoneinfo/Test
machine /usr/share/zoneinfo/UTC
zone Test/Own 1:00
touch "$T/out/tick"
write_job local <<'END'
OnCalendar=02:30
Command=/bin/true
END
write_job berlin <<'END'
OnCalendar=02:30
TimeZone=Europe/Berlin
Command=/bin/true
END
write_job tick <<END
OnCalendar=*:*:0/2
TimeZone=Test/Own
Script=echo "\$CHIMED_SLOT_USEC" >>$T/out/tick
END
start_daemon "--state=$T/state"
until_true 10 answers
assert_equal "next of local in UTC" 2027-01-02T02:30:00Z "$(next local)"
assert_equal "next of berlin" 2027-01-02T01:30:00Z "$(next berlin)"
ticks_more 3

# another zone of the machine
mark_log
machine ../usr/share/zoneinfo/Europe/Berlin
assert_reload "the machine's time zone is Europe/Berlin"
assert_equal "next of local in Europe/Berlin" 2027-01-02T01:30:00Z "$(next local)"

# other data of a zone: what were its even seconds are odd ones now
mark_log
assert_equal "plans of tick" 1 "$(audit tick .plans)"
zone Test/Own 1:00:01
assert_reload "zone data of Test/Own changed"
ticks_more 2
awk '{ odd += $1 / 1000000 % 2; even += 1 - $1 / 1000000 % 2 } NR > 1 && $1 <= last { twice = 1 } { last = $1 }
        END { exit !(odd >= 1 && even >= 1 && !twice) }' "$T/out/tick" || die "the ticks: $(paste -sd ' ' "$T/out/tick")"
assert_equal "plans of tick with other data" 2 "$(audit tick .plans)"
assert_equal "faults of tick" "[]" "$(audit tick .faults)"
(($(audit tick .unchecked) >= 3)) || die "the audit has computed the slots of data that are gone"

# damaged, and gone: told with zone and file; what was in force goes on
mark_log
echo TZif >"$T/damaged"
mv "$T/damaged" /usr/share/zoneinfo/Test/Own
wait_event config-error
assert_contains "the damaged zone" \
        "tick.ini:3:10: the data of the time zone Test/Own are damaged (/usr/share/zoneinfo/Test/Own)" "$(events config-error)"
mark_log
mv /usr/share/zoneinfo/Europe/Berlin "$T/Berlin"
wait_event config-error "" 10 3
assert_contains "the missing zone" "the data of the time zone Europe/Berlin are missing: there is no /usr/share/zoneinfo/Europe/Berlin" \
        "$(events config-error)"
assert_contains "the machine's missing zone" "the data of the time zone of the machine are missing: /etc/localtime is a link to nothing" \
        "$(events config-error)"
assert_contains "list" "3 errors" "$(ctl list)"
assert_contains "check" "there is no /usr/share/zoneinfo/Europe/Berlin" "$(ctl check || true)"
ticks_more 2
assert_equal "next of local without data" 2027-01-02T01:30:00Z "$(next local)"

# a scheduler that begins now finds none of them, until they are back; nothing of the jobs is forgotten meanwhile
ctl -q pause --reason=holidays local
runs=$(show tick .runs)
kill -KILL "$(scheduler_pid)"
until_true 10 has_scheduler
until_true 10 answers
assert_contains "what the scheduler says" "the data of its time zone can't be read by the scheduler: it has no schedule until they are back" "$(events config-error)"
assert_equal "state of local without its zone" paused "$(show local .state)"
mark_log
mv "$T/Berlin" /usr/share/zoneinfo/Europe/Berlin
zone Test/Own 1:00:01
ticks_more 2
assert_equal "state of local" paused "$(show local .state)"
ctl -q resume local
assert_equal "next of local" 2027-01-02T01:30:00Z "$(next local)"
(($(show tick .runs) > runs)) || die "the runs of tick before the restart are not counted"
assert_contains "errors" "0 errors" "$(event_field MESSAGE reload)"
log_from=1
assert_equal "starts of the nightly ones" "0 0" "$(count_events started local) $(count_events started berlin)"
assert_equal "faults" "[] [] []" "$(audit tick .faults) $(audit local .faults) $(audit berlin .faults)"
stop_daemon
