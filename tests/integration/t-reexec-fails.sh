#!/bin/bash
# SPDX-License-Identifier: MIT
# What the runner is to execute anew can't be executed, may be written by others, can't run, knows other forms, or does not answer: all goes
# on as it was, the scheduler, too. It can't read what it is handed over: the runs are ended and interrupted. All is told (UP1).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
mkdir "$T/bin"
cp "$CHIMED_BUILD"/{chimed,chimed-runner,chimectl} "$T/bin"
chmod 755 "$T" "$T/bin" "$T"/bin/*
slot_job=$CHIMED_BUILD/tests/slot_job
CHIMED_BUILD=$T/bin

write_job tick <<EOF
Every=200ms
Mode=fixed-rate
Command=$slot_job $T/out/tick
EOF
write_job long <<EOF
OnBoot=0s
Log=all
Script=echo "\$\$" >>$T/out/long; exec sleep 1000
EOF

program=$T/bin/chimed-runner # what is executed anew
put_runner() { # <FILE, whole at once, as packages do
        cat >"$T/bin/new"
        chmod 755 "$T/bin/new"
        mv "$T/bin/new" "$program"
}
# What is executed anew does this before it becomes the runner, whose program is another one from then on.
put_wrapper() { # <SCRIPT
        cp "$T/runner" "$program-"
        # shellcheck disable=SC2016
        { printf '#!/bin/bash\nif [ "$1" != --version ]; then\n' && cat && printf 'fi\nexec -a chimed-runner %s "$@"\n' "$program-"; } | put_runner
        program+=-
}
ticks() { wc -l <"$T/out/tick"; }
goes_on() {
        until_true 10 has_lines "$T/out/tick" $(($(ticks) + 3))
        assert_equal "runs of long" 1 "$(wc -l <"$T/out/long")"
        is_gone "$(cat "$T/out/long")" && die "the run is gone"
        assert_equal "the runner" "$(cat "$T/run/lock")" "$daemon"
}
refuses() { # REASON
        local before
        mark_log
        before=$(scheduler_pid)
        "$T/runner" --reexec "--run=$T/run" 2>"$T/refusal" && die "it is said to be re-executed"
        assert_contains "what is said" "it is not re-executed and goes on as it was: $T/bin/chimed-runner: $1" "$(cat "$T/refusal")"
        wait_event degraded "" 20
        assert_equal "the scheduler" "$before" "$(scheduler_pid)"
        assert_contains "the record" "not re-executed and goes on as it was: $T/bin/chimed-runner: $1" "$(event_field MESSAGE degraded)"
        goes_on
}
program_of() { stat -Lc %i "/proc/$1/exe"; }
is_program_of() { [ "$(program_of "$2" 2>/dev/null)" = "$(stat -c %i "$1")" ]; }

cp "$T/bin/chimed-runner" "$T/runner"
start_daemon "--state=$T/state"
until_true 10 file_exists "$T/out/long"

chmod o+w "$T/bin/chimed-runner"
refuses "others can write it"
rm "$T/bin/chimed-runner"
refuses "No such file"
put_runner <<<"no program"
refuses "Exec format error"

# it is asked before anything is given up for it
put_runner <<'EOF'
#!/bin/sh
echo 'error while loading shared libraries: libnone.so.1' >&2
exit 127
EOF
refuses "exit status 127: error while loading shared libraries: libnone.so.1"
put_runner <<'EOF'
#!/bin/sh
kill -SEGV $$
EOF
refuses "signal 11"
put_runner <<'EOF'
#!/bin/sh
echo "chimed-runner 99"
echo "takes over: handover 99, runs 99, wire 99"
EOF
refuses 'it can'"'"'t take over the runs, for it does not read "takes over: handover '
put_runner <<EOF
#!/bin/sh
echo \$\$ >$T/out/asked
exec sleep 1000
EOF
refuses "it does not answer"
until_true 10 is_gone "$(cat "$T/out/asked")"

# an upgrade: both programs are new ones
put_runner <"$T/runner"
cp "$T/bin/chimed" "$T/bin/new"
mv "$T/bin/new" "$T/bin/chimed"
"$T/runner" --reexec "--run=$T/run" || die "it is said to be refused"
wait_event re-executed
assert_event re-executed "" CHIMED_COUNT=1
goes_on
is_program_of "$T/bin/chimed-runner" "$daemon" || die "the runner is an old one"
is_program_of "$T/bin/chimed" "$(scheduler_pid)" || die "the scheduler is an old one"

# a scheduler that does not leave is killed
before=$(scheduler_pid)
mark_log
kill -STOP "$before"
kill -USR2 "$daemon"
wait_event re-executed "" 15
is_gone "$before" || die "the scheduler is still there"
goes_on

# the kernel has taken the lock of the run folder away, as one before 5.11 does: it is taken again
put_wrapper <<EOF
: <"$T/run/lock"
EOF
mark_log
kill -USR2 "$daemon"
wait_event re-executed
assert_equal "what is wrong" 0 "$(count_events degraded)"
"$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/run" --log=json >"$T/second" 2>&1 &&
        die "two instances have one folder"
assert_contains "refusal" "another instance uses $T/run (pid $daemon)" "$(cat "$T/second")"
goes_on

# another one was faster: runs go on, and it is told
cat >"$T/take" <<EOF
import fcntl, sys
file = open("$T/run/lock", "r+")
fcntl.lockf(file, fcntl.LOCK_EX)
open("$T/taken", "w")
sys.stdin.read()
EOF
mkfifo "$T/hold"
python3 "$T/take" <>"$T/hold" &
taker=$!
put_wrapper <<EOF
: <"$T/run/lock"
until [ -e "$T/taken" ]; do sleep 0.02; done
EOF
mark_log
kill -USR2 "$daemon"
wait_event re-executed "" 30
assert_contains "the record" "another instance has taken $T/run" "$(event_field MESSAGE degraded)"
goes_on
kill "$taker"
wait "$taker" || true

# one byte is not as it was written
put_wrapper <<EOF
for word; do
        case \$word in --resume=*) fd=\${word#*=} ;; esac
done
cat /proc/\$\$/fd/\$fd >$T/state.bin
printf x | dd of=$T/state.bin bs=1 seek=300 conv=notrunc status=none
eval "exec \$fd<$T/state.bin"
EOF
mark_log
kill -USR2 "$daemon"
wait_event ready
assert_contains "the record" "can't read what it was handed over (Bad message)" "$(event_field MESSAGE degraded)"
is_gone "$(cat "$T/out/long")" || die "the run is still there"
wait_event interrupted long
until_true 10 has_lines "$T/out/tick" $(($(ticks) + 3))
assert_equal "the runner" "$(cat "$T/run/lock")" "$daemon"
stop_daemon
