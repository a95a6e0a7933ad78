#!/bin/bash
# SPDX-License-Identifier: MIT
# kill -9 of the scheduler at random instants under 20 sub-second jobs: no slot is run twice, none is without an outcome, runs in
# flight go on and their ends are told, the runner stays (PR1). CHIMED_KILLS=300 for the long form; CHIMED_SEED repeats one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
kills=${CHIMED_KILLS:-50}
seed=${CHIMED_SEED:-$((${EPOCHREALTIME/./} % 32768))}
RANDOM=$seed
note "seed $seed"
per_life=6 # the scheduler comes back after 0, 100, 200, 400 ms ...: a new instance now and then keeps the pace
runs=0 slots=0 in_flight=0

write_jobs() {
        local i
        for ((i = 0; i < 20; i++)); do
                write_job "job$i" <<EOF
Every=$((200 + 35 * i))ms
Mode=fixed-rate
Log=all
StandardOutput=null
Command=$CHIMED_BUILD/tests/slot_job $T/out/job$i $((i % 4 * 60 + 20))
EOF
        done
}

kill_scheduler() {
        local pid instant
        until_true 10 has_scheduler
        instant=$((RANDOM % 300))
        read -r -t "0.$(printf %03d "$instant")" <>"$T/never" || true
        pid=$(scheduler_pid)
        [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
        [ -z "$pid" ] || until_true 5 is_gone "$pid"
}

all_ended() { # every run that said so itself has a record of its end
        cat "$T"/out/job* | cut -d ' ' -f 2 | sort >"$T/ran"
        { events ended && events failed; } | jq -r '.CHIMED_RUN_ID' | sort -u >"$T/told"
        [ -z "$(comm -23 "$T/ran" "$T/told")" ]
}

check_life() {
        local file job n
        for file in "$T"/out/job*; do
                job=${file##*/}
                [ -z "$(cut -d ' ' -f 1 "$file" | sort | uniq -d)" ] || die "seed $seed: $job ran a slot twice"
                [ "$(wc -l <"$file")" -gt 0 ] || die "seed $seed: $job never ran"
                n=$(python3 "$here/account.py" "--job=$job" "--period=$((200000 + 35000 * ${job#job}))" --may-retell <"$log") ||
                        die "seed $seed: $job: $n"
                n=${n#note: }
                slots=$((slots + ${n%% *}))
                runs=$((runs + $(wc -l <"$file")))
        done
        [ -z "$(sort "$T/ran" | uniq -d)" ] || die "seed $seed: a run id came twice"
}

mkfifo "$T/never"
write_jobs
while ((kills > 0)); do
        : >"$log"
        log_from=1
        rm -f "$T"/out/job*
        start_daemon
        first=$daemon
        for ((k = 0; k < per_life && kills > 0; k++, kills--)); do
                kill_scheduler
                in_flight=$((in_flight + $(descendants "$daemon" | wc -l)))
        done
        mark_log
        for ((i = 0; i < 20; i++)); do
                wait_event ended "job$i" 20
        done
        log_from=1
        is_gone "$first" && die "seed $seed: the runner is gone"
        stop_daemon
        until_true 10 all_ended
        check_life
done
note "${CHIMED_KILLS:-50} kills: $runs runs, no slot twice, $slots slots accounted for, $in_flight processes lived on"
