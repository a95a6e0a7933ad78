#!/bin/bash
# SPDX-License-Identifier: MIT
# With a ledger, what was known is known again: after a kill of the scheduler, an orderly restart, and a kill of both processes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
show() { ctl --json=short show "$1" | jq -r "$2"; } # JOB FILTER
answers() { ctl list >/dev/null 2>&1; }
has() { # JOB FILTER VALUE
        [ "$(show "$1" "$2" 2>/dev/null)" = "$3" ]
}
has_runs() { # JOB N: at least
        [ "$(show "$1" .runs 2>/dev/null)" -ge "$2" ]
}

# What must be so whoever died.
assert_remembered() { # WHEN
        until_true 10 answers
        assert_equal "$1: state of held" paused "$(show held .state)"
        assert_equal "$1: who paused it" root:moving "$(show held '.hold.by + ":" + .hold.reason')"
        assert_equal "$1: state of gone" cancelled "$(show gone .state)"
        assert_equal "$1: interval of tick" "every 1h, fixed rate" "$(show tick .schedule)"
        # an interval counts on the clock since boot; told as wall-clock time it may differ by what two readings differ
        local off=$(($(show hourly .nextSlotUsec) - hourly))
        ((off > -1000000 && off < 1000000)) || die "$1: the next slot of hourly is $off us off"
        assert_equal "$1: runs of once" 1 "$(show once .runs)"
        assert_equal "$1: value of once" "only this" "$(show once .lastGood.value | tr -d '\n')"
        assert_equal "$1: failures of bad" "$bad" "$(show bad .failures)"
}

need_root # for the name of who paused it
write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Command=/bin/true
EOF
write_job hourly <<'EOF'
Every=1h
Mode=fixed-rate
Command=/bin/true
EOF
write_job held <<'EOF'
Every=1s
Command=/bin/true
EOF
write_job gone <<'EOF'
Every=1s
Command=/bin/true
EOF
write_job once <<'EOF'
Command=/bin/echo only this
EOF
write_job bad <<'EOF'
Every=200ms
Script=exit 3
EOF
start_daemon "--state=$T/state"
until_true 10 has_runs bad 2
until_true 10 has_runs tick 3
ctl -q pause held --reason=moving
ctl -q cancel gone
ctl -q cancel bad
ctl -q set-interval tick 1h
ctl -q trigger --wait once >/dev/null
until_true 10 has once .runs 1
hourly=$(show hourly .nextSlotUsec)
bad=$(show bad .failures)
assert_equal "rights of the folder" 700 "$(stat -c %a "$T/state")"
mark_log
kill -KILL "$(scheduler_pid)"
wait_event ready
assert_remembered "after a kill of the scheduler"

stop_daemon
mark_log
start_daemon "--state=$T/state"
assert_remembered "after a restart"

scheduler=$(scheduler_pid)
kill -KILL "$daemon" "$scheduler"
wait "$daemon" 2>/dev/null || true
daemon=
until_true 10 is_gone "$scheduler"
mark_log
start_daemon "--state=$T/state"
assert_remembered "after a kill of both"

# what was answered is durable: both die as soon as the client has its answer
for i in 1 2 3 4 5 6; do
        scheduler=$(scheduler_pid)
        [ $((i % 2)) = 1 ] && verb=resume state=waiting || verb=pause state=paused
        ctl -q "$verb" held && kill -KILL "$daemon" "$scheduler"
        wait "$daemon" 2>/dev/null || true
        daemon=
        until_true 10 is_gone "$scheduler"
        start_daemon "--state=$T/state"
        until_true 10 answers
        assert_equal "$verb, then both die ($i)" "$state" "$(show held .state)"
done

ctl -q resume held
ctl -q start gone
until_true 10 has held .state waiting
runs=$(show gone .runs)
until_true 10 has_runs gone $((runs + 1))
stop_daemon
