#!/bin/bash
# SPDX-License-Identifier: MIT
# Each step of a start is refused alone, as a kernel or a filter of system calls may do it: nothing is executed, whoever the job is, and the
# record has the step and the error (PV1).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
command -v strace >/dev/null || skip "needs strace"

mkdir "$T/root"
cp "$CHIMED_BUILD/tests/probe" "$T/root/"
chmod 755 "$T/root" "$T/root/probe"
# as root or not, what it would leave is seen
write_job asks <<EOF
User=nobody
Nice=5
CPUSchedulingPolicy=batch
IOSchedulingClass=idle
OOMScoreAdjust=500
LimitCORE=0
NoNewPrivileges=yes
StandardOutput=null
WorkingDirectory=/tmp
Command=/bin/sh -c "id >$T/out/ran"
EOF
write_job jailed <<EOF
RootDirectory=$T/root
User=nobody
StandardOutput=null
WorkingDirectory=/
Command=/probe
EOF
# JOB|SYSTEM CALL|ERROR|ERRNO|STEP
rows='asks|setsid|EPERM|1|session
asks|openat|EACCES|13|oom-score
asks|prlimit64|EPERM|1|limits
asks|sched_setscheduler|EPERM|1|scheduling
asks|setpriority|EACCES|13|scheduling
asks|ioprio_set|EPERM|1|scheduling
asks|setgroups|EPERM|1|groups
asks|setresgid|EPERM|1|group
asks|setresuid|EPERM|1|user
asks|prctl|EINVAL|22|timer-slack
asks|dup3|EBADF|9|stdin
asks|close_range|EPERM|1|descriptors
asks|chdir|EACCES|13|working-directory
asks|execve|EPERM|1|exec
jailed|chroot|EPERM|1|root-directory
jailed|chdir|EACCES|13|root-directory'
if grep -q . /proc/keys 2>/dev/null; then
        rows+=$'\njailed|keyctl|EDQUOT|122|keyring'
fi


# Calls of the runner itself go through: those of a child on its way to exec alone are refused, and only where the path is its.
refuse() { # SYSTEM-CALL ERROR
        local only=()
        [ "$1" != openat ] || only=(-P /proc/self/oom_score_adj)
        strace -f -qq -o "$T/strace" -p "$daemon" "${only[@]}" -e "trace=$1" -e "inject=$1:error=$2" 2>"$T/strace.err" &
        tracer=$!
        await_tracer || skip "may not trace"
}
stop_refusing() {
        kill -TERM "$tracer"
        wait "$tracer" || true
        until_true 5 is_not_traced
}

# the leak checker can't work under strace
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
start_daemon
while IFS='|' read -r job call error errno step; do
        mark_log
        refuse "$call" "$error"
        expect_ctl 125 trigger --wait "$job" --force
        wait_event failed "$job"
        stop_refusing
        assert_event failed "$job" CHIMED_RESULT=start-failed "CHIMED_STEP=$step" "ERRNO=$errno"
        assert_equal "$job, $call: starts" 0 "$(count_events started "$job")"
        ! file_exists "$T/out/ran" || die "$call was refused, and it ran: $(cat "$T/out/ran")"
        grep -q INJECTED "$T/strace" || die "$call was not called"
done <<<"$rows"
assert_equal "half-made processes" "$(scheduler_pid)" "$(descendants "$daemon" | tr '\n' ' ' | sed 's/ $//')"
# and without that
for job in asks jailed; do
        expect_ctl 0 trigger --wait "$job" --force
done
assert_contains "who it was" "uid=$(id -u nobody)(" "$(cat "$T/out/ran")"
stop_daemon
