#!/bin/bash
# SPDX-License-Identifier: MIT
# What happens to the journal happens to records only: a journald that is killed and comes back, a full disk below it, and none at all.
# Slots are on time meanwhile, what can be written is, and nothing is told again and again.
export JOURNALD_ROOM=64M
. "$(dirname "${BASH_SOURCE[0]}")/lib-journald.sh"

n_kills=2
write_job own <<END
Every=100ms
Mode=fixed-rate
Log=failures
Command=$CHIMED_BUILD/tests/slot_job $T/out/own
END
# one long run, a line each 20 ms, up to the number in a file; then it waits for another number
write_job talk <<END
OnBoot=no
Log=all
Script=
 i=0
 while [ ! -e $T/out/end ]; do
  read -r upto 2>/dev/null <$T/out/upto || upto=0
  while [ \$i -lt \$upto ]; do i=\$((i + 1)); echo "line \$i"; [ -e $T/out/fast ] || /bin/sleep 0.02; done
  echo \$i >$T/out/said.new; mv $T/out/said.new $T/out/said
  /bin/sleep 0.05
 done
END
talk() { # UPTO: lets it go on
        echo "$1" >"$T/out/upto.new"
        mv "$T/out/upto.new" "$T/out/upto"
}
has_said() { [ "$(cat "$T/out/said" 2>/dev/null)" = "$1" ]; }
has_said_in_journal() { # N: the latest line there is the Nth, or one after it
        local last
        timeout 20 journalctl --sync || true
        last=$(journal -n 1 SYSLOG_IDENTIFIER=talk CHIMED_STREAM=stdout | jq -r '.MESSAGE | ltrimstr("line ")')
        ((${last:-0} >= $1))
}
journald_is_another() { [ "$(cat /run/journald.pid)" != "$1" ] && timeout 5 journalctl --sync 2>/dev/null; }
# The job's own slots go on, whatever becomes of records.
assert_own_slots() { # FROM: the line of its file
        local gaps
        gaps=$(awk -v from="$1" 'NR > from && last && $1 - last > 2000000 { n++ } { last = $1 } END { print n + 0 }' "$T/out/own")
        assert_equal "gaps in the job's own ticks" 0 "$gaps"
}

start_daemon --log=journal
expect_ctl 0 trigger talk
wait_event started talk

# killed and started anew, while there is much to write; each death may cost the record that it had in its hands
talk $((n_kills * 100))
for ((i = 1; i <= n_kills; i++)); do
        until_true 30 has_said_in_journal $((i * 60))
        pid=$(cat /run/journald.pid)
        kill -KILL "$pid"
        until_true 30 journald_is_another "$pid"
done
until_true 60 has_said $((n_kills * 100))
talk $((n_kills * 100 + 1))
until_true 30 has_said_in_journal $((n_kills * 100 + 1))
lines=$(n_journal SYSLOG_IDENTIFIER=talk CHIMED_STREAM=stdout)
((lines >= n_kills * 100 + 1 - n_kills)) || die "$lines of $((n_kills * 100 + 1)) lines are left after $n_kills deaths of journald"
assert_own_slots 1
note "journald killed $n_kills times: $lines of $((n_kills * 100 + 1)) lines"

# no room: whatever journald makes of that (it takes old files away, as long as there are some), it is not ours to wait for
head -c 1G /dev/zero >/run/log/journal/filler 2>/dev/null || true
ticks=$(wc -l <"$T/out/own")
touch "$T/out/fast"
talk 20000
until_true 60 has_said 20000
until_true 60 has_lines "$T/out/own" $((ticks + 20))
assert_own_slots "$ticks"
kept=$(n_journal SYSLOG_IDENTIFIER=talk CHIMED_STREAM=stdout)
rm /run/log/journal/filler
rm "$T/out/fast"
for ((i = 20001; i < 21000; i++)); do # what was queued before may go the way of the others, and of one run not all is taken at a time
        talk "$i"
        until_true 30 has_said "$i"
        ! has_said_in_journal "$i" || break
done
((i < 21000)) || die "no line comes to the journal after there is room again"
note "disk full: $kept of 20000 lines kept, and again from line $i on"
touch "$T/out/end"
wait_event ended talk 30
expect_ctl 0 audit
stop_daemon
troubles=$(n_journal CHIMED_EVENT=degraded)
((troubles <= 100)) || die "$troubles records of trouble"

# none: the same records are lines on standard error, a line each, and that there is no journal is no trouble
umount -l /run/log/journal
mount -t tmpfs nothing /run/systemd/journal
rm -f "$T/jobs"/*.ini "$T/out/own"
write_job own <<END
Every=100ms
Mode=fixed-rate
Log=all
Script=echo "said in a run"
END
log=$T/lines
refresh_log() { :; }
"$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/alone" </dev/null >/dev/null 2>"$log" &
daemon=$!
has_ended() { [ "$(grep -c 'CHIMED_EVENT=ended CHIMED_JOB=own ' "$log")" -ge 10 ]; }
until_true 30 has_ended
kill -TERM "$daemon"
wait "$daemon" || die "status $? without a journal"
daemon=
assert_equal "what is no line of records" 0 "$(grep -cvE '^time=[0-9T:.-]+Z level=[a-z]+ ' "$log")"
assert_equal "errors" 0 "$(grep -c ' level=err ' "$log")"
started=$(grep -c 'CHIMED_EVENT=started ' "$log")
assert_equal "lines of the job" "$started" "$(grep -c 'MESSAGE="said in a run"' "$log")"
assert_equal "kinds" "ended ready started stopped" "$(grep -oE 'CHIMED_EVENT=[a-z-]+' "$log" | cut -d = -f 2 | grep -vx missed | sort -u | tr '\n' ' ' | sed 's/ $//')"
note "no journald: $started runs in $(wc -l <"$log") lines"
