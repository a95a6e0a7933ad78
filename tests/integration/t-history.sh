#!/bin/bash
# SPDX-License-Identifier: MIT
# The ledger is read: what ran, what did not and why, over a restart and a kill; the audit is clean, and finds a slot that was taken out.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
answers() { ctl list >/dev/null 2>&1; }
past() { ctl --json=short history "$@"; }
why() { ctl --json=short why "${@:2}" | jq -r "$1"; } # FILTER JOB [OPTION...]
slots() {                                             # JOB OUTCOME REASON: how many slots
        past "$1" --missed --since=@0 | jq --arg o "$2" --arg r "$3" \
                '[.missed[] | select(.outcome == $o and .reason == $r) | .count] | add // 0'
}
has_slots() { (($(slots "$1" "$2" "$3") >= $4)); } # JOB OUTCOME REASON N
n_runs() { past "$@" --since=@0 | jq '.runs | length'; }
has_runs() { (($(n_runs "$1") >= $2)); }
is_past() { ((${EPOCHREALTIME/./} > $1)); }                              # USEC
instant() { echo "--at=@$(($1 / 1000000)).$(printf %06d $(($1 % 1000000)))"; } # USEC
start_ledger() {
        mark_log
        start_daemon "--state=$T/state"
        until_true 10 answers
}
assert_clean() { # WHEN
        local found
        found=$(ctl audit 2>&1) || die "$1: the audit found: $found"
        assert_contains "$1" "each has one outcome" "$found"
}

need_root # for the name of who paused it
command -v sqlite3 >/dev/null || skip "needs sqlite3"
write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
CatchUp=one
Command=/bin/true
EOF
write_job slow <<'EOF'
Every=200ms
Mode=fixed-rate
Script=sleep 1
EOF
write_job bad <<'EOF'
Every=300ms
Log=all
Script=echo it went wrong; exit 3
EOF
write_job held <<'EOF'
Every=100ms
Mode=fixed-rate
Command=/bin/true
EOF
write_job once <<'EOF'
Command=/bin/echo only this
EOF

# without a ledger it is said how to get one
start_daemon --state=
until_true 10 answers
found=$(ctl history 2>&1) && die "a history without a ledger: $found"
assert_contains "without a ledger" "--state=DIR" "$found"
ctl audit 2>/dev/null && die "an audit without a ledger"
stop_daemon

start_ledger
until_true 10 has_runs tick 5
until_true 10 has_slots slow missed overlap 5
until_true 10 has_runs bad 2
until_true 10 has_runs held 2
ctl -q pause held --reason=moving
paused=$((${EPOCHREALTIME/./} + 200000))
ctl -q trigger --wait once >/dev/null

# a run is there as soon as it has ended, with what it said
assert_equal "result of once" success "$(past once | jq -r '.runs[0].result')"
assert_equal "value of once" "only this" "$(past once | jq -r '.runs[0].value' | tr -d '\n')"
assert_equal "results of bad" '["failed"]' "$(past bad --failed --since=@0 | jq -c '[.runs[].result] | unique')"
assert_equal "failed runs of once" 0 "$(n_runs once --failed)"
assert_equal "rows of -n" 3 "$(ctl history tick -n 3 --no-legend | wc -l)"
assert_contains "the screen of slow" overlap "$(ctl history slow)"

# why, at an instant: while the pause lasts it is what is known, afterwards each slot in it
assert_contains "why held" "It was paused by root" "$(ctl why held --at=now)"
until_true 10 is_past $((paused + 100000))
ctl -q resume held
until_true 10 has_slots held withheld paused 3
assert_equal "why held" "paused withheld" "$(why '.reason + " " + .outcome' held "$(instant "$paused")")"
missed=$(past slow --missed | jq '[.missed[] | select(.reason == "overlap")][0].firstSlotUsec')
assert_equal "why slow" "overlap missed" "$(why '.reason + " " + .outcome' slow "$(instant "$missed")")"
assert_contains "why slow" "was in flight, from 2" "$(why '.sentences[1]' slow "$(instant "$missed")")"
assert_contains "why once" "Nothing is known of a slot" "$(ctl why once --at=now)"
assert_clean "while it runs"

