#!/bin/bash
# SPDX-License-Identifier: MIT
# A herd (RS9): CHIMED_HERD (10000) jobs are due in one instant and share a pool of fifty places, without a ledger and with one. The pool is never
# overdrawn, each slot has one outcome, and whoever asks meanwhile is answered.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

stall_us=50000

write_herd() { # N
        printf '[group pool]\nMaxRunning=50\n'
        for ((i = 0; i < $1; i++)); do
                printf '[job herd-%d]\nMemberOf=pool\nEvery=1h\nMode=fixed-rate\nInitialDelay=2s\nLog=all\nCommand=%s\n' \
                        "$i" "$CHIMED_BUILD/tests/stamp"
        done
}

# Asks until nobody runs or waits any more; says how long the longest answer took, and how much of that the loop was at work.
ask() {
        exec timeout 90 python3 - "$T/run/io.chimed" "$(scheduler_pid)" <<'E'
import json, socket, sys, time
address, pid = sys.argv[1:]
s = socket.socket(socket.AF_UNIX)
s.connect(address)
def worked():
    with open(f"/proc/{pid}/task/{pid}/schedstat") as f:
        return int(f.read().split()[0]) // 1000
def call(method):
    reply = b""
    s.sendall(json.dumps({"method": "io.chimed." + method}).encode() + b"\0")
    while not reply.endswith(b"\0"):
        reply += s.recv(65536)
    return json.loads(reply[:-1])["parameters"]
calls = longest = most_work = most_running = waiting = 0
has_begun = False
while not has_begun or waiting + running > 0:
    work, began = worked(), time.monotonic()
    running = call("GetStatus")["running"]
    calls += 1
    longest = max(longest, int((time.monotonic() - began) * 1e6))
    most_work = max(most_work, worked() - work)
    most_running = max(most_running, running)
    has_begun = has_begun or running > 0
    if calls % 50 == 0 or running == 0:
        waiting = call("ListGroups")["groups"][0]["waiting"]
    time.sleep(0.002)
print(calls, longest, most_work, most_running)
E
}
has_ended() { [ "$(grep -ac '"CHIMED_EVENT":"ended"' "$log")" -ge "$n" ]; }

# Starts that are late are claimed ten times a second, so the ledger makes 500 runs a second of fifty places.
for mode in without with; do
        n=${CHIMED_HERD:-10000}
        [ $mode = without ] || n=$((n / 4))
        write_herd "$n" >"$T/jobs/herd.ini"
        : >"$log"
        start_daemon "--state=$([ $mode = without ] || echo "$T/state")"
        until_true 10 file_exists "$T/run/io.chimed"
        began=$(milliseconds)
        (ask) >"$T/out/asked" || die "nobody could ask to the end"
        took=$(($(milliseconds) - began))
        until_true 10 has_ended
        read -r calls longest work running <"$T/out/asked"
        ((running <= 50)) || die "$running runs at a time were told"
        most=$(jq -rRn 'reduce (inputs | fromjson? | select(.CHIMED_JOB // "" | startswith("herd-")).CHIMED_EVENT) as $e ({n: 0, most: 0};
                .n += (if $e == "started" then 1 elif $e == "ended" then -1 else 0 end) | .most = ([.n, .most] | max)) | .most' <"$log")
        ((most <= 50)) || die "$most runs were in flight at a time"
        python3 "$here/account.py" --each --jobs="$n" --period=3600000000 <"$log" || die "slots are not accounted for"
        if [ $mode = with ]; then
                expect_ctl 0 audit --json=short
                assert_equal "faults" "$n jobs, 0 faults" "$(jq -r '"\(length) jobs, \([.[].faults[]] | length) faults"' <<<"$said")"
        fi
        ((work < stall_us)) || die "the loop worked $work us before it answered"
        note "$mode a ledger: $n runs in $took ms, at most $most at a time; $calls calls, the slowest took $longest us, the loop worked $work us of one"
        stop_daemon 20
done
