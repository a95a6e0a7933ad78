#!/bin/bash
# SPDX-License-Identifier: MIT
# What a run leaves behind: a run ends with its program, not with its pipe; its other processes are found, ended and told, whatever they
# did to get away; and a run that is ended is ended whole (PR4 PR5 PR6 PR15).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# own_subreaper PROGRAM...: a process that its orphans come back to, in a session of its own
cat >"$T/own_subreaper" <<'EOF2'
import ctypes, os, sys, time
if ctypes.CDLL(None).prctl(36, 1, 0, 0, 0):
    sys.exit("no subreaper")
os.setsid()
pids, pid_written = os.pipe()
if os.fork() == 0:
    os.setsid()
    program = os.fork()
    if program == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    os.write(pid_written, b"%d" % program)
    os._exit(0)
# what is counted is what is there at the count: only then may the script end
program = os.read(pids, 20).decode()
while not open(f"/proc/{program}/cmdline").read().startswith(sys.argv[1]):
    time.sleep(0.02)
open(os.environ["TEST_FOLDER"] + "/out/subreaper", "w").close()
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
EOF2

# NAME|how many are left at least|script
rows="daemon|1|(setsid sleep 1001 </dev/null >/dev/null 2>&1 &)
pipe|1|sleep 1002 & echo said
group|2|sleep 1003 & a=\$!; sleep 1003 & for pid in \$a \$!; do while ! grep -q ^sleep /proc/\$pid/cmdline; do sleep 0.02; done; done; exit 3
deaf|1|(trap '' TERM; while :; do sleep 0.1; done) &
subreaper|2|python3 $T/own_subreaper sleep 1004 & while [ ! -e $T/out/subreaper ]; do sleep 0.02; done
stopped|1|sh -c 'kill -STOP \$\$' & while ! grep -q '^State:.T' /proc/\$!/status; do sleep 0.02; done"
while IFS='|' read -r job _ script; do
        printf 'Every=1h\nLog=all\nKillGrace=300ms\nScript=%s\n' "$script" | write_job "$job"
done <<<"$rows"
write_job clean <<'EOF'
Every=200ms
Mode=fixed-rate
Log=all
Script=(sleep 0.001 &) ; sleep 0.05
EOF
write_job condition <<EOF
Every=1h
Log=all
ExecCondition=/bin/sh -c "sleep 1005 & true"
Command=/bin/true
EOF
write_job forks <<EOF
Every=1h
Log=all
Timeout=300ms
KillGrace=300ms
Script=
 trap 'for i in 1 2 3 4 5; do (setsid sh -c "trap : TERM; sleep 1006" &); done' TERM
 touch $T/out/forks
 while :; do sleep 0.05; done
EOF
write_job hidden <<EOF
Every=1h
Log=all
Timeout=3s
KillGrace=300ms
Script=
 env -i setsid sh -c 'trap "" TERM; echo \$\$ >$T/out/hidden; while :; do sleep 0.1; done' &
 sleep 1007
EOF
start_daemon
while IFS='|' read -r job n _; do
        wait_event left-behind "$job"
        assert_event left-behind "$job" "CHIMED_RUN_ID=$(event_field CHIMED_RUN_ID started "$job")"
        (($(event_field CHIMED_COUNT left-behind "$job") >= n)) || die "$job: $(event_field MESSAGE left-behind "$job")"
done <<<"$rows"
for job in daemon pipe deaf subreaper stopped; do
        wait_event ended "$job"
        assert_event ended "$job" CHIMED_RESULT=success
        us=$(event_field CHIMED_DURATION_USEC ended "$job")
        ((us < 5000000)) || die "$job took $us us, longer than its program"
done
wait_event failed group
assert_event failed group CHIMED_RESULT=failed EXIT_STATUS=3
assert_contains "the names of what was left" sleep "$(event_field MESSAGE left-behind group)"
grep -a '"MESSAGE": *"said"' "$log" | grep -qa '"CHIMED_JOB": *"pipe"' || die "the output before the end is lost"
wait_event ended condition
assert_event ended condition CHIMED_RESULT=success
wait_event left-behind condition
for job in forks hidden; do
        wait_event timed-out "$job"
        assert_event timed-out "$job" CHIMED_RESULT=timeout
        assert_equal "$job: leftovers of a run that was ended" 0 "$(count_events left-behind "$job")"
done
is_gone "$(cat "$T/out/hidden")" || die "what cleaned its environment has outlived its run"
wait_event ended clean 15 5
assert_equal "leftovers of a clean job" 0 "$(count_events left-behind clean)"
stop_daemon
assert_equal "what is left alive" "" "$(processes_left)"
