#!/bin/bash
# SPDX-License-Identifier: MIT
# A job inherits nothing of the daemon, and gets what chimed.job(5) promises (PR13).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# the shell tells of itself: /proc/$$ is what exec left; the signals of a child that is no more than exec, since the shell itself
# blocks them for moments
write_job probe <<EOF
Every=1h
Log=all
StandardOutput=null
Environment=GREETING="good morning"
Script=
 cat /proc/\$\$/environ >$T/out/environ
 (exec cat /proc/self/status >$T/out/status)
 cat /proc/\$\$/stat >$T/out/stat
 cat /proc/\$\$/limits >$T/out/limits
 cat /proc/\$\$/timerslack_ns >$T/out/slack
 cat /proc/\$\$/oom_score_adj >$T/out/oom
 (ls -l /proc/\$\$/fd >$T/out/fds)
 readlink /proc/\$\$/cwd >$T/out/cwd
EOF
# what must not arrive: a variable, an open descriptor, an ignored signal, a umask
export LEAKED=yes LANG=C.UTF-8
exec 7<"$log"
umask 0077
trap '' USR1
ulimit -Sn 256
start_daemon
umask 0022
wait_event ended probe
assert_event ended probe CHIMED_RESULT=success

declare -A variable
while IFS='=' read -r -d '' name value; do
        variable[$name]=$value
done <"$T/out/environ"
wanted="CHIMED_ATTEMPT CHIMED_CAUSE CHIMED_JOB CHIMED_LAST_RESULT CHIMED_MISSED CHIMED_RUN_ID CHIMED_SLOT CHIMED_SLOT_USEC"
wanted+=" GREETING HOME LANG LOGNAME PATH SHELL TEST_FOLDER USER"
assert_equal "the variables" "$wanted" "$(printf '%s\n' "${!variable[@]}" | sort | tr '\n' ' ' | sed 's/ $//')"
assert_equal CHIMED_JOB probe "${variable[CHIMED_JOB]}"
assert_equal CHIMED_CAUSE schedule "${variable[CHIMED_CAUSE]}"
assert_equal CHIMED_ATTEMPT 1 "${variable[CHIMED_ATTEMPT]}"
assert_equal CHIMED_MISSED 0 "${variable[CHIMED_MISSED]}"
assert_equal CHIMED_LAST_RESULT "" "${variable[CHIMED_LAST_RESULT]}"
assert_equal GREETING "good morning" "${variable[GREETING]}"
assert_equal LANG C.UTF-8 "${variable[LANG]}"
assert_equal PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${variable[PATH]}"
assert_equal USER "$(id -un)" "${variable[USER]}"
assert_equal LOGNAME "$(id -un)" "${variable[LOGNAME]}"
assert_equal HOME "$(getent passwd "$(id -u)" | cut -d : -f 6)" "${variable[HOME]}"
assert_event started probe "CHIMED_RUN_ID=${variable[CHIMED_RUN_ID]}" "CHIMED_SLOT_USEC=${variable[CHIMED_SLOT_USEC]}" \
        "CHIMED_SLOT=${variable[CHIMED_SLOT]}"

status_of() { sed -n "s/^$1:[[:space:]]*//p" "$T/out/status"; }
assert_equal "blocked signals" 0000000000000000 "$(status_of SigBlk)"
assert_equal "ignored signals" 0000000000000000 "$(status_of SigIgn)"
assert_equal umask 0022 "$(status_of Umask)"
assert_equal "no new privileges" 0 "$(status_of NoNewPrivs)"
read -r pid _ _ parent group session terminal _ < <(sed 's/^\([0-9]*\) (.*)/\1 ()/' "$T/out/stat")
assert_equal parent "$(runner_pid)" "$parent"
assert_equal "process group" "$pid" "$group"
assert_equal session "$pid" "$session"
assert_equal terminal 0 "$terminal"
assert_equal "the descriptors" "0 -> /dev/null, 1 -> /dev/null, 2 -> /dev/null, " \
        "$(sed -n 's/.* \([0-9]* -> .*\)/\1/p' "$T/out/fds" | sort -n | tr '\n' ',' | sed 's/,/, /g')"
assert_equal "timer slack" 50000 "$(cat "$T/out/slack")"
score=$(cat /proc/$$/oom_score_adj) # which only root can lower
[ "$(id -u)" != 0 ] || score=0
assert_equal "out-of-memory score" "$score" "$(cat "$T/out/oom")"
assert_equal "working directory" / "$(cat "$T/out/cwd")"
assert_equal "the limit of descriptors" "1024 $(ulimit -Hn)" "$(sed -n 's/^Max open files *\([0-9]*\) *\([0-9]*\) .*/\1 \2/p' "$T/out/limits")"
stop_daemon
