#!/bin/bash
# SPDX-License-Identifier: MIT
# Without cgroups, too, a runner that is killed leaves nothing to the next one: what bears the id of one of its runs, and what that has
# started, is gone before anything new starts; what is another instance's, or nobody's, lives on.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job survivor <<EOF
Every=1h
Log=all
Script=
 trap '' TERM
 (setsid sh -c 'trap "" TERM; echo \$\$ >$T/out/orphan; while [ -e $T/out ]; do sleep 0.1; done' &)
 env -i sh -c 'trap "" TERM; echo \$\$ >$T/out/clean; while [ -e $T/out ]; do sleep 0.1; done' &
 echo \$\$ >$T/out/survivor
 while [ -e $T/out ]; do sleep 0.1; done
EOF
start_daemon --cgroup=none
names="survivor orphan clean"
for name in $names; do
        until_true 10 test -s "$T/out/$name"
done
wait_event started survivor
run_id=$(event_field CHIMED_RUN_ID started survivor)
CHIMED_RUN_ID=$(tr 0-9a-f 1-9a-f0 <<<"${run_id%-*}")-${run_id#*-} sleep 600 & # of another instance
strangers=$!
sleep 600 &
strangers+=" $!"
sh -c "CHIMED_RUN_ID=$run_id sleep 600 & echo \$! >$T/out/started; wait" & # as at and batch do, which keep the environment
starter=$!
until_true 10 test -s "$T/out/started"
strangers+=" $starter $(cat "$T/out/started")"
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
daemon=
for name in $names; do
        ! is_zombie_or_gone "$(cat "$T/out/$name")" || die "$name is gone by itself: nothing was tried"
done

# the first that is started says who is there
rm "$T/jobs/survivor.ini"
write_job first <<EOF
Every=1h
Log=all
Script=
 for name in $names; do
  grep -qsE '^State:[[:space:]]+[^ZX[:space:]]' /proc/\$(cat $T/out/\$name)/status && echo \$name
 done >$T/out/there
 exit 0
EOF
mark_log
start_daemon --cgroup=none
wait_event ended first
assert_equal "what is there at the first start" "" "$(cat "$T/out/there")"
told=$(events degraded | jq -r 'select(.MESSAGE | contains("processes of jobs behind: they were killed")) | .CHIMED_COUNT')
((${told:-0} >= 3)) || die "that many processes are told: '$told'"
for pid in $strangers; do
        ! is_zombie_or_gone "$pid" || die "a stranger was killed"
        kill "$pid"
        wait "$pid" 2>/dev/null || true
done
file_exists "$T/run/runners" || die "this runner would not be known to the next one"
assert_equal "who may read which" 600 "$(stat -c %a "$T/run/runners")"
log_from=1
stop_daemon
! file_exists "$T/run/runners" || die "one that has left in order is kept in mind"
assert_equal "what is left alive" "" "$(processes_left)"
