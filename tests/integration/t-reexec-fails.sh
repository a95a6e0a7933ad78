#!/bin/bash
# SPDX-License-Identifier: MIT
# What the runner is to execute anew can't be executed, may be written by others, is another version, or can't read what it is handed over:
# all goes on as it was, or the runs are ended and interrupted, and it is told (UP1).
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

put_runner() { # <FILE, whole at once, as packages do
        cat >"$T/bin/new"
        chmod 755 "$T/bin/new"
        mv "$T/bin/new" "$T/bin/chimed-runner"
}
ticks() { wc -l <"$T/out/tick"; }
goes_on() {
        until_true 10 has_lines "$T/out/tick" $(($(ticks) + 3))
        assert_equal "runs of long" 1 "$(wc -l <"$T/out/long")"
        is_gone "$(cat "$T/out/long")" && die "the run is gone"
        assert_equal "the runner" "$(cat "$T/run/lock")" "$daemon"
}
refuses() { # REASON
        mark_log
        kill -USR2 "$daemon"
        wait_event degraded
        assert_contains "the record" "not re-executed and goes on as it was: $T/bin/chimed-runner: $1" "$(event_field MESSAGE degraded)"
        goes_on
}
program_of() { stat -Lc %i "/proc/$1/exe"; }
is_program_of() { [ "$(program_of "$2" 2>/dev/null)" = "$(stat -c %i "$1")" ]; }

cp "$T/bin/chimed-runner" "$T/runner"
start_daemon "--state=$T/state"
until_true 10 file_exists "$T/out/long"

chmod o+w "$T/bin/chimed-runner"
before=$(scheduler_pid)
refuses "others can write it"
assert_equal "the scheduler" "$before" "$(scheduler_pid)"
rm "$T/bin/chimed-runner"
refuses "No such file"
put_runner <<<"no program"
refuses "Exec format error"

# an upgrade: both programs are new ones
put_runner <"$T/runner"
cp "$T/bin/chimed" "$T/bin/new"
mv "$T/bin/new" "$T/bin/chimed"
kill -USR2 "$daemon"
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

# one byte is not as it was written
cp "$T/runner" "$T/bin/real-runner"
put_runner <<EOF
#!/bin/bash
for word; do
        case \$word in --resume=*) fd=\${word#*=} ;; esac
done
cat /proc/\$\$/fd/\$fd >$T/state.bin
printf x | dd of=$T/state.bin bs=1 seek=300 conv=notrunc status=none
eval "exec \$fd<$T/state.bin"
exec -a chimed-runner $T/bin/real-runner "\$@"
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
