#!/bin/bash
# SPDX-License-Identifier: MIT
# Where an allocation fails, once, or it and all behind it, a program does without, or says so and fails; it never crashes, hangs, or goes on with
# less than it was given. The daemon answers or closes the connection; a scheduler that can't go on is replaced, and no slot is lost (RS3).
# CHIMED_REFUSALS (60) is how many allocations of each program are refused.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -x "$CHIMED_BUILD/tests/refusing/chimed" ] || skip "a sanitizer has an allocator of its own"
mkdir "$T/bin" "$T/examples"
cp "$CHIMED_BUILD"/tests/refusing/chime* "$T/bin/"
chmod 755 "$T/bin"
cp "$here"/../../config/examples/*.ini "$T/examples/"
chmod -R go-w "$T/jobs" "$T/examples" "$T/chimed.conf"
python3 "$here/allocations.py" programs "$T" "--config=$T/chimed.conf" "--jobs=$T/examples"

write_job tick <<EOF
Every=200ms
Mode=fixed-rate
StandardOutput=append:$T/out/tick
Script=echo "\$CHIMED_SLOT_USEC"
EOF
write_job once <<EOF
Every=1h
InitialDelay=1h
Command=/bin/echo said
EOF
write_job other <<EOF
Every=1h
InitialDelay=1h
Command=/bin/true
EOF
python3 "$here/allocations.py" daemon "$T" "--config=$T/chimed.conf" "--jobs=$T/jobs"
assert_equal "slots that were started twice" "" "$(sort "$T/out/tick" | uniq -d)"
CHIMED_BUILD=$T/bin
start_daemon "--state=$T/state"
expect_ctl 0 audit
note "$(tail -n 1 <<<"$said")"
stop_daemon
