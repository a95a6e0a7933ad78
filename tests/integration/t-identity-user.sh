#!/bin/bash
# SPDX-License-Identifier: MIT
# In a user's own instance: what is the user's to give is given, what only root can do is refused, by the check where it can be known and
# else at the start; and nothing is executed without it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

if [ "$(id -u)" = 0 ]; then
        as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
        "${as_user[@]}" test -r "$here/lib.sh" -a -x "$CHIMED_BUILD/chimed" || skip "nobody else can read the programs here"
        "${as_user[@]}" bash "$here/t-identity-user.sh" || die "as a user"
        exit 0
fi

run_job() { # JOB SETTING...
        local job=$1
        shift
        printf '%s\n' Every=1h Log=all "$@" "Command=$CHIMED_BUILD/tests/probe" "StandardOutput=truncate:$T/out/$job" | write_job "$job"
}
score=$(($(cat /proc/$$/oom_score_adj) + 100))
nice=$(($(nice) + 3))
hard=$(ulimit -Hn)
run_job low "User=$(id -un)" "Group=$(id -g)" "SupplementaryGroups=$(id -g)" "Nice=$nice" CPUSchedulingPolicy=batch \
        IOSchedulingClass=idle "OOMScoreAdjust=$score" "LimitNOFILE=100:$hard" LimitCORE=0 UMask=0077 NoNewPrivileges=yes
run_job nice "Nice=-5"
run_job policy CPUSchedulingPolicy=fifo
run_job limit "LimitNOFILE=$((hard + 1))"
run_job score OOMScoreAdjust=-1000
run_job jail RootDirectory=/
run_job groups SupplementaryGroups=root

status=0
said=$("$CHIMED_BUILD/chimed" --check "--config=$T/chimed.conf" "--jobs=$T/jobs") || status=$?
assert_equal "exit status of --check" 1 "$status"
assert_contains "of a root" "/jail.ini:1: job jail: RootDirectory= is for root" "$said"
assert_contains "of a group" "/groups.ini:4:21: group root: only root can run jobs with other groups" "$said"

start_daemon
wait_event ended low
for line in "user $(id -u) $(id -u) $(id -u)" "nice $nice" "policy 3 0" "disk 6000" "oom score $score" "limit 7 100 $hard" "limit 4 0 0" \
        "umask 0077" "no new privileges 1"; do
        grep -qx "$line" "$T/out/low" || die "low has no '$line': $(cat "$T/out/low")"
done
# JOB|STEP|ERRNO
while IFS='|' read -r job step errno; do
        wait_event failed "$job"
        assert_event failed "$job" CHIMED_RESULT=start-failed "CHIMED_STEP=$step" "ERRNO=$errno"
        ! file_exists "$T/out/$job" || die "$job was executed"
done <<'EOF'
nice|scheduling|13
policy|scheduling|1
limit|limits|1
score|oom-score|13
EOF
stop_daemon
