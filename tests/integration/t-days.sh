#!/bin/bash
# SPDX-License-Identifier: MIT
# Calendars of one file are there for the jobs of others: an error in one costs the jobs that name it their change, and no other job.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tick() { printf 'Every=200ms\nMode=fixed-rate\nLog=all\nCommand=/bin/true\n%s\n' "${1:-}"; }
calendar() { printf '[calendar closed]\nDays=%s\n' "$1" >"$T/new" && mv "$T/new" "$T/jobs/calendars.ini"; }

calendar '2199-12-24 2199-12-30..2199-12-31'
tick Except=closed | write_job work
tick | write_job other
start_daemon
wait_event ended work
wait_event ended other
assert_contains "the schedule" 'fixed rate; not on closed' "$("$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" --json show work)"

mark_log
calendar 2199-02-30
wait_event config-error "" 10 2
said=$(events config-error)
assert_contains "what is wrong" "/calendars.ini:2:6: 2199-02-30 is no date" "$said"
assert_contains "what comes of it" "/work.ini:6:8: calendar closed at " "$said"
wait_event reload
mark_log
wait_event ended work 10 3
wait_event ended other 10 3

mark_log
calendar 2198-01-01..2198-12-31
wait_event reload
assert_contains "the reload" "0 new, 1 changed, 0 removed" "$(event_field MESSAGE reload)"
stop_daemon
