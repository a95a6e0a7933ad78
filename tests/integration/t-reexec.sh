#!/bin/bash
# SPDX-License-Identifier: MIT
# The runner executes its program anew at random instants (SIGUSR2) under sub-second jobs, conditions, time-outs and 50 runs in flight,
# without a ledger and with one: no slot is run twice, none is without an outcome, runs in flight go on, each line of output
# is there, limits of time and a cancel hold, no descriptor is left and no zombie (UP1). CHIMED_REEXECS=200 for the long form; CHIMED_SEED repeats one.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
reexecs=${CHIMED_REEXECS:-18}
seed=${CHIMED_SEED:-$((${EPOCHREALTIME/./} % 32768))}
RANDOM=$seed
note "seed $seed"
mkfifo "$T/never"
mkdir "$T/more"
chmod 755 "$T/more"
echo History=1000000 >>"$T/chimed.conf"

write_slot_job() { # NAME PERIOD_MS MILLISECONDS SETTING...
        {
                printf '%s\n' "Every=$2ms" Mode=fixed-rate Log=all StandardOutput=null "${@:4}"
                echo "Command=$CHIMED_BUILD/tests/slot_job $T/out/$1.began $3 $T/out/$1.ended"
        } | write_job "$1"
}

write_more() { # NAME SETTING... <SCRIPT
        printf '%s\n' "[job $1]" Log=all "${@:2}" Script= >"$T/more/$1.ini"
        sed 's/^/ /' >>"$T/more/$1.ini"
}

write_jobs() {
        local i
        for ((i = 0; i < 10; i++)); do
                write_slot_job "rate$i" $((200 + 43 * i)) $((i % 4 * 60 + 10))
        done
        write_slot_job cond 400 20 "ExecCondition=/bin/sleep 0.1"
        for ((i = 0; i < 45; i++)); do
                write_more "long$i" OnBoot=0s <<<"exec sleep 1000"
        done
        for ((i = 0; i < 5; i++)); do # each line in two pieces
                write_more "talk$i" OnBoot=0s <<EOF
n=0
while :; do
        n=\$((n + 1))
        printf 'line '
        sleep 0.1
        echo "number \$n"
        echo \$n >>$T/out/talk$i
done
EOF
        done
        write_more stubborn OnBoot=0s KillGrace=2s <<EOF
trap 'echo term >>$T/out/stubborn' TERM
while :; do sleep 0.05; done
EOF
        write_more limited Every=900ms Timeout=400ms KillGrace=200ms <<EOF
trap '' TERM
while :; do sleep 0.05; done
EOF
}

# Every line that a job says to have written is in the log once, whole and in order.
check_output() {
        local i n
        for ((i = 0; i < 5; i++)); do
                n=$(wc -l <"$T/out/talk$i")
                ((n > 10)) || die "seed $seed: talk$i said little"
                grep -aF "\"CHIMED_JOB\":\"talk$i\"" "$log" | grep -aF '"CHIMED_STREAM":"stdout"' | jq -r .MESSAGE | head -n "$n" >"$T/said"
                seq -f 'line number %g' "$n" >"$T/wanted"
                cmp -s "$T/wanted" "$T/said" || die "seed $seed: lines of talk$i: $(diff "$T/wanted" "$T/said" | head -n 5)"
        done
}

descriptors() { find "/proc/$daemon/fd" -type l -printf '%l\n' 2>/dev/null || true; } # some come and go
# All but those of runs.
count_descriptors() { descriptors | grep -cvE '^pipe:|\[pidfd\]$'; }
least_descriptors() { for _ in {1..10}; do count_descriptors && sleep 0.05; done | sort -n | head -n 1; } # without a reader's
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }
has_a_pidfd_a_child() { # and no other
        [ "$(descriptors | grep -c '\[pidfd\]$')" = "$(cat "/proc/$daemon/task/"*/children | wc -w)" ]
}
has_no_zombie() {
        local pid
        for pid in $(cat "/proc/$daemon/task/"*/children); do
                if grep -qsE '^State:[[:space:]]*Z' "/proc/$pid/status"; then
                        return 1
                fi
        done
}

