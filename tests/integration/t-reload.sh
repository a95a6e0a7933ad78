#!/bin/bash
# SPDX-License-Identifier: MIT
# Files are noticed when they come, change, and go, and at SIGHUP; jobs that did not change keep their grid, to the slot.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tick() { printf 'Every=%s\nMode=fixed-rate\nLog=all\nCommand=/bin/true\n%s\n' "$1" "${2:-}"; }
tick 200ms | write_job keep
tick 250ms 'Description=one' | write_job renamed
tick 300ms | write_job gone
start_daemon
wait_event ended keep 10 3

mark_log
tick 100ms | write_job new # comes by itself
wait_event reload
wait_event ended new

mark_log
tick 250ms 'Description=two' | write_job renamed # neither fires nor shifts
wait_event reload
mark_log
wait_event ended renamed 10 3

rm "$T/jobs/gone.ini" # goes by itself
wait_event reload
mark_log
wait_event ended keep 10 5
assert_equal "starts of a removed job" 0 "$(count_events started gone)"

mkdir "$T/aside" # moved in
{ echo '[job moved]' && tick 100ms; } >"$T/aside/moved.ini"
mv "$T/aside/moved.ini" "$T/jobs/"
wait_event ended moved

mkdir "$T/jobs/new.ini.d" # a drop-in
mark_log
printf '[job new]\nEvery=400ms\n' >"$T/jobs/new.ini.d/slower.conf"
wait_event reload
mark_log
wait_event ended new 10 3

mark_log
kill -HUP "$(runner_pid)"
wait_event reload
mark_log
# a storm is one reading more than the one under way, and none is lost
kill -HUP "$(runner_pid)"
kill -STOP "$(runner_pid)"
for _ in 1 2 3 4 5 6 7 8 9; do kill -HUP "$(runner_pid)"; done
kill -CONT "$(runner_pid)"
wait_event reload
wait_event ended keep 10 5
(($(count_events reload) <= 2)) || die "ten signals at once made $(count_events reload) readings"

log_from=1
stop_daemon
# across eight readings: each slot once, the grid never moved
assert_complete keep 200000 --min-slots=20
assert_complete renamed 250000 --min-slots=15
assert_equal "missed slots" "0 0" "$(count_events missed keep) $(count_events missed renamed)"

# relative paths are so to where chimed was started
mark_log
mkdir "$T/more"
write_job elsewhere <<'EOF'
Every=1h
Log=all
Command=/bin/true
EOF
mv "$T/jobs/elsewhere.ini" "$T/more"
cd "$T"
start_daemon --jobs=more
wait_event ended elsewhere
stop_daemon
