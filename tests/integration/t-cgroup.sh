#!/bin/bash
# SPDX-License-Identifier: MIT
# Each run has a cgroup of its own where we were given one: nothing of its tree gets away, whatever it does, also not when the
# runner is killed; what all its processes used is its result (PR4, PR6, PR15).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_cgroup

cgroup_of() { sed -n "s|^0::.*/${given##*/}/||p" "/proc/$1/cgroup" 2>/dev/null; } # PID
members() { find "$given/jobs" -path "*/$1@*" -name cgroup.procs -exec cat {} + 2>/dev/null | wc -l; } # JOB
has_members() { [ "$(members "$1")" = "$2" ]; }
cgroups_of() { find "$given/jobs" -maxdepth 1 -name "$1@*" -printf '%f\n' | sort | tr '\n' ' '; } # JOB
has_cgroups() { [ "$(cgroups_of "$1")" = "$2" ]; }

# ---- where they are ----

write_job where <<EOF
Every=1h
Log=all
Script=sed -n 's|^0::||p' /proc/self/cgroup >$T/out/where; ls -l /proc/self/fd >$T/out/fds
EOF
write_job burns <<EOF
Every=1h
Log=all
Script=
 (env -i setsid sh -c 'i=0; while [ \$i -lt 400000 ]; do i=\$((i + 1)); done; : >$T/out/burnt' &)
 until [ -e $T/out/burnt ]; do sleep 0.05; done
EOF
write_job limited <<'EOF'
Every=1h
Log=all
MemoryMax=1G
Command=/bin/true
EOF
start_daemon "--cgroup=$given"
wait_event ended where
wait_event ended limited # also where nobody can enforce the limit, which is told
grep -qw memory "$given/cgroup.controllers" ||
        assert_contains "what is told" "MemoryMax= is not enforced" "$(event_field MESSAGE config-warning)"
wait_event ended burns
assert_equal "cgroup of a job" "/${given##*/}/jobs/where@1" "$(cat "$T/out/where")"
assert_equal "cgroup of the runner" runner "$(cgroup_of "$daemon")"
assert_equal "cgroup of the scheduler" runner "$(cgroup_of "$(scheduler_pid)")"
assert_equal "links to cgroups that a job has" 0 "$(grep -c cgroup "$T/out/fds" || true)"
# the time of all its processes, also of those that nobody waited for
us=$(event_field CHIMED_CPU_USEC ended burns)
((us >= 50000 && us < 5000000)) || die "burns used $us us of processor time"
stop_daemon

# ---- what leaves its session, ignores TERM, forks on TERM, or as root makes cgroups below its own ----

write_job deaf <<'EOF'
Every=1h
Log=all
Timeout=500ms
KillGrace=300ms
Script=
 trap '' TERM
 (setsid env -u CHIMED_RUN_ID sleep 61 &)
 (setsid env -i sh -c 'trap "" TERM; setsid sleep 62 & while :; do sleep 0.2; done' &)
 while :; do sleep 0.2; done
EOF
write_job forks <<'EOF'
Every=1h
Log=all
Timeout=500ms
KillGrace=300ms
Script=
 trap '(trap "" TERM; env -i setsid sleep 63) & (env -i setsid sleep 64) &' TERM
 while :; do sleep 0.1; done
EOF
write_job nests <<EOF
Every=1h
Log=all
Timeout=3s
KillGrace=300ms
Script=
 trap '' TERM
 own=$mount\$(sed -n 's|^0::||p' /proc/self/cgroup)
 mkdir -p "\$own/a/b/c"
 (env -i setsid sh -c 'echo \$\$ >"'"\$own"'/a/b/c/cgroup.procs"; exec sleep 65' &)
 (env -i setsid sh -c 'trap "" TERM; echo \$\$ >"'"\$own"'/a/cgroup.procs"; while :; do sleep 0.1; done' &)
 echo 1 >"\$own/a/b/cgroup.freeze"
 : >"$T/out/nests"
 sleep 66
EOF
# a bomb with a fuse: each of its processes forks two, but no more than 300 are ever there
write_job bomb <<'EOF'
Every=1h
Log=all
Timeout=700ms
KillGrace=0
User=nobody
Script=
 ulimit -p 300
 trap '' TERM
 bomb() { (bomb &) 2>/dev/null; (bomb &) 2>/dev/null; while :; do sleep 1; done; }
 bomb
EOF
start_daemon "--cgroup=$given"
for job in deaf forks nests bomb; do
        wait_event timed-out "$job"
        assert_event timed-out "$job" CHIMED_RESULT=timeout
        until_true 10 has_members "$job" 0
done
file_exists "$T/out/nests" || die "the cgroups below were not made"
for job in deaf forks nests bomb; do
        us=$(event_field CHIMED_DURATION_USEC timed-out "$job")
        ((us < 5500000)) || die "$job took $us us" # not the 5 s after KILL
done
stop_daemon

# ---- what a run leaves behind when it ends by itself is killed, whatever it is ----

rm "$T/jobs/"*
write_job leaves <<EOF
KillGrace=200ms
Every=1h
Log=all
Script=
 (env -i setsid sh -c 'trap "" TERM; echo \$\$ >$T/out/left; while :; do sleep 0.1; done' &)
 until [ -s $T/out/left ]; do sleep 0.02; done
 exit 3
