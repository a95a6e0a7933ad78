#!/bin/bash
# SPDX-License-Identifier: MIT
# chimectl against the real chimed: each verb says what it did and the way back, and its exit status is the one that the manual has.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# ctl STATUS VERB...: runs it; what it says (both outputs) is in $said
ctl() {
        local wanted=$1 status=0
        shift
        said=$("$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@" 2>&1) || status=$?
        [ "$status" = "$wanted" ] || die "chimectl $*: status $status, wanted $wanted: $said"
}
says() { assert_contains "what chimectl says" "$1" "$said"; } # PART
is_running() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" --json=short list "$1" | jq -e '.[0].runningRunIds != []' >/dev/null; }

ctl 1 list
says "chimed is not running ($T/run/io.chimed: No such file or directory)"

write_job good <<'EOF'
Every=1h
InitialDelay=30min
Script=echo one; echo two >&2
EOF
write_job bad <<'EOF'
Script=exit 3
EOF
write_job killed <<'EOF'
Script=kill -SEGV $$
EOF
write_job late <<'EOF'
Timeout=100ms
Command=/bin/sleep 60
EOF
write_job absent <<'EOF'
Command=/nonexistent/program
EOF
write_job long <<'EOF'
Every=1h
InitialDelay=30min
Mode=fixed-rate
Command=/bin/sleep 60
EOF
write_job off <<'EOF'
Every=1h
Enabled=no
Command=/bin/true
EOF
start_daemon

# looking
ctl 0
says "7 jobs."
ctl 0 list 'b*' good
assert_equal "rows of list" 3 "$("$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" --no-legend list 'b*' good a* | wc -l)"
ctl 0 list --json=short
assert_equal "jobs in JSON" 7 "$(jq length <<<"$said")"
ctl 0 show good long
says "every 1h"
ctl 0 status --json good
assert_equal "name in JSON" good "$(jq -r .name <<<"$said")"
ctl 0 why bad
says "chimectl trigger bad"
ctl 0 next -n3 long
assert_equal "lines of next" 4 "$(wc -l <<<"$said")"
ctl 0 next bad
says "Nothing is planned; why: chimectl why bad"

# names
ctl 4 show god
says 'no job "god"; did you mean good?'
ctl 4 trigger good nothing-like-it
assert_equal "runs after a wrong name" 0 "$(count_events started good)"
ctl 4 show 'x*'
ctl 4 show a/b
ctl 4 show @group
says "chimectl list --groups"
ctl 2 lits
says "did you mean list?"
ctl 2 list --force
ctl 2 trigger good --timeout=1s
ctl 2 trigger --if-running=perhaps good

# trigger: status of the job, of the signal, of the time limit, and of what did not run
ctl 0 trigger good
says "started"
wait_event ended good
ctl 0 trigger --wait good
says "succeeded"
ctl 3 trigger --wait bad
says "failed with exit status 3"
ctl 139 trigger --wait killed
says "was ended by SIGSEGV"
ctl 124 trigger --wait late
says "time limit"
ctl 125 trigger --wait absent
says "No such file or directory"
ctl 3 trigger --wait good bad
ctl 3 trigger off
says "disabled"
ctl 125 trigger --wait off
ctl 0 trigger --wait --force off
"$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --follow good >"$T/one" 2>"$T/two"
assert_equal "standard output of --follow" one "$(cat "$T/one")"
grep -qx two "$T/two" || die "no standard error of the job: $(cat "$T/two")"
grep -q succeeded "$T/two" || die "no verdict: $(cat "$T/two")"
ctl 0 trigger --wait --json good
assert_equal "kinds of replies" "accepted started ended" "$(jq -r .kind <<<"$said" | xargs)"

# a run in flight: joined, queued, rejected; left by a time-out and by an interrupt
ctl 0 trigger long
until_true 5 is_running long
ctl 0 trigger long
says "joined run"
ctl 1 trigger --if-running=reject long
says "in flight"
ctl 0 trigger --if-running=queue long
says "queued as run"
ctl 124 trigger --wait --timeout=100ms long
says "end it with: chimectl cancel --run long"
"$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --wait long >"$T/left" 2>&1 &
waiting=$!
until_true 5 grep -q joined "$T/left"
kill -INT "$waiting"
status=0
wait "$waiting" || status=$?
assert_equal "status after an interrupt" 130 "$status"
grep -q "end it with: chimectl cancel --run long" "$T/left" || die "no way back: $(cat "$T/left")"
is_running long || die "an interrupt of chimectl ended the run"

# cancel and back
ctl 3 cancel --run=999999 long
ctl 0 cancel --run long
says "was cancelled"
says "goes on with its schedule"
ctl 3 cancel --run long
ctl 0 cancel long --reason='too long'
says "long will not run again until: chimectl start long"
ctl 0 why long
says "too long"
ctl 3 trigger long
says "chimectl trigger --force long"
ctl 3 resume long
ctl 0 list
says "= long"
ctl 0 start long
says "armed again"
ctl 0 pause long --for=1h --reason='disk is moved'
says "or: chimectl resume long"
ctl 0 show long
says "disk is moved"
ctl 0 trigger long
says "still paused"
ctl 0 pause long
says "its run in flight goes on"
says "will not run again until: chimectl resume long"
ctl 0 resume long
ctl 0 stop long

# interval, wait
ctl 0 set-interval good 2h
says "now runs every 2h"
ctl 0 set-interval good --reset
says "now runs every 1h"
ctl 1 set-interval bad 2h
ctl 2 set-interval good
ctl 2 set-interval good 0
ctl 0 wait good --runs=1
says "runs"
ctl 0 wait good --finished
ctl 124 wait good --timeout=100ms

# files
ctl 0 check
says "0 errors, 1 warning."
says "job absent: the program /nonexistent/program"
ctl 0 cat good
says "Environment=TEST_FOLDER=$T  # $T/chimed.conf:2"
says "# $T/jobs/good.ini:2"
ctl 4 cat nothing
ctl 0 reload
says "Read anew: 7 jobs"
printf '[job new]\nCommand=\n' >"$T/jobs/new.ini"
touch "$T/jobs/README"
ctl 1 reload
says "$T/jobs/new.ini:1"
says "1 error"
ctl 1 check
says "$T/jobs/README: warning: not read: the name does not end in .ini"
says "What is wrong keeps its last good jobs."
ctl 0 list
says "! 1 error in the job files"
rm "$T/jobs/new.ini" "$T/jobs/README"

# watch: what it was asked for, until chimed stops
"$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" watch --json good --kinds=started,ended,end >"$T/events" &
watcher=$!
has_event() { [ "$(jq -r .kind <"$T/events" | grep -c "$1")" -ge 1 ]; }
try_event() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" -q trigger --wait good && has_event ended; }
until_true 10 try_event
stop_daemon
wait "$watcher" || die "watch: status $?"
assert_equal "the last event" end "$(jq -r .kind <"$T/events" | tail -n 1)"
ctl 1 list
