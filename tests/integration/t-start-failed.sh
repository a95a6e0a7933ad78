#!/bin/bash
# SPDX-License-Identifier: MIT
# A start that fails before exec is told with its step and errno, in the journal and in the ledger; the schedule goes on, and no half of a
# process is left (PR12).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

echo 'not a program' >"$T/plain"
printf '\177no format' >"$T/garbage"
chmod 755 "$T/garbage"
ln -s loop "$T/loop"
cp /bin/true "$T/busy"
sleep 1000 >>"$T/busy" & # it is open for writing as long as this lives
writer=$!
for part in 1 2 3; do # more than the 128 KiB that there are at least
        printf 'LARGE%s=%060000d\n' "$part" 0 >"$T/large$part"
done
# NAME|SETTING...|STEP|ERRNO
rows="missing|Command=/nonexistent/program|exec|2
bare|Command=no-such-program-anywhere|exec|2
plain|Command=$T/plain|exec|13
garbage|Command=$T/garbage|exec|8
folder|Command=/tmp|exec|13
loop|Command=$T/loop|exec|40
busy|Command=$T/busy|exec|26
large|Command=/bin/true|EnvironmentFile=$T/large1|EnvironmentFile=$T/large2|EnvironmentFile=$T/large3|LimitSTACK=64K|exec|7
nowhere|Command=/bin/true|WorkingDirectory=/nonexistent|working-directory|2
secret|Command=/bin/true|EnvironmentFile=/nonexistent|environment|2
output|Command=/bin/true|StandardOutput=append:/nonexistent/file|stdout|2"

while IFS= read -r row; do
        {
                printf 'Every=300ms\nMode=fixed-rate\nLog=all\n'
                cut -d '|' -f 2- <<<"$row" | sed 's/|[^|]*|[^|]*$//' | tr '|' '\n'
        } | write_job "${row%%|*}"
done <<<"$rows"
start_daemon "--state=$T/state"
while IFS= read -r row; do
        job=${row%%|*} errno=${row##*|} step=${row%|*}
        wait_event failed "$job" 15 3
        assert_event failed "$job" CHIMED_RESULT=start-failed "CHIMED_STEP=${step##*|}" "ERRNO=$errno"
        assert_equal "$job: starts" 0 "$(count_events started "$job")"
        expect_ctl 0 history --json=short "$job"
        assert_contains "$job in the ledger" "${step##*|}: $(python3 -c "import os; print(os.strerror($errno))")" "$said"
done <<<"$rows"
kill "$writer"
wait "$writer" || true
is_scheduler_alone() { [ "$(descendants "$daemon")" = "$(scheduler_pid)" ]; }
until_true 5 is_scheduler_alone # between two starts; a half-made process stays
stop_daemon
