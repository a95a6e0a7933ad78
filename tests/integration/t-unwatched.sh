#!/bin/bash
# SPDX-License-Identifier: MIT
# A run is executed, and then there is no memory to hear of its end and its output: it is no second time, goes on, and its end and
# what it wrote are known all the same.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
command -v strace >/dev/null || skip "needs strace"

write_job once <<EOF
Log=all
Script=
 echo \$CHIMED_RUN_ID >>$T/out/ran
 echo said
 until [ -e $T/out/go ]; do sleep 0.05; done
 exit 7
EOF
# the leak checker can't work under strace
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
start_daemon
strace -f -qq -o "$T/strace" -p "$daemon" -e trace=epoll_ctl -e inject=epoll_ctl:error=ENOMEM:when=1..6 &
tracer=$!
await_tracer || skip "may not trace"
expect_ctl 0 trigger once
until_true 10 has_lines "$T/out/ran" 1
was_refused() { grep -q 'EPOLL_CTL_ADD.*ENOMEM' "$T/strace"; }
until_true 10 was_refused
touch "$T/out/go"
wait_event failed once
kill -KILL "$tracer"
wait "$tracer" || true
assert_event failed once CHIMED_RESULT=failed EXIT_STATUS=7
assert_equal "starts" 1 "$(wc -l <"$T/out/ran")"
assert_equal "failed starts" 0 "$(($(count_events start-failed) + $(count_events retry)))"
assert_equal "what it wrote" said "$("$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" --json show once | jq -r '.lastRun.value')"
stop_daemon
