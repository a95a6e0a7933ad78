#!/bin/bash
# SPDX-License-Identifier: MIT
# Where an allocation fails, once, or it and all behind it, a program does without, or says so and fails; it never crashes, hangs, or goes on with
# less than it was given (RS3). CHIMED_REFUSALS (60) is how many allocations of each program are refused.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -x "$CHIMED_BUILD/tests/refusing/chimed" ] || skip "a sanitizer has an allocator of its own"
mkdir "$T/bin"
cp "$CHIMED_BUILD"/tests/refusing/chime* "$T/bin/"
chmod 755 "$T/bin"
cp "$here"/../../config/examples/*.ini "$T/jobs/"
chmod -R go-w "$T/jobs" "$T/chimed.conf"
python3 "$here/allocations.py" "$T/bin" programs "--config=$T/chimed.conf" "--jobs=$T/jobs"
