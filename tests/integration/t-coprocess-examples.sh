#!/bin/bash
# SPDX-License-Identifier: MIT
# The coprocesses of the examples, first without a daemon: one line in, one line out, and an end with the input. t-examples has them in
# a daemon, but for the one in C, which is built here.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

examples=$here/../../config/examples/coprocess

# Asks so many times; the answers are in $answers.
ask() { # N PARAMETERS COMMAND...
        local n=$1 i line
        line="{\"job\":\"x\",\"run\":1,\"slot\":\"2026-11-22T07:29:22Z\",\"slot_usec\":1795332562000000,\"cause\":\"schedule\",\"attempt\":1,\"missed\":0,\"parameters\":$2}"
        for ((i = 0; i < n; i++)); do
                echo "$line"
        done >"$T/lines"
        answers=$(timeout 60 "${@:3}" <"$T/lines") || die "$3: status $?"
        assert_equal "answers of $3" "$n" "$(wc -l <<<"$answers")"
}
answer() { sed -n "$1p" <<<"$answers"; }

mkdir "$T/files"
echo a >"$T/files/a"
echo b >"$T/files/b"
ask 2 '{}' python3 "$examples/catalogue.py" "$T/files" "$T/cache"
assert_equal "the first one reads all" '{"files":2,"read":2}' "$(answer 1 | jq -c .value)"
assert_equal "the second one has nothing to do" skipped "$(answer 2 | jq -r .status)"
assert_equal "the cache" "$(sha256sum "$T/files/a" | cut -d ' ' -f 1)" "$(jq -r ".[\"$T/files/a\"]" "$T/cache")"
ask 2 '{"ALL":"yes"}' python3 "$examples/catalogue.py" "$T/files" "$T/cache"
assert_equal "all anew" '{"files":2,"read":2}' "$(answer 2 | jq -c .value)"
ask 1 '{}' python3 "$examples/catalogue.py" "$T/files" /no/such/file
assert_equal "no cache" "failed /no/such/file.new: No such file or directory" "$(answer 1 | jq -r '"\(.status) \(.message)"')"

ask 3 '{}' sh "$examples/load.sh"
[[ $(answer 3) =~ ^busy=[0-9]+%\ load=[0-9.]+$ ]] || die "load.sh: $answers"

cc -std=gnu17 -Wall -Wextra -Werror -o "$T/disk" "$examples/disk.c"
ask 2 '{}' "$T/disk" "$T/probe"
answer 2 | jq -e '.value.longest_usec >= .value.usec' >/dev/null || die "disk: $answers"
if [ -e /dev/full ]; then
        ask 1 '{}' "$T/disk" /dev/full
        assert_equal "a full disk" failed "$(answer 1 | jq -r .status)"
fi
status=0
"$T/disk" /no/such/file </dev/null 2>"$T/err" || status=$?
assert_equal "no file" "1 disk: /no/such/file: No such file or directory" "$status $(cat "$T/err")"

write_job disk <<END
Every=50ms
Coprocess=$T/disk $T/probe
END
start_daemon
expect_ctl 0 trigger --wait disk
expect_ctl 0 show --json=short disk
jq -r .lastRun.value <<<"$said" | jq -e '.longest_usec >= .usec' >/dev/null || die "disk in the daemon: $said"
stop_daemon