n=0
reexec() {
        read -r -t "0.$(printf %03d $((RANDOM % 250)))" <>"$T/never" || true
        n=$((n + 1))
        echo "scheduler ${EPOCHREALTIME/./}" >>"$T/kills"
        kill -USR2 "$daemon"
        wait_event re-executed "" 20 "$n"
}

is_long_running() { [ "$(pgrep -cf '^sleep 1000' -P "$daemon")" = 45 ]; }
all_ended() { # every run that said so itself has a record of its end
        cat "$T"/out/*.ended | cut -d ' ' -f 2 | sort >"$T/ran"
        { events ended && events failed; } | jq -r '.CHIMED_RUN_ID' | sort -u >"$T/told"
        [ -z "$(comm -23 "$T/ran" "$T/told")" ]
}

cancel_in_between() {
        timeout 20 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" cancel stubborn >"$T/cancelled" 2>&1 &
        until_true 10 file_exists "$T/out/stubborn"
        reexec
        reexec
        wait_event ended stubborn 20
        assert_event ended stubborn CHIMED_RESULT=cancelled
        wait $! || true # who asked has lost its scheduler
        assert_equal "TERMs" 1 "$(wc -l <"$T/out/stubborn")"
}

check_limits() {
        local us
        until_true 20 has_events 3 timed-out limited
        while read -r us; do
                ((us >= 400000 && us < 5000000)) || die "seed $seed: ended by its limit of 400 ms after $us us"
        done < <(events timed-out limited | jq -r .CHIMED_DURATION_USEC)
}

live() { # STATE
        local at_5 i
        start_daemon "--jobs=$T/more" "--state=$1"
        until_true 10 is_long_running
        pgrep -f '^sleep 1000' -P "$daemon" >"$T/before"
        for ((i = 0; i < reexecs; i++)); do
                if ((i == 5)); then
                        until_true 10 has_a_pidfd_a_child
                        at_5=$(least_descriptors)
                        cancel_in_between
                fi
                if ((i % 8 == 7)); then # what it has not acknowledged goes with the others
                        kill -KILL "$(scheduler_pid)" || true
                fi
                reexec
        done
        until_true 10 has_descriptors "$at_5"
        until_true 10 has_a_pidfd_a_child
        until_true 10 has_no_zombie
        pgrep -f '^sleep 1000' -P "$daemon" | cmp -s - "$T/before" || die "seed $seed: a run is gone"
        assert_equal "runs that began anew" 45 "$(events started | grep -c '"CHIMED_JOB":"long')"
        mark=$(wc -l <"$T/out/rate0.began")
        until_true 10 has_lines "$T/out/rate0.began" $((mark + 3))
        check_limits
        kill -USR2 "$daemon" # a stop goes before
        stop_daemon 10
        check_output
}

write_jobs
live ""
until_true 10 all_ended
for file in "$T"/out/*.began; do
        job=${file##*/} job=${job%.began}
        [ -z "$(cut -d ' ' -f 1 "$file" | sort | uniq -d)" ] || die "seed $seed: $job ran a slot twice"
        period=400
        [ "$job" = cond ] || period=$((200 + 43 * ${job#rate}))
        python3 "$here/account.py" "--job=$job" "--period=${period}000" --may-retell <"$log" >"$T/said" ||
                die "seed $seed: $job: $(cat "$T/said")"
done
note "$n times without a ledger"
: >"$log"
rm -f "$T"/out/* "$T"/run/* "$T/kills" # and that this boot has had its runs
n=0 log_from=1
live "$T/state"
python3 "$here/kills_account.py" "--ledger=$T/state/ledger.db" "--out=$T/out" "--jobs=$T/jobs" "--kills=$T/kills" ||
        die "seed $seed: the ledger and the jobs disagree"
