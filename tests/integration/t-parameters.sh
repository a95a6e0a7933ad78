#!/bin/bash
# SPDX-License-Identifier: MIT
# What a trigger passes: its run has it, and nobody else; what is not accepted, or not the same, is refused; a scheduler's death and a restart
# take it from no run and from no attempt.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# JOB <<settings: its runs say what they were passed, and last until there is the file JOB.go.
write_gated() {
        { cat && echo "Script=echo \"\$CHIMED_PARAM_FROM|\$CHIMED_PARAM_TO\" >>$T/out/$1; until [ -e $T/$1.go ]; do sleep 0.02; done"; } |
                write_job "$1"
}

# JOB: its first attempt fails, and the next one is far off.
write_failing() {
        write_job "$1" <<EOF
AcceptParameters=FROM
Retries=1
RetryDelay=1h
Script=echo "\$CHIMED_ATTEMPT \$CHIMED_PARAM_FROM" >>$T/out/$1; [ "\$CHIMED_ATTEMPT" = 2 ]
EOF
}

answers() { timeout 30 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" list >/dev/null 2>&1; }
kill_scheduler() {
        local pid
        pid=$(scheduler_pid)
        kill -KILL "$pid"
        until_true 10 is_gone "$pid"
        until_true 20 answers
}

# JOB VALUE: its first attempt has failed with that, and the next one has the same.
assert_attempt() {
        expect_ctl 1 trigger "$1"
        assert_contains "$1" "has other parameters" "$(cat "$T/err")"
        expect_ctl 0 trigger "$1" --wait "--set=FROM=$2"
        assert_equal "$1" "$(printf '1 %s\n2 %s' "$2" "$2")" "$(cat "$T/out/$1")"
}

write_gated held <<EOF
AcceptParameters=FROM TO
EOF
write_gated changes <<EOF
AcceptParameters=FROM TO
EOF
write_job length <<EOF
AcceptParameters=FROM
Script=echo "\${#CHIMED_PARAM_FROM} \${CHIMED_PARAM_TO-none}" >>$T/out/length
EOF
write_job none <<EOF
Command=/bin/true
EOF
write_failing dies
write_failing stops
start_daemon "--state=$T/state"

# what comes, and what does not
expect_ctl 0 trigger length --wait "--set=FROM=a = 'b'"
long=$(printf '%*s' 16378 '')
expect_ctl 0 trigger length --wait "--set=FROM=$long"
expect_ctl 0 trigger length --wait
assert_equal "lengths" "$(printf '7 none\n16378 none\n0 none')" "$(cat "$T/out/length")"
expect_ctl 2 trigger length "--set=FROM=$long "
assert_contains "too long" "more than 16 KiB" "$(cat "$T/err")"
expect_ctl 2 trigger length --set=FROM=1 --set=FROM=2
expect_ctl 2 trigger length "--set=FROM=$(printf '\377')"
expect_ctl 2 trigger length --set=FROM
for name in PATH LD_PRELOAD TO from; do
        expect_ctl 1 trigger length "--set=$name=x"
        assert_contains "$name" "length does not accept the parameter $name; it accepts: FROM" "$(cat "$T/err")"
done
expect_ctl 1 trigger none --set=FROM=x
assert_contains "none" "it accepts none" "$(cat "$T/err")"
expect_ctl 0 try length "--jobs=$T/jobs" "--config=$T/chimed.conf" --set=FROM=ab
assert_equal "try" "2 none" "$(tail -n 1 "$T/out/length")"
expect_ctl 125 try length "--jobs=$T/jobs" "--config=$T/chimed.conf" --set=PATH=ab

# a run in flight is joined by the same only, also after the death of the scheduler
expect_ctl 0 trigger held --set=FROM=1 --set=TO=2
until_true 20 has_lines "$T/out/held" 1
expect_ctl 0 trigger held --if-running=queue --set=FROM=3
assert_contains "queued" "queued as run" "$said"
expect_ctl 1 trigger held --if-running=queue --set=FROM=4
for life in first second; do
        expect_ctl 0 trigger held --set=TO=2 --set=FROM=1
        assert_contains "$life life" "joined run" "$said"
        expect_ctl 1 trigger held --set=FROM=1
        assert_contains "$life life" "has other parameters" "$(cat "$T/err")"
        [ "$life" = second ] || kill_scheduler
done
# what was queued has gone with the scheduler: nothing runs with it
touch "$T/held.go"
expect_ctl 0 wait held --finished
assert_equal "held" "1|2" "$(cat "$T/out/held")"

# the definition that is in force when it starts decides
expect_ctl 0 trigger changes --set=FROM=1
until_true 20 has_lines "$T/out/changes" 1
expect_ctl 0 trigger changes --if-running=queue --set=TO=2
write_gated changes <<EOF
AcceptParameters=FROM
EOF
expect_ctl 0 reload
touch "$T/changes.go"
wait_event failed changes
assert_event failed changes CHIMED_RESULT=start-failed CHIMED_STEP=parameters ERRNO=1
assert_equal "changes" "1|" "$(cat "$T/out/changes")"

# an attempt has what the first one had, whoever dies between them
for job in dies stops; do
        expect_ctl 0 trigger "$job" "--set=FROM=$job x"
        wait_event retry "$job"
done
kill_scheduler
assert_attempt dies "dies x"
stop_daemon
start_daemon "--state=$T/state"
assert_attempt stops "stops x"
stop_daemon
