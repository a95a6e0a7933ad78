#!/bin/bash
# SPDX-License-Identifier: MIT
# Sixty connections of one user ask without end and read little or nothing: slots come, and another user's call is answered. A killed
# scheduler ends its clients' connections; the next one serves new ones.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
socket=$T/run/io.chimed
ctl() { timeout 20 "$CHIMED_BUILD/chimectl" "--socket=$socket" "$@"; }

for i in {1..200}; do
        printf '[job j%s]\nCommand=true\n' "$i"
done >"$T/jobs/many.ini"
write_job tick <<'E'
Every=500ms
Mode=fixed-rate
Command=true
E
start_daemon
until_true 5 file_exists "$socket"

# Asks with all connections until it is killed; its last line says that it began.
ask_without_end() {
        exec python3 - "$socket" <<'E'
import json, os, select, socket, sys
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
calls = [json.dumps({"method": "io.chimed." + name}).encode() + b"\0" for name in ("ListJobs", "Next")]
calls = b"".join(calls) * 200
peers = [socket.socket(socket.AF_UNIX) for i in range(60)]
for s in peers:
    s.connect(sys.argv[1])
    s.setblocking(False)
print("up", flush=True)
readers, at = peers[::2], {s: 0 for s in peers}
while at:
    r, w, x = select.select([s for s in readers if s in at], list(at), [])
    for s in r + w:
        try:
            if s in r and not s.recv(65536):
                raise OSError
            if s in w:
                at[s] = (at[s] + s.send(calls[at[s] :])) % len(calls)
        except BlockingIOError:
            pass
        except OSError:
            at.pop(s, None)
E
}
ask_without_end >"$T/out/load" &
load=$!
until_true 10 has_lines "$T/out/load" 1

missed=$(ctl --json show tick | jq .missed)
slowest=0
for _ in {1..20}; do
        from=$(milliseconds)
        ctl --json list j1 >"$T/out/list"
        took=$(($(milliseconds) - from))
        slowest=$((took > slowest ? took : slowest))
done
ctl wait -q -n 4 tick
assert_equal "slots missed meanwhile" "$missed" "$(ctl --json show tick | jq .missed)"
((slowest < 1000)) || die "a call of root took $slowest ms"
kill -0 "$load" || die "nobody asked any more"
note "root's slowest call took $slowest ms"

# the scheduler goes: so do the connections of those who ask and of those who watch
killed=$(scheduler_pid)
ctl watch --json=short tick >"$T/out/watch" 2>&1 &
watch=$!
until_true 5 has_lines "$T/out/watch" 1
kill -KILL "$killed"
status=0
wait "$watch" || status=$?
((status != 0 && status != 124)) || die "watch ended with $status without its scheduler"
wait "$load" || die "who asked was not told that it is over"
is_served() { ctl --json list j1 >"$T/out/list" 2>&1; }
until_true 10 is_served
[ "$(scheduler_pid)" != "$killed" ] || die "the scheduler lives"
stop_daemon
