#!/bin/bash
# SPDX-License-Identifier: MIT
# Who may do what: real users and groups at the real socket. Names and states for all, the rest by User= and Allow=.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
socket=$T/run/io.chimed

# The reply to a call of a user and groups: the error's last word, the missing right, or a member of the reply.
ask_as() { # UID GROUPS METHOD PARAMETERS MEMBER
        python3 - "$socket" "$@" <<'E'
import json, os, socket, sys
path, uid, groups, method, parameters, member = sys.argv[1:]
os.setgroups([int(g) for g in groups.split(",") if g])
os.setresgid(*[int(uid)] * 3)
os.setresuid(*[int(uid)] * 3)
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
s.connect(path)
s.sendall(json.dumps({"method": "io.chimed." + method, "parameters": json.loads(parameters)}).encode() + b"\0")
data = b""
while not data.endswith(b"\0"):
    data += s.recv(65536)
reply = json.loads(data[:-1])
out = reply["parameters"]
for key in [] if "error" in reply else member.split("."):
    out = out[int(key) if isinstance(out, list) else key]
print(reply["error"].split(".")[-1] + " " + out.get("right", "") if "error" in reply else out)
E
}
assert_reply() { # WANTED UID GROUPS METHOD PARAMETERS MEMBER
        assert_equal "$4 $5 as $2 in [$3]" "$1" "$(ask_as "$2" "$3" "$4" "$5" "$6")"
}

write_job own <<'E'
Script=echo a secret
User=nobody
E
write_job given <<'E'
Script=printf "a secret"
Allow=trigger:4711 control:%daemon
E
write_job closed <<'E'
Script=echo a secret
User=nobody
Allow=
E
start_daemon
until_true 5 file_exists "$socket"
nobody=$(id -u nobody)
daemon_gid=$(getent group daemon | cut -d : -f 3)

# whoever can connect sees names and states
assert_reply 3 4712 '' GetStatus '{}' jobs
assert_reply own 4712 '' ListJobs '{"jobs":["own"]}' jobs.0.name
assert_reply None 4712 '' ShowJob '{"job":"own"}' command
assert_reply "PermissionDenied trigger" 4712 '' Trigger '{"job":"own"}' runId
assert_reply "PermissionDenied control" 4712 '' Cancel '{"job":"own"}' changed
assert_reply "PermissionDenied admin" 4712 '' Reload '{}' jobs

# the job's own user may trigger it, but not what Allow= takes away, and sees no output
assert_reply started "$nobody" '' Trigger '{"job":"own"}' outcome
assert_reply success "$nobody" '' Wait '{"job":"own","runs":1}' lastRun.result
assert_reply None "$nobody" '' Wait '{"job":"own","runs":1}' lastRun.value
assert_reply "PermissionDenied control" "$nobody" '' Trigger '{"job":"own","force":true}' outcome
assert_reply "PermissionDenied control" "$nobody" '' Pause '{"job":"own"}' changed
assert_reply "PermissionDenied trigger" "$nobody" '' Trigger '{"job":"closed"}' outcome
assert_reply "PermissionDenied trigger" "$nobody" '' Trigger '{"job":"given"}' outcome

# Allow= gives rights to users and to groups, also as one of several
assert_reply started 4711 '' Trigger '{"job":"given"}' outcome
assert_reply "PermissionDenied control" 4711 '' Pause '{"job":"given"}' changed
assert_reply True 4712 "4713,$daemon_gid" Pause '{"job":"given"}' changed
assert_reply "PermissionDenied control" 4712 "$daemon_gid" Resume '{"job":"own"}' state
assert_reply True 4712 "$daemon_gid" Resume '{"job":"given"}' changed
assert_reply 1 4712 "$daemon_gid" Wait '{"job":"given","runs":1}' runs
assert_reply "a secret" 4712 "$daemon_gid" Wait '{"job":"given","runs":1}' lastRun.value
assert_reply "PermissionDenied admin" 4712 "$daemon_gid" Reload '{}' jobs

# root may do everything, and what was done and denied can be read in the journal
assert_reply 3 0 '' Reload '{}' jobs
grep -q 'given: resumed by uid 4712' "$log" || die "the journal does not say who resumed"
grep -q 'Cancel of own was denied to uid 4712: no right to control' "$log" || die "the journal does not say who was denied"
stop_daemon
