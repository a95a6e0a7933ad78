#!/bin/bash
# SPDX-License-Identifier: MIT
# A thousand runs that end in one instant: each has its own result (PR9). And no number of a process is ever signalled, which could be
# another's by then: only what is held by a descriptor (PR8).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
n=1000

# ---- a thousand ends ----

touch "$T/gate"
for ((i = 0; i < n; i++)); do
        status=$((i % 7 == 6 ? 256 + (i % 2 ? 9 : 15) : i % 256))
        printf '[job gate%d]\nEvery=1h\nLog=all\nStandardOutput=null\nCommand=%s %s %d\n' "$i" "$CHIMED_BUILD/tests/gate_job" "$T/gate" "$status"
        echo "gate$i $status" >>"$T/wanted"
done >"$T/jobs/gates.ini"
exec 9<"$T/gate"
flock -x 9
start_daemon 9<&-
wait_event started "" 60 $n
assert_equal "ends before the gate is open" "" "$(events ended)$(events failed)"
began=$(milliseconds)
flock -u 9
n_over() { (($(count_events ended) + $(count_events failed) >= n)); }
until_true 30 n_over
note "$n runs ended and were told in $(($(milliseconds) - began)) ms"
for kind in ended failed; do
        events "$kind" | jq -r '"\(.CHIMED_JOB) \(if .EXIT_CODE == "exited" then .EXIT_STATUS else {"KILL": 265, "TERM": 271}[.EXIT_STATUS] end)"'
done | sort >"$T/found"
sort "$T/wanted" | cmp -s - "$T/found" || die "results: $(sort "$T/wanted" | diff - "$T/found" | head -n 5)"
n_zombies() { grep -lsx "State:.Z (zombie)" /proc/[0-9]*/status | xargs -r grep -lsx "PPid:.$daemon" 2>/dev/null | wc -l; }
no_zombies() { [ "$(n_zombies)" = 0 ]; }
until_true 5 no_zombies
stop_daemon 15

# ---- signals ----

command -v strace >/dev/null || exit 0
rm "$T/jobs/gates.ini"
mark_log
write_job slow <<'EOF'
Every=1h
Log=all
Timeout=500ms
KillGrace=200ms
Script=
 trap '' TERM
 (setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' &)
 while :; do sleep 0.1; done
EOF
write_job leaves <<'EOF'
Every=1h
Log=all
Script=sleep 1008 &
EOF
write_job long <<'EOF'
Every=1h
Log=all
Command=/bin/sleep 1009
EOF
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" # the leak checker can't work under strace
start_daemon --state=
strace -f -qq -o "$T/strace" -p "$daemon" -e trace=kill,tkill,tgkill,pidfd_send_signal &
tracer=$!
await_tracer || exit 0 # may not trace
wait_event timed-out slow
wait_event started long
expect_ctl 0 cancel long
wait_event left-behind leaves
expect_ctl 0 trigger leaves # its program may be about to end just when it is ended: what it leaves is found all the same
stop_daemon 15
tracer_is_gone() { is_zombie_or_gone "$tracer"; }
until_true 5 tracer_is_gone
wait "$tracer" || true
grep -q 'pidfd_send_signal(.*SIGKILL' "$T/strace" || die "nothing was killed"
assert_equal "signals by number" "" "$(grep -E ' (kill|tkill|tgkill)\([1-9]' "$T/strace" || true)"
assert_equal "what is left alive" "" "$(processes_left)"
