#!/bin/bash
# SPDX-License-Identifier: MIT
# The message catalogue, compiled as the system's is: it has a text for each kind of record, journalctl -x shows it below the record
# with what that is about in its place, and records are found by their fields.
. "$(dirname "${BASH_SOURCE[0]}")/lib-journald.sh"

catalogue=$here/../../systemd/chimed.catalog
kinds=$(sed -n 's/.*{EVENT_[A-Z_]*, "\([a-z-]*\)", "\([0-9a-f]*\)", LOG_[A-Z]*},/\1 \2/p' "$here/../../daemon/core/event.c")
if ! [ -d /usr/lib/systemd/catalog ] || ! [ -d /var/lib/systemd ]; then
        skip "there is no folder for catalogues"
fi
mount -t tmpfs catalogue /usr/lib/systemd/catalog
mount -t tmpfs database /var/lib/systemd
cp "$catalogue" /usr/lib/systemd/catalog/
journalctl --update-catalog 2>"$T/said" || die "the catalogue does not compile: $(cat "$T/said")"
if grep chimed "$T/said"; then
        die "the catalogue is not as it should be"
fi
journalctl --no-pager --list-catalog >"$T/listed"
assert_equal "texts" "$(cut -d ' ' -f 2 <<<"$kinds" | sort)" "$(cut -d ' ' -f 1 "$T/listed" | sort)"
while read -r kind id; do
        [ "$(journalctl --no-pager --dump-catalog "$id" | grep -c .)" -gt 4 ] || die "$kind has no text"
        cut -d ' ' -f 1 "$T/listed" | grep -q "^$id$" || die "$kind has no text"
done <<<"$kinds"

write_job slow <<'END'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/sleep 0.25
END
write_job broken <<'END'
Every=1h
StopAfterFailures=1
Retries=1
RetryDelay=10ms
Script=exit 3
END
write_job hanging <<'END'
Every=1h
Timeout=100ms
Command=/bin/sleep 60
END
write_job leaving <<'END'
Every=1h
Script=/bin/sleep 60 & exit 0
END
start_daemon --log=journal
wait_event job-failed broken
wait_event timed-out hanging
wait_event left-behind leaving
wait_event missed slow 10 3
wait_event ended slow
expect_ctl 0 pause slow
wait_event held slow
expect_ctl 0 resume slow
wait_event armed slow
printf 'no section\n' >"$T/jobs/wrong.ini"
wait_event config-error
stop_daemon
refresh_log

# shown KIND JOB WORDS: below the records of a kind, journalctl -x has these, and no name of a field in its place
shown() {
        local word words=$3
        journalctl -D /run/log/journal --no-pager -x "CHIMED_EVENT=$1" ${2:+"CHIMED_JOB=$2"} >"$T/shown"
        for word in "-- Defined-By: chimed" "-- Documentation: man:chimed" "-- $words"; do
                grep -qF -- "$word" "$T/shown" || die "$1 is not explained by '$word': $(head -n 20 "$T/shown")"
        done
        if grep -n '^-- .*@' "$T/shown"; then
                die "$1: a field that the record has not"
        fi
}
shown started slow "Subject: A run of job slow has started"
shown ended slow "Subject: Job slow has run"
shown missed slow "Subject: Job slow has missed $(event_field CHIMED_COUNT missed slow) of its slots"
shown retry broken "Subject: An attempt of job broken has failed, and another is to come"
shown failed broken "Run $(event_field CHIMED_RUN_ID failed broken) of the job broken ended with the result: failed."
shown job-failed broken "Subject: Job broken was stopped because it fails"
shown timed-out hanging "Subject: A run of job hanging has taken too long and was ended"
shown left-behind leaving "Subject: Job leaving left processes behind"
shown held slow "A paused job goes on with: chimectl resume slow"
shown armed slow "Subject: Job slow goes on"
shown config-error "" "Subject: There is an error in a job file"
shown ready "" "Subject: chimed has begun to schedule jobs"
shown stopped "" "Subject: chimed has stopped scheduling jobs"

# by fields: all of one job and nothing else; one run of it; what was missed, and why
assert_equal "jobs of CHIMED_JOB=broken" broken "$(journal CHIMED_JOB=broken | jq -r .CHIMED_JOB | sort -u)"
run=$(event_field CHIMED_RUN_ID failed broken)
assert_equal "one run of it" "started failed" "$(journal CHIMED_JOB=broken "CHIMED_RUN_ID=$run" |
        jq -r .CHIMED_EVENT | tr '\n' ' ' | sed 's/ $//')"
assert_journal CHIMED_JOB=slow CHIMED_EVENT=missed CHIMED_REASON=overlap
assert_equal "fields of what was missed" "CHIMED_COUNT CHIMED_EVENT CHIMED_FIRST_SLOT CHIMED_JOB CHIMED_LAST_SLOT CHIMED_REASON" \
        "$(journal CHIMED_JOB=slow CHIMED_EVENT=missed | jq -r 'keys[]' | grep '^CHIMED_' | sort -u | tr '\n' ' ' | sed 's/ $//')"
