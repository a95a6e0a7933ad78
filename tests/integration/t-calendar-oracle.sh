#!/bin/bash
# SPDX-License-Identifier: MIT
# Calendar events and crons mean what they mean elsewhere: random ones against systemd-analyze and against croniter. The differences
# that are meant are listed, with their reasons, in the two programs. CHIMED_CASES (2000) and CHIMED_SEED (1) say how many and which.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python=/usr/bin/python3 # the one that Debian's packages are for
systemd-analyze calendar --iterations=1 --base-time=@0 daily >/dev/null 2>&1 || skip "no systemd-analyze with --base-time"
"$python" -c 'import croniter' 2>/dev/null || skip "no croniter"
for oracle in calendar cron; do
        said=$("$python" "$here/${oracle}_oracle.py" "$CHIMED_BUILD/tests/when_next" "--cases=${CHIMED_CASES:-2000}" \
                "--seed=${CHIMED_SEED:-1}") || die "$said"
        note "$said"
done
