#!/bin/bash
# SPDX-License-Identifier: MIT
# Host processes: of the job's user and limits, one for jobs that share it; they and the ticks that they have outlive a scheduler that is
# killed and a re-execution of the runner; what kills one costs its tick; none outlives the runner; no descriptor is left of any.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# Answers each line, once the file beside it named hold is gone.
cat >"$T/answer" <<'EOF'
#!/bin/sh
while read -r line; do
        echo asked >>"$1.asked"
        while [ -e "$1.hold" ]; do sleep 0.02; done
        echo "answer of $$"
done
EOF
chmod 755 "$T/answer"

write_hosted() { # JOB SETTING...
        printf '%s\n' Log=all "Coprocess=$T/answer $T/out/$1" "${@:2}" | write_job "$1"
}
run_once() { # JOB: said is its value
        expect_ctl 0 trigger --wait "$1"
        expect_ctl 0 --json show "$1"
        said=$(jq -r '.. | .value? // empty' <<<"$said" | head -n 1)
}
begin_held() { # JOB: a tick of it is under way until its hold is removed
        local lines=0
        [ ! -e "$T/out/$1.asked" ] || lines=$(wc -l <"$T/out/$1.asked")
        touch "$T/out/$1.hold"
        expect_ctl 0 history "$1" # what has ended is in the ledger then: no scheduler tells it again
        mark_log
        expect_ctl 0 trigger "$1"
        until_true 10 has_lines "$T/out/$1.asked" $((lines + 1))
}

write_hosted alone Every=1h
write_hosted one Every=1h PluginHost=both
write_hosted two Every=1h PluginHost=both
start_daemon
run_once alone
run_once one
run_once two
alone=$(host_pids alone) both=$(host_pids both)
[[ $alone =~ ^[0-9]+$ && $both =~ ^[0-9]+$ ]] || die "hosts: of alone '$alone', of both '$both'"
first=$said
run_once two
assert_equal "what answers again" "$first" "$said"

# ---- a scheduler that is killed, and an exec: with a tick under way ----
survive() { # COMMAND...
        local scheduler
        begin_held alone
        scheduler=$(scheduler_pid)
        "$@"
        until_true 20 is_gone "$scheduler"
        wait_event ready "" 20
        assert_equal "the host of alone" "$alone" "$(host_pids alone)"
        assert_equal "the host of both" "$both" "$(host_pids both)"
        [ "$(count_events ended alone)" = 0 ] || die "a tick has ended that is under way"
        rm "$T/out/alone.hold"
        wait_event ended alone
        assert_event ended alone CHIMED_RESULT=success
}
kill_scheduler() { kill -KILL "$(scheduler_pid)"; }
reexecute() { kill -USR2 "$daemon"; }
lines=$(wc -l <"$T/out/alone.asked")
survive kill_scheduler
survive reexecute
survive kill_scheduler
assert_equal "lines to alone" $((lines + 3)) "$(wc -l <"$T/out/alone.asked")"
run_once two
assert_equal "what answers after all" "$first" "$said"

# ---- a host that is killed costs its tick, and the next one is given to another ----
begin_held alone
kill -KILL "$alone"
until_true 10 is_gone "$alone"
rm "$T/out/alone.hold"
until_true 10 has_events 1 "(ended|interrupted)" alone
run_once alone
[ "$(host_pids alone)" != "$alone" ] || die "the host of alone is not another one"
assert_equal "the host of both" "$both" "$(host_pids both)"

# ---- what they are ----
if [ "$(id -u)" = 0 ]; then
        write_hosted dressed Every=1h User=61001 Group=61002 UMask=0077 Nice=5 LimitNOFILE=77:88 NoNewPrivileges=yes \
                WorkingDirectory=/tmp Environment=DRESSED=yes
        expect_ctl 0 reload
        run_once dressed
        pid=$(host_pids dressed)
        status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status" | tr '\t' ' '; }
        assert_equal user "61001 61001 61001 61001" "$(status Uid)"
        assert_equal group "61002 61002 61002 61002" "$(status Gid)"
        assert_equal capabilities 0000000000000000 "$(status CapEff)"
        assert_equal umask 0077 "$(status Umask)"
        assert_equal "no new privileges" 1 "$(status NoNewPrivs)"
        assert_equal "nice level" 5 "$(cut -d ' ' -f 19 "/proc/$pid/stat")"
        assert_equal "limit of descriptors" "77 88" "$(awk '/^Max open files/ { print $4, $5 }' "/proc/$pid/limits")"
        assert_equal "working directory" /tmp "$(readlink "/proc/$pid/cwd")"
        assert_equal variables "CHIMED_JOB CHIMED_RUN_ID DRESSED HOME LANG PATH SHELL TEST_FOLDER" \
                "$(tr '\0' '\n' <"/proc/$pid/environ" | sed 's/=.*//' | sort | tr '\n' ' ' | sed 's/ $//')"
fi

# ---- a hundred of them leave nothing ----
count_descriptors() { find "/proc/$1/fd" -type l 2>/dev/null | wc -l; }
least_descriptors() { for _ in {1..10}; do count_descriptors "$1" && sleep 0.05; done | sort -n | head -n 1; } # without a reader's
has_descriptors() { [ "$(least_descriptors "$1")" = "$2" ]; }
has_hosts() { # N
        (($(cat "/proc/$daemon/task/"*/children | tr ' ' '\n' | sed -n 's|^[0-9]|/proc/&|p' | sed 's|$|/cmdline|' |
                xargs grep -lsa '^chimed-host.many' | wc -l) == $1))
}
scheduler=$(scheduler_pid)
of_runner=$(least_descriptors "$daemon") of_scheduler=$(least_descriptors "$scheduler")
for round in a b; do
        for i in {1..50}; do
                printf '%s\n' "[job many$round$i]" Every=1h "Coprocess=$T/answer $T/out/many"
        done >"$T/new.ini"
        mv "$T/new.ini" "$T/jobs/many.ini"
        expect_ctl 0 reload
        until_true 30 has_hosts 50
        rm "$T/jobs/many.ini"
        expect_ctl 0 reload
        until_true 30 has_hosts 0
done
until_true 20 has_descriptors "$daemon" "$of_runner"
until_true 20 has_descriptors "$scheduler" "$of_scheduler"

# ---- a stop ends them; so does the runner's death ----
stop_daemon
is_zombie_or_gone "$both" || die "a host is there behind a stop"
mark_log
start_daemon
run_once one
begin_held alone
pids="$(host_pids alone) $(host_pids both)"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
daemon=
for pid in $pids; do
        until_true 10 is_zombie_or_gone "$pid"
done
rm "$T/out/alone.hold"