EOF
# runs that overlap are apart: the end of one is not the other's
write_job twice <<EOF
Log=all
Overlap=parallel
MaxParallel=2
Script=
 sed -n 's|^0::.*/||p' /proc/self/cgroup >>$T/out/twice
 until [ -e $T/out/go-\$(wc -l <$T/out/twice) ]; do sleep 0.02; done
EOF
start_daemon "--cgroup=$given"
wait_event failed leaves
assert_event failed leaves EXIT_STATUS=3
until_true 10 is_zombie_or_gone "$(cat "$T/out/left")"
wait_event left-behind leaves
assert_event left-behind leaves "CHIMED_RUN_ID=$(event_field CHIMED_RUN_ID failed leaves)"
expect_ctl 0 trigger twice
until_true 10 has_lines "$T/out/twice" 1
expect_ctl 0 trigger --if-running=parallel twice
until_true 10 has_lines "$T/out/twice" 2
assert_equal "cgroups of two runs" "twice@1 twice@2 " "$(sort "$T/out/twice" | tr '\n' ' ')"
assert_equal "members of two runs" 2 "$(grep -c . < <(find "$given/jobs" -path '*/twice@*/cgroup.procs' -exec sh -c 'head -n 1 "$1"' _ {} \;))"
touch "$T/out/go-2"
wait_event ended twice 10 2

# ---- they are kept for the next run, and go with their job ----

touch "$T/out/go-3"
expect_ctl 0 trigger --wait twice
assert_equal "cgroup of the next run" 1 "$(sed -n 3p "$T/out/twice" | grep -c 'twice@[12]')"
assert_equal "kept" "twice@1 twice@2 " "$(cgroups_of twice)"
rm "$T/jobs/twice.ini"
expect_ctl 0 reload
until_true 10 has_cgroups twice ""

# ---- a program that is executed anew has the cgroups of what runs, and of what ran ----

write_job stays <<EOF
Log=all
KillGrace=200ms
Script=
 trap '' TERM
 (env -i setsid sh -c 'trap "" TERM; while :; do sleep 0.1; done' &)
 echo \$\$ >>$T/out/stays
 while :; do sleep 0.1; done
EOF
expect_ctl 0 reload
expect_ctl 0 trigger stays
until_true 10 file_exists "$T/out/stays"
mkdir "$given/jobs/before@1" # as of a job that is gone by now
mark_log
kill -USR2 "$daemon"
wait_event re-executed "" 20
has_members stays 0 && die "an exec has killed what runs"
assert_equal "cgroup of the runner" runner "$(cgroup_of "$daemon")"
expect_ctl 0 cancel --run stays
wait_event ended stays
assert_event ended stays CHIMED_RESULT=cancelled
until_true 10 has_members stays 0
assert_equal "cgroups after it" "stays@1 " "$(cgroups_of stays)"
until_true 10 has_cgroups before ""
expect_ctl 0 trigger stays
until_true 10 has_lines "$T/out/stays" 2
assert_equal "cgroups of the next run" "stays@1 " "$(cgroups_of stays)"
expect_ctl 0 cancel stays
rm "$T/jobs/stays.ini"

# ---- a runner that is killed leaves nothing to the next one ----

write_job survivor <<EOF
Every=1h
Log=all
Script=
 (env -i setsid sh -c 'trap "" TERM; echo \$\$ >$T/out/orphan; while :; do sleep 0.1; done' &)
 # as systemd-run --scope does it
 sh -c 'echo \$\$ >$mount/cgroup.procs; sleep 600 & echo \$\$ \$! >$T/out/moved; wait' &
 trap '' TERM
 echo \$\$ >$T/out/survivor
 while :; do sleep 0.1; done
EOF
until_true 10 file_exists "$T/out/survivor"
until_true 10 file_exists "$T/out/orphan"
until_true 10 test -s "$T/out/moved"
survivor=$(cat "$T/out/survivor") orphan=$(cat "$T/out/orphan")
mkdir "$given/jobs/foreign" # no name of ours
sleep 60 &
foreign=$!
echo "$foreign" >"$given/jobs/foreign/cgroup.procs"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
daemon=
! is_zombie_or_gone "$orphan" || die "the orphan is gone by itself: nothing was tried"
rm "$T/jobs/survivor.ini"
mark_log
start_daemon "--cgroup=$given"
is_zombie_or_gone "$survivor" || die "a job of the runner that was killed is still there"
is_zombie_or_gone "$orphan" || die "what it had started is still there"
! is_zombie_or_gone "$foreign" || die "what was not ours was killed"
for pid in $(cat "$T/out/moved"); do
        ! is_zombie_or_gone "$pid" || die "what was not the run's any more was killed"
        kill "$pid"
done
kill "$foreign"
wait "$foreign" || true
rmdir "$given/jobs/foreign"
assert_contains "what is told" "processes of jobs behind: they were killed" "$(event_field MESSAGE degraded)"

# ---- one instance at a time ----

mkdir "$T/run2"
if "$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/run2" "--cgroup=$given" --log=json >"$T/second" 2>&1; then
        die "two instances have one cgroup"
fi
assert_contains "refusal" "another instance has it" "$(cat "$T/second")"
stop_daemon
assert_equal "what is left alive" "" "$(processes_left)"
