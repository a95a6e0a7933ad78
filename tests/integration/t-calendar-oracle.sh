#!/bin/bash
# SPDX-License-Identifier: MIT
# Calendar events and crons mean what they mean elsewhere: random ones against systemd-analyze and against croniter. The differences
# that are meant are listed, with their reasons, in the two programs. CHIMED_CASES (2000) and CHIMED_SEED (1) say how many and which.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

python=/usr/bin/python3 # the one that Debian's packages are for
root13=$(dirname "$CHIMED_BUILD")/build-debian13

compare() { # ORACLE [OPTION...]
        local said oracle=$1
        shift
        said=$("$python" "$here/${oracle}_oracle.py" "$CHIMED_BUILD/tests/when_next" "--cases=${CHIMED_CASES:-2000}" \
                "--seed=${CHIMED_SEED:-1}" "$@" 2>&1) || die "$said"
        note "$oracle: $said"
}

systemd-analyze calendar --iterations=1 --base-time=@0 daily >/dev/null 2>&1 || skip "no systemd-analyze with --base-time"
"$python" -c 'import croniter' 2>/dev/null || skip "no croniter"
compare calendar
compare cron
# another systemd with the same zones, where somebody made that root
if [ -d "$root13" ] && [ "$(id -u)" = 0 ] && unshare --mount --propagation private true 2>/dev/null; then
        compare calendar "--analyze=$here/debian13 $root13 /usr/share/zoneinfo env TZDIR=/mnt systemd-analyze"
fi
