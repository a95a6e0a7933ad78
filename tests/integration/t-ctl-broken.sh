#!/bin/bash
# SPDX-License-Identifier: MIT
# chimectl against a server that is not well: it says so, ends with the right status, and no text of others reaches the terminal raw.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export TZ=UTC COLUMNS=80
n=0
# fake REPLIES: a server with canned replies; its socket is $socket, what it was asked is in $asked
fake() {
        [ -z "${fake_in:-}" ] || exec {fake_in}>&-
        n=$((n + 1))
        socket=$T/run/$n
        asked=$T/asked$n
        echo "$1" >"$T/replies"
        exec {fake_in}> >(exec python3 "$here/fake_chimed.py" "$socket" "$T/replies" >"$asked" 2>&1)
        until_true 10 grep -qs ready "$asked"
}
ctl() { # STATUS VERB...
        local wanted=$1 status=0
        shift
        said=$(timeout 10 "$CHIMED_BUILD/chimectl" "--socket=$socket" "$@" 2>&1) || status=$?
        [ "$status" = "$wanted" ] || die "chimectl $*: status $status, wanted $wanted: $said"
}
says() { assert_contains "what chimectl says" "$1" "$said"; } # PART

fake '{"ShowJob": ["CLOSE"], "Why": ["{\"parameters\": {", "CLOSE"], "Next": ["no JSON\u0000"], "Trigger": ["[]\u0000"],
        "Cancel": ["{\"parameters\": {}, \"parameters\": {}}\u0000"], "Start": ["{\"parameters\": 5}\u0000"], "Pause": ["\u0000"],
        "Resume": [{"error": "io.chimed.Unheard\u001b[31m"}], "Wait": [{"error": "org.varlink.service.InvalidParameter", "parameters": {"parameter": "runs"}}],
        "Reload": [{"error": "org.varlink.service.PermissionDenied", "parameters": {"right": "admin", "holders": "root, group chimed"}}],
        "SetInterval": [{"error": "org.varlink.service.PermissionDenied", "parameters": {"job": "a"}}],
        "ListJobs": [{"parameters": {"jobs": [{"name": "a"}], "after": 0}}]}'
ctl 1 show a
says "closed the connection"
ctl 1 why a
says "closed the connection"
ctl 1 next a
says "is not chimed"
ctl 1 trigger a
ctl 1 trigger --wait a
ctl 1 cancel a
ctl 1 start a
ctl 1 pause a
ctl 1 resume a
says "Unheard.[31m"
ctl 2 wait a
says "runs"
ctl 1 reload
says "you may not reload; needs root, group chimed; try: sudo chimectl reload"
ctl 1 set-interval a 5s
says "root, the group chimed or Allow=control:USER in the job; try: sudo chimectl set-interval a"
# a page that points at itself is not followed for ever
ctl 1 list
says "no method GetStatus"

# a chimed that is starting gets some time, then its answer stands
fake '{"ShowJob": [{"error": "io.chimed.NotReady", "parameters": {}}]}'
ctl 1 show a
says "starting or stopping"
(($(grep -c ShowJob "$asked") > 10)) || die "a chimed that is starting was asked only $(grep -c ShowJob "$asked") times"

# one that hangs does not keep the files from being read
fake '{"GetStatus": []}'
printf '[job a]\nEvery=1h\nCommand=/bin/true\n' >"$T/jobs/a.ini"
ctl 0 check "--jobs=$T/jobs"
says "does not answer"
says "nothing is wrong"

