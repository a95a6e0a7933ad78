#!/bin/bash
# SPDX-License-Identifier: MIT
# A start that fails before exec is told with its step and errno, and the schedule goes on (PR12).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

echo 'not a program' >"$T/plain"
printf '\177no format' >"$T/garbage"
chmod 755 "$T/garbage"
# NAME|SETTING|STEP|ERRNO
rows="missing|Command=/nonexistent/program|exec|2
bare|Command=no-such-program-anywhere|exec|2
plain|Command=$T/plain|exec|13
garbage|Command=$T/garbage|exec|8
folder|Command=/tmp|exec|13
nowhere|Command=/bin/true|WorkingDirectory=/nonexistent|working-directory|2
secret|Command=/bin/true|EnvironmentFile=/nonexistent|environment|2
output|Command=/bin/true|StandardOutput=append:/nonexistent/file|stdout|2"

while IFS= read -r row; do
        {
                printf 'Every=300ms\nMode=fixed-rate\nLog=all\n'
                cut -d '|' -f 2- <<<"$row" | sed 's/|[^|]*|[^|]*$//' | tr '|' '\n'
        } | write_job "${row%%|*}"
done <<<"$rows"
start_daemon
while IFS= read -r row; do
        job=${row%%|*} errno=${row##*|} step=${row%|*}
        wait_event failed "$job" 15 3
        assert_event failed "$job" CHIMED_RESULT=start-failed "CHIMED_STEP=${step##*|}" "ERRNO=$errno"
        assert_equal "$job: starts" 0 "$(count_events started "$job")"
done <<<"$rows"
stop_daemon
