#!/bin/bash
# SPDX-License-Identifier: MIT
# User= and Group=: who the job is, who owns the files its output goes to, and an unknown user is that job's trouble alone.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root

group=$(id -gn nobody)
write_job whoami <<EOF
Every=1h
Log=all
User=nobody
StandardOutput=append:$T/out/ids
Command=/bin/sh -c "id -u; id -g; id -G; pwd; grep -E '^(Uid|Gid|CapEff):' /proc/self/status | tr '\\\\t' ' '"
WorkingDirectory=/tmp
EOF
write_job grouped <<EOF
Every=1h
Log=all
User=nobody
Group=daemon
StandardOutput=file:$T/out/group
Command=/usr/bin/id -gn
WorkingDirectory=/
EOF
write_job denied <<EOF
Every=1h
Log=all
User=nobody
StandardOutput=append:$T/only-root
Command=/bin/true
WorkingDirectory=/
EOF
write_job stranger <<EOF
Every=1h
Log=all
User=no-such-user-here
Command=/bin/true
EOF
# at the limit of its user's processes, of which the kernel counts those that are there, a job waits until there is room (RS10)
write_job holder <<EOF
User=61010
Group=61010
WorkingDirectory=/
Command=sleep 1000
EOF
write_job crowded <<EOF
User=61010
Group=61010
LimitNPROC=0
WorkingDirectory=/
StandardOutput=null
Command=touch $T/out/crowded
EOF
status=0
said=$("$CHIMED_BUILD/chimed" --check "--config=$T/chimed.conf" "--jobs=$T/jobs") || status=$?
assert_equal "exit status of --check" 1 "$status"
assert_contains "the diagnosis" "/stranger.ini:" "$said"
assert_contains "the diagnosis" no-such-user-here "$said"

start_daemon
wait_event ended whoami
wait_event ended grouped
wait_event failed denied
uid=$(id -u nobody) gid=$(id -g nobody)
assert_equal "the identity" "$uid $gid $(id -G nobody) /tmp Uid: $uid $uid $uid $uid Gid: $gid $gid $gid $gid CapEff: 0000000000000000" \
        "$(tr '\n' ' ' <"$T/out/ids" | sed 's/ $//')"
assert_equal "owner of the output" "nobody:$group 644" "$(stat -c '%U:%G %a' "$T/out/ids")"
assert_equal "the group" daemon "$(cat "$T/out/group")"
# opened as the job's user: root's folder is closed to it
assert_event failed denied CHIMED_RESULT=start-failed CHIMED_STEP=stdout ERRNO=13
file_exists "$T/only-root" && die "the output file was made as root"
assert_equal "runs of the stranger" "0 0" "$(count_events started stranger) $(count_events failed stranger)"
(($(count_events config-error) >= 1)) || die "the unknown user was not told"

expect_ctl 0 trigger holder
wait_event started holder
expect_ctl 0 trigger crowded
wait_event retry crowded
assert_event retry crowded CHIMED_STEP=exec ERRNO=11
assert_equal "starts beyond the limit" 0 "$(count_events started crowded)"
! file_exists "$T/out/crowded" || die "it ran beyond the limit, as $(stat -c %U "$T/out/crowded")"
expect_ctl 0 cancel holder
wait_event ended crowded 20
assert_equal "who it was" 61010 "$(stat -c %u "$T/out/crowded")"
stop_daemon