# texts that attack: C0, OSC, C1 as UTF-8, line breaks in a reason
esc='\u001b]0;owned\u0007'
fake "{\"ShowJob\": [{\"parameters\": {\"name\": \"a\", \"state\": \"paused\", \"description\": \"$esc\", \"schedule\": \"\u009b31m\",
        \"hold\": {\"by\": \"me\", \"atUsec\": 1, \"reason\": \"x\nroot: $esc\"}, \"lastRun\": {\"value\": \"$esc\nline\t2\"}}}],
        \"Trigger\": [{\"parameters\": {\"kind\": \"accepted\", \"job\": \"a\", \"runId\": 1, \"outcome\": \"started\"}, \"continues\": true},
        {\"parameters\": {\"kind\": \"output\", \"stream\": 1, \"text\": \"${esc}x\n\"}, \"continues\": true},
        {\"parameters\": {\"kind\": \"ended\", \"job\": \"a\", \"runId\": 1, \"run\": {\"result\": \"success\"}}}]}"
ctl 0 show a
if grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' <<<"$said"; then
        die "control characters on the screen: $(cat -v <<<"$said")"
fi
says "a - .]0;owned."
says "x.root: "
# into a pipe what a job wrote is passed on as it is; a terminal gets it clean
"$CHIMED_BUILD/chimectl" "--socket=$socket" trigger --follow a 2>/dev/null >"$T/raw"
assert_equal "output into a file" "$(printf '\033]0;owned\ax' | od -c)" "$(tr -d '\n' <"$T/raw" | od -c)"
script -qec "'$CHIMED_BUILD/chimectl' '--socket=$socket' trigger --follow a" /dev/null </dev/null >"$T/seen"
grep -q '\.\]0;owned\.x' "$T/seen" || die "output on a terminal: $(cat -v "$T/seen")"

# a terminal: its width, colours, NO_COLOR, and a pager only where it is needed
row='{"name": "a-job-with-a-rather-long-name-that-is-cut-in-the-middle", "state": "waiting", "failuresInRow": 1, "lastResult": "failed"}'
fake "{\"ListJobs\": [{\"parameters\": {\"jobs\": [$row, $row, $row], \"after\": null}}], \"GetStatus\": [{\"parameters\": {}}]}"
unset COLUMNS
on_terminal() { # COLUMNS ROWS: what a terminal of this size is sent
        script -qec "stty cols $1 rows $2; '$CHIMED_BUILD/chimectl' '--socket=$socket'" /dev/null </dev/null | tr -d '\r'
}
export TERM=xterm
on_terminal 80 24 >"$T/seen"
grep -q $'\033\[1;31m' "$T/seen" || die "no colour on a terminal"
[ "$(sed 's/\x1b\[[0-9;]*m//g' "$T/seen" | wc -L)" -le 80 ] || die "wider than 80: $(cat "$T/seen")"
on_terminal 200 24 >"$T/seen"
grep -q cut-in-the-middle "$T/seen" || die "cut at 200 columns: $(cat "$T/seen")"
NO_COLOR=1 on_terminal 80 24 >"$T/seen"
! grep -q $'\033' "$T/seen" || die "colour in spite of NO_COLOR"
CHIMED_PAGER="sed s/^/paged:/" on_terminal 80 3 >"$T/seen"
grep -q '^paged:' "$T/seen" || die "no pager for a long screen: $(cat "$T/seen")"
CHIMED_PAGER="sed s/^/paged:/" on_terminal 80 24 >"$T/seen"
! grep -q '^paged:' "$T/seen" || die "a pager for a short screen"

# a path that is longer than an address
deep=$T/$(printf 'd%.0s' {1..100})/$(printf 'e%.0s' {1..100})
mkdir -p "$deep"
mv "$socket" "$deep/io.chimed"
socket=$deep/io.chimed
ctl 0 list
CHIMED_SOCKET=$socket "$CHIMED_BUILD/chimectl" list >/dev/null || die "CHIMED_SOCKET is not used"
socket=$T/run/nowhere ctl 1 list

# a reader that goes: no message, no wait
status=0
set +o pipefail
"$CHIMED_BUILD/chimectl" "--socket=$socket" list --json 2>"$T/errors" | true
[ ! -s "$T/errors" ] || die "words to a closed pipe: $(cat "$T/errors")"
status=0
"$CHIMED_BUILD/chimectl" "--socket=$deep/io.chimed" list >/dev/full 2>"$T/errors" || status=$?
assert_equal "status where the disk is full" 1 "$status"
