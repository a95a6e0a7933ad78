#!/bin/bash
# SPDX-License-Identifier: MIT
# TERM at any moment of the start, HUP and INT in storms, TERM with a thousand runs in flight (PR19): a clean end in time, and nothing is
# left behind or half-written.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
n_jobs=1000
is_slow=
! nm "$CHIMED_BUILD/chimed" 2>/dev/null | grep -E '__(asan|tsan)_init' >/dev/null || is_slow=yes
[ -z "$is_slow" ] || n_jobs=200

leaves_well() { # WHAT: having been told to
        local status=0
        until_true 30 is_zombie_or_gone "$daemon"
        wait "$daemon" || status=$?
        daemon=
        assert_equal "exit status after $1" 0 "$status"
        assert_equal "what is left after $1" "" "$(processes_left)"
}

# a start takes some tens of milliseconds: its signals are asked for before the first of them
write_job tick <<'EOF'
Every=50ms
Mode=fixed-rate
Command=/bin/true
EOF
# TERM, number 15, is blocked: it waits to be read
takes_signals() { grep -qs chimed-runner "/proc/$daemon/comm" && grep -qs "^SigBlk:.*[4-7c-f]...$" "/proc/$daemon/status"; }
for ((i = 0; i < 20; i++)); do
        spawn_daemon
        until_true 10 takes_signals
        for ((at = 0; at < i * 100; at++)); do :; done
        kill -TERM "$daemon"
        [ $((i % 3)) != 0 ] || kill -INT "$daemon"
        leaves_well "a signal in start $i"
done

# storms; what they say meanwhile is read, and no slot is forgotten
mark_log
start_daemon
before=$(count_events reload)
for ((i = 0; i < 1000; i++)); do
        kill -HUP "$daemon"
done
rm "$T/jobs/tick.ini"
write_job last <<'EOF'
Every=1h
Log=all
Command=/bin/true
EOF
kill -HUP "$daemon"
wait_event ended last
after=$(count_events reload)
((after - before <= 1002)) || die "$((after - before)) reloads for 1001 signals"
for ((i = 0; i < 200; i++)); do
        kill -INT "$daemon" 2>/dev/null || break
done
leaves_well "a storm of INT"

# a thousand runs
rm "$T/jobs/last.ini"
for ((i = 0; i < n_jobs; i++)); do
        printf '[job j%d]\nEvery=1h\nLog=all\nCommand=/bin/sleep 61\n' "$i"
done >"$T/jobs/many.ini"
mark_log
start_daemon
wait_event started "" 60 "$n_jobs"
stop_daemon 30
note "stopped with $n_jobs runs in flight in $stop_took ms"
assert_equal "what is left alive" "" "$(processes_left)"
assert_equal "runs that were ended and told" "$n_jobs" "$(events ended | jq -r 'select(.CHIMED_RESULT == "cancelled").CHIMED_JOB' | sort -u | wc -l)"
