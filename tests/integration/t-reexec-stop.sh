#!/bin/bash
# SPDX-License-Identifier: MIT
# A run is being ended while the runner executes its program anew: what was known to be of it, and bears no sign of it any more, ends with it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The parent of what has left the session ends upon TERM: from then on nothing tells whose it is.
write_job stubborn <<EOF
OnBoot=0s
Log=all
KillGrace=5s
Script=
 trap : TERM
 sh -c 'env -i TEST_FOLDER=$T setsid sh -c "trap : TERM; echo \\$\\$ >$T/out/left; while :; do sleep 0.1; done" & echo \$\$ >$T/out/parent; wait' &
 while :; do sleep 0.1; done
EOF
start_daemon
until_true 10 has_lines "$T/out/parent" 1
until_true 10 has_lines "$T/out/left" 1
timeout 60 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" cancel stubborn >"$T/cancelled" 2>&1 &
until_true 10 is_zombie_or_gone "$(cat "$T/out/parent")"
! is_zombie_or_gone "$(cat "$T/out/left")" || die "what has left the session is gone by itself: nothing was tried"
kill -USR2 "$daemon"
wait_event re-executed "" 20
wait_event ended stubborn 20
assert_event ended stubborn CHIMED_RESULT=cancelled
until_true 10 is_zombie_or_gone "$(cat "$T/out/left")"
wait $! || true # who asked has lost its scheduler
stop_daemon
