#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of the scheduler, of the runner and of both at random instants under 45 sub-second jobs, with a ledger: no slot is run twice,
# every slot has one outcome in the ledger, every result that a job wrote is there, or interrupted where its runner died; scheduling
# goes on within a second (PR1, PR2). CHIMED_KILLS=300 for the long form; CHIMED_SEED repeats one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kills=${CHIMED_KILLS:-50}
seed=${CHIMED_SEED:-$((${EPOCHREALTIME/./} % 32768))}
RANDOM=$seed
note "seed $seed"
in_row=0 in_row_max=4 # the scheduler comes back after 0, 100, 200, 400 ms ...: a new runner now and then keeps the pace

write_slot_job() { # NAME MILLISECONDS SETTING...
        local name=$1 ms=$2
        shift 2
        {
                printf '%s\n' "$@" Log=summary StandardOutput=null
                echo "Command=$CHIMED_BUILD/tests/slot_job $T/out/$name.began $ms $T/out/$name.ended"
        } | write_job "$name"
}

write_jobs() {
        local i
        for ((i = 0; i < 10; i++)); do
                write_slot_job "rate$i" $((i % 4 * 60 + 10)) "Every=$((100 + 43 * i))ms" Mode=fixed-rate
        done
        for ((i = 0; i < 4; i++)); do
                write_slot_job "one$i" 30 "Every=$((200 + 90 * i))ms" Mode=fixed-rate CatchUp=one
        done
        for ((i = 0; i < 3; i++)); do
                write_slot_job "delay$i" 40 "Every=$((90 + 80 * i))ms"
        done
        for ((i = 0; i < 25; i++)); do # all of them in flight nearly all the time
                write_slot_job "long$i" 450 Every=500ms Mode=fixed-rate Align=epoch
        done
        write_slot_job all 20 Every=300ms Mode=fixed-rate CatchUp=all CatchUpMax=3
        write_slot_job queue 200 Every=150ms Mode=fixed-rate Overlap=queue
        write_slot_job slow 1400 Every=400ms Mode=fixed-rate
}

# Waits for up to so many milliseconds, at random.
wait_a_while() {
        read -r -t "0.$(printf %03d $((RANDOM % $1)))" <>"$T/never" || true
}

kill_scheduler() {
        local pid
        until_true 10 has_scheduler
        pid=$(scheduler_pid)
        echo "scheduler ${EPOCHREALTIME/./}" >>"$T/kills"
        kill -KILL "$pid" 2>/dev/null || true
        until_true 5 is_gone "$pid"
        in_row=$((in_row + 1))
}

kill_runner() { # and, at the same instant, the PIDs given
        echo "runner ${EPOCHREALTIME/./} $*" >>"$T/kills"
        kill -KILL "$daemon" "$@" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
        daemon=
        spawn_daemon "--state=$T/state" # as a supervisor does it: a scheduler that has lost its runner may still be there
        in_row=0
}

kill_one() {
        case $((in_row >= in_row_max ? RANDOM % 2 : RANDOM % 4)) in
        0) kill_runner ;;
        1) kill_runner "$(scheduler_pid)" ;;
        *) kill_scheduler ;;
        esac
}

mkfifo "$T/never"
echo History=1000000 >>"$T/chimed.conf"
write_jobs
start_daemon "--state=$T/state"
for ((k = 0; k < kills; k++)); do
        wait_a_while 700
        kill_one
done
jobs=("$T"/out/*.began)
mark=$(cat "${jobs[@]}" | wc -l)
enough_came() { (($(cat "${jobs[@]}" | wc -l) > mark + 200)); }
until_true 20 enough_came
expect_ctl 0 cancel queue # else a slot in its line waits over the stop, and has no outcome yet
stop_daemon 10
python3 "$here/kills_account.py" "--ledger=$T/state/ledger.db" "--out=$T/out" "--jobs=$T/jobs" "--kills=$T/kills" ||
        die "seed $seed: the ledger and the jobs disagree"
