#!/bin/bash
# SPDX-License-Identifier: MIT
# Jobs that are units, with a systemd that ends them as the test wants: what becomes of each end, what a cancel, a time limit and a stop do to
# one that is slow, ends by force only, or is not answered for.
if [ -z "${CHIMED_UNIT_INSIDE:-}" ]; then
        [ "$(id -u)" = 0 ] || { echo "needs root" && exit 77; }
        unshare --mount --propagation private true 2>/dev/null || { echo "no mount namespace of its own here" && exit 77; }
        CHIMED_UNIT_INSIDE=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ -d /usr/local/sbin ] || skip "there is no /usr/local/sbin"

# only we see these
mount -t tmpfs -o mode=0755 tmpfs /usr/local/sbin
mount -t tmpfs -o mode=0755 tmpfs /run
mkdir -p /run/systemd/system
cat >/usr/local/sbin/systemctl <<END
#!/bin/sh
mkfifo "$T/systemd/reply.\$\$"
echo "\$\$ \$*" >"$T/systemd/requests"
exec <"$T/systemd/reply.\$\$"
read -r status
[ "\$status" = 0 ] || exec >&2
while read -r line; do
        echo "\$line"
done
exit "\$status"
END
chmod 755 /usr/local/sbin/systemctl
mkdir "$T/systemd"
python3 "$here/fake_systemd.py" "$T/systemd" 2>"$T/out/systemd" &
systemd=$!
leave_all() {
        local status=$?
        set +e
        kill -KILL "$systemd" ${bus:+"$bus"} 2>/dev/null
        (exit "$status")
        leave
}
trap leave_all EXIT
until_true 10 file_exists "$T/systemd/requests"

# unit|result of its run|exit status of trigger --wait|its value, without the invocation|its error
table='exit-0|success|0|Result=success|
exit-3|failed|3|Result=exit-code|
exit-255|failed|255|Result=exit-code|
lost|success|0|Result=success|
exit-7|skipped|0|Result=exit-code|
exit-8|success|0|Result=exit-code|
signal-10|signal|138|Result=signal|
signal-9|signal|137|Result=signal|
signal-11|signal|139|Result=signal|
signal-12|success|0|Result=signal|
result-core-dump|signal|137|Result=core-dump|
result-timeout|timeout|124|Result=timeout|
result-oom-kill|oom|137|Result=oom-kill|
result-watchdog|signal|137|Result=watchdog|
result-resources|start-failed|125|Result=resources|unit: systemd lacked resources for it
result-exec-condition|skipped|0|Result=exec-condition|
condition|skipped|0|ConditionResult=no|
assertion|start-failed|125|AssertResult=no|unit: an assertion of the unit does not hold
limit|start-failed|125|Result=start-limit-hit|unit: it was started too often (StartLimitBurst=)
refused|start-failed|125|Job=failed|unit: systemd did not start it; the run'\''s output says why
masked|start-failed|125|LoadState=masked|unit: the unit is masked
missing|start-failed|125|LoadState=not-found|unit: there is no such unit
bad-setting|start-failed|125|LoadState=bad-setting|unit: the unit'\''s file has errors
staying|start-failed|125|RemainAfterExit=yes|unit: RemainAfterExit=yes: such a unit does not end, and starts but once'
write_unit() { # JOB UNIT [SETTING...]
        printf '%s\n' "Unit=$2" 'SkipExitStatus=7' 'SuccessExitStatus=8 USR2' "${@:3}" | write_job "$1"
}
while IFS='|' read -r unit _; do
        write_unit "$unit" "$unit.service"
done <<<"$table"
write_unit slow slow 'Description=a unit that takes long'
write_unit limited slow Timeout=300ms
write_unit stubborn stubborn KillGrace=300ms
write_unit at-once stubborn KillGrace=0
write_unit stuck stuck KillGrace=300ms
write_unit dead dead KillGrace=300ms
write_unit busy busy
write_unit firm firm KillGrace=2s
write_unit guarded guarded Timeout=20s
write_unit asked exit-0 ExecCondition=/bin/true "ConditionPathExists=$T"
write_unit unasked exit-0 ExecCondition=/bin/false
start_daemon "--state=$T/state"
answers() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" list >/dev/null 2>&1; }
until_true 10 answers
last() { # JOB FILTER
        expect_ctl 0 show --json=short "$1"
        jq -r "$2 // \"\"" <<<"$said"
}
value() { # JOB: the last line of its last run's
        local lines
        lines=$(last "$1" .lastRun.value)
        echo "${lines##*$'\n'}"
}
has_called() { grep -qxF -- "$1" "$T/systemd/calls"; }
has_failed() { [ "$(last "$1" .lastResult)" = failed ]; }
options='--system --no-ask-password --no-pager'

while IFS='|' read -r unit result status value error; do
        expect_ctl "$status" -q trigger --wait "$unit"
        assert_equal "$unit" "$result" "$(last "$unit" .lastResult)"
        assert_equal "value of $unit" "$value" "$(value "$unit" | cut -d ' ' -f 1)"
        assert_equal "error of $unit" "$error" "$(last "$unit" .lastRun.error)"