# what a run wrote is asked of the journal, by its time
mkdir "$T/bin"
cat >"$T/bin/journalctl" <<'EOF'
#!/bin/sh
printf '%s\n' "$@"
EOF
chmod +x "$T/bin/journalctl"
arguments=$(PATH="$T/bin:$PATH" ctl log once "--run=$(past once | jq '.runs[0].runId')")
for part in --since=@1 --until=@1 SYSLOG_IDENTIFIER=once CHIMED_JOB=once; do
        assert_contains "log --run" "$part" "$arguments"
done
assert_contains "log" --lines=100 "$(PATH="$T/bin:$PATH" ctl log once)"
assert_contains "log -f" --follow "$(PATH="$T/bin:$PATH" ctl log once -f -n 7 --since=yesterday)"
found=$(PATH="$T/bin:$PATH" ctl log once --run=999999 2>&1) && die "the log of a run that is not there"
assert_contains "log of no run" "run 999999 is not in the ledger" "$found"
found=$(PATH="$T/nothing" ctl log once 2>&1) && die "a log without journalctl"
assert_contains "no journalctl" "only journalctl reads it" "$found"

# over an orderly restart, and over a kill of both processes: what passed meanwhile is told with the time
stop_daemon
down=$((${EPOCHREALTIME/./} + 2500000)) # behind what was claimed
until_true 10 is_past $((down + 300000))
start_ledger
until_true 10 has_slots tick merged down 2
assert_clean "after a restart"
assert_equal "why tick" "down merged" "$(why '.reason + " " + .outcome' tick "$(instant "$down")")"
sentences=$(why '.sentences | join(" ")' tick "$(instant "$down")")
assert_contains "why tick" "chimed was last heard of at 2" "$sentences"
assert_contains "why tick" "It was merged into run" "$sentences"
assert_equal "runs of once" 1 "$(n_runs once)"

scheduler=$(scheduler_pid)
kill -KILL "$daemon" "$scheduler"
wait "$daemon" 2>/dev/null || true
daemon=
until_true 10 is_gone "$scheduler"
runs=$(sqlite3 -readonly "$T/state/ledger.db" "SELECT count(*) FROM runs WHERE job = 'tick'")
start_ledger
until_true 10 has_runs tick $((runs + 3))
assert_clean "after a kill"

# the screens know it, too
lists_missed() { [[ "$(ctl list slow)" == *" of 5"* ]]; }
until_true 10 lists_missed
assert_contains "show" "Recent " "$(ctl show slow)"

# a job that has gone has its history
rm "$T/jobs/once.ini"
ctl -q reload
ctl show once 2>/dev/null && die "once is still defined"
assert_equal "runs of once" 1 "$(n_runs once)"
stop_daemon

# a row that is taken out of the file is found, by the names of its slots
read -r id first last < <(sqlite3 -separator ' ' "$T/state/ledger.db" "SELECT slots.id, slots.first, slots.last FROM slots
        JOIN job ON job.id = slots.job WHERE job.name = 'slow' AND outcome = 1 AND slots.first < slots.last ORDER BY slots.id LIMIT 1")
sqlite3 "$T/state/ledger.db" "DELETE FROM slots WHERE id = $id"
start_ledger
status=0
found=$(ctl audit 2>&1) || status=$?
assert_equal "exit status of the audit" 1 "$status"
assert_contains "the audit" "slow: gap: $((last - first + 1)) slots, " "$found"
assert_contains "the audit" "slots $first to $last)" "$(tr -s ' \n' ' ' <<<"$found")"
assert_contains "the audit" "1 fault in 1 of " "$found"
ctl -q audit tick bad held >/dev/null || die "the other jobs are not clean"
note "$(ctl audit tick bad held | tail -n 1)"
stop_daemon
