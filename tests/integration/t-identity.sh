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
stop_daemon