done <<<"$table"
has_called "$options start --wait -- exit-0.service" || die "systemctl was called otherwise: $(cat "$T/systemd/calls")"
! grep -qE '(start|stop) .*(missing|masked|bad-setting|staying)' "$T/systemd/calls" || die "started what can't be: $(cat "$T/systemd/calls")"
n=$(grep -c "show .* lost.service" "$T/systemd/calls")
[ "$n" -le 15 ] || die "systemctl was called $n times in a second"
assert_event failed exit-3 CHIMED_RESULT=failed EXIT_STATUS=3
assert_event failed missing CHIMED_RESULT=start-failed CHIMED_STEP=unit
assert_contains "what systemctl said" "Job for refused.service failed." "$(last refused .lastRun.value)"
assert_contains "show" "Unit       slow.service" "$(expect_ctl 0 show slow; echo "$said")"

assert_contains "why" "a time limit of its unit" "$(expect_ctl 0 why result-timeout && echo "$said")"
expect_ctl 3 try exit-3 "--config=$T/chimed.conf" "--jobs=$T/jobs"
expect_ctl 125 try missing "--config=$T/chimed.conf" "--jobs=$T/jobs"

# conditions of the job are asked before
expect_ctl 0 -q trigger --wait asked
assert_equal asked success "$(last asked .lastResult)"
expect_ctl 125 -q trigger --wait unasked
assert_equal "runs of what must not" 0 "$(last unasked .runs)"

# a cancel and a time limit stop the unit, and wait for it
is_running() { [ "$(last "$1" .state)" = running ] && has_called "$options start --wait -- $2.service"; }
expect_ctl 0 -q trigger slow
until_true 10 is_running slow slow
expect_ctl 0 -q cancel slow
assert_equal "cancelled" cancelled "$(last slow .lastResult)"
has_called "$options stop --quiet -- slow.service" || die "it was not stopped: $(cat "$T/systemd/calls")"
assert_equal "the unit's own end" "Result=success InvocationID=$(printf %032x 1)" "$(value slow)"
expect_ctl 124 -q trigger --wait limited
assert_equal "limited" timeout "$(last limited .lastResult)"

# one that does not end is killed after KillGrace=, or at once
for job in stubborn at-once; do
        : >"$T/systemd/calls"
        expect_ctl 0 -q trigger $job
        until_true 10 is_running $job stubborn
        expect_ctl 0 -q cancel $job
        has_called "$options kill --signal=KILL -- stubborn.service" || die "it was not killed: $(cat "$T/systemd/calls")"
        assert_equal "the unit's own end" "Result=signal" "$(value $job | cut -d ' ' -f 1)"
done

# a systemd that does not answer holds up no cancel for longer than that
for job in stuck dead; do
        expect_ctl 0 -q trigger $job
        until_true 10 grep -q -- "-- $job.service" "$T/systemd/calls"
        expect_ctl 0 -q cancel $job
        assert_equal "$job" cancelled "$(last $job .lastResult)"
done

# a stop that is refused is tried again, but not without a pause
expect_ctl 0 -q trigger firm
until_true 10 is_running firm firm
expect_ctl 0 -q cancel firm
assert_equal "firm" "Result=signal" "$(value firm | cut -d ' ' -f 1)"
n=$(grep -cxF -- "$options stop --quiet -- firm.service" "$T/systemd/calls")
((n > 1 && n <= 8)) || die "it was stopped $n times in two seconds"

# one that runs already is waited for, where it may be
expect_ctl 125 -q trigger --wait guarded
assert_equal "error of guarded" "unit: systemd did not start it; the run's output says why" "$(last guarded .lastRun.error)"
assert_equal "starts of it" 2 "$(grep -cxF -- "$options start --wait -- guarded.service" "$T/systemd/calls")"
expect_ctl 0 -q trigger busy
until_true 10 is_running busy busy
touch "$T/systemd/free"
until_true 10 has_events 1 ended busy
assert_equal "of the invocation that it has found" "Result=success InvocationID=$(printf %032x 7)" "$(value busy)"

# a bus that does not answer is not waited for until its own limit, 25 s
mkdir /run/dbus
python3 -c 'import signal, socket, sys
with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(sys.argv[1])
        bus.listen()
        signal.pause()' /run/dbus/system_bus_socket 2>"$T/out/bus" &
bus=$!
until_true 10 file_exists /run/dbus/system_bus_socket
: >"$T/systemd/calls"
expect_ctl 0 -q trigger exit-0
until_true 15 has_called "$options start --wait -- exit-0.service"
kill -KILL "$bus"
bus=
rm -r /run/dbus
idle() { [ "$(last "$1" .state)" != running ]; }
until_true 10 idle exit-0

# a stop of the daemon stops the unit, but kills none: systemd does that when it thinks it right
: >"$T/systemd/calls"
expect_ctl 0 -q start slow at-once
expect_ctl 0 -q trigger slow at-once
until_true 10 is_running slow slow
until_true 10 is_running at-once stubborn
stop_daemon 20
for unit in slow stubborn; do
        has_called "$options stop --quiet -- $unit.service" || die "$unit was not stopped: $(cat "$T/systemd/calls")"
done
! grep -q " kill " "$T/systemd/calls" || die "one was killed: $(cat "$T/systemd/calls")"

# where systemd does not run
rmdir /run/systemd/system
start_daemon "--state=$T/state"
until_true 10 answers
expect_ctl 125 -q trigger --wait exit-0
assert_equal error "unit: systemd does not run here, or does not answer" "$(last exit-0 .lastRun.error)"
expect_ctl 0 check "--config=$T/chimed.conf" "--jobs=$T/jobs"
assert_contains check "job exit-0: Unit=exit-0.service: systemd does not run here, or does not answer" "$said"
stop_daemon
