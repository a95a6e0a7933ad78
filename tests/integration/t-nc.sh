#!/bin/bash
# SPDX-License-Identifier: MIT
# Bytes by hand: calls in one write, calls in pieces, and each kind of bad input, as the reference server answers it.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
nc -h 2>&1 | grep -q OpenBSD || skip "needs nc with -U (netcat-openbsd)"
socket=$T/run/io.chimed

# Sends a printf format; the replies, one a line.
ask() { # shellcheck disable=SC2059
        printf "$1" | timeout 10 nc -U -N "$socket" | tr '\0' '\n'
}
# A printf format after which the server closes the connection without a word, also to the call behind it.
assert_closed() { # WHAT FORMAT
        ask "$2"'{"method":"io.chimed.GetStatus"}\0' >"$T/answer" || die "$1: the connection stays open"
        [ ! -s "$T/answer" ] || die "$1: answered with $(cat "$T/answer")"
}

write_job hello <<'E'
Every=1h
InitialDelay=1h
Script=echo a line
E
start_daemon
until_true 5 file_exists "$socket"

# as the manual has it
assert_equal "a call" 1 "$(ask '{"method":"io.chimed.GetStatus"}\0' | jq .parameters.jobs)"

# many calls in one write: answered in order, each by what it asks; a line break before the NUL; null and {} are no parameters
show='"method":"io.chimed.ShowJob"'
ask '{"method":"io.chimed.GetStatus"}\0{'"$show"',"parameters":{"job":"hello"}}\n\0'\
'{"method":"io.chimed.GetStatus","parameters":null}\0{"method":"io.chimed.GetStatus","parameters":{},"more":true}\0'\
'{'"$show"'}\0{'"$show"',"parameters":{"job":7}}\0{'"$show"',"parameters":{"job":"hello","x":1}}\0{'"$show"',"parameters":{"job":"none"}}\0'\
'{"method":"io.chimed.Nothing"}\0{"method":"org.example.Nothing"}\0{"method":"io.chimed.Subscribe"}\0'\
'{"method":"io.chimed.Pause","parameters":{"job":"hello"},"oneway":true}\0{'"$show"',"parameters":{"job":"hello"}}\0' >"$T/replies"
cat >"$T/wanted" <<'E'
[null,1,null,null,null]
[null,null,"waiting",null,null]
[null,1,null,null,null]
[null,1,null,null,null]
["org.varlink.service.InvalidParameter",null,null,"job",null]
["org.varlink.service.InvalidParameter",null,null,"job",null]
["org.varlink.service.InvalidParameter",null,null,"x",null]
["io.chimed.NoSuchJob",null,null,null,null]
["org.varlink.service.MethodNotFound",null,null,null,"io.chimed.Nothing"]
["org.varlink.service.MethodNotFound",null,null,null,"org.example.Nothing"]
["org.varlink.service.ExpectedMore",null,null,null,null]
[null,null,"paused",null,null]
E
jq -c '[.error, (.parameters | .jobs, .state, .parameter, .method)]' "$T/replies" >"$T/found"
diff "$T/wanted" "$T/found" || die "the replies are not those wanted"
if grep -q continues "$T/replies"; then
        die "a single reply says that it continues"
fi

# a call in pieces
assert_equal "a call in pieces" 1 "$({
        printf '{"method":"io.chi'
        until_true 5 file_exists "$socket"
        printf 'med.GetStatus"}'
        printf '\0'
} | timeout 10 nc -U -N "$socket" | tr '\0' '\n' | jq .parameters.jobs)"

# what is no call
status='"method":"io.chimed.GetStatus"'
assert_closed "an unknown key" '{'"$status"',"extra":1}\0'
assert_closed "a doubled key" '{'"$status"','"$status"'}\0'
assert_closed "an array" '[]\0'
assert_closed "a string" '"io.chimed.GetStatus"\0'
assert_closed "no JSON" 'hello\0'
assert_closed "nothing" '\0'
assert_closed "no method" '{"parameters":{}}\0'
assert_closed "more and oneway" '{'"$status"',"more":true,"oneway":true}\0'
assert_closed "upgrade" '{'"$status"',"upgrade":true}\0'
assert_closed "a doubled parameter" '{'"$show"',"parameters":{"job":"hello","job":"hello"}}\0'
assert_closed "bytes that are no UTF-8" '{'"$show"',"parameters":{"job":"\xff"}}\0'
assert_closed "a call over the bound" "$(head -c 70000 /dev/zero | tr '\0' ' ')"'{'"$status"'}\0'

# nothing of that was carried out, and the server is as it was
assert_equal "after all that" paused "$(ask '{'"$show"',"parameters":{"job":"hello"}}\0' | jq -r .parameters.state)"
assert_equal "runs" 0 "$(count_events started)"
stop_daemon
