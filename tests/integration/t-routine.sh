#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs of a plugin that say no more than the one before are one row of the ledger, over the scheduler's death and the daemon's end, and each
# slot is accounted for; so it is with those of a job that can't keep up.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir "$T/plugins"
cp "$CHIMED_BUILD"/plugins/heartbeat.so "$T/plugins"
chmod -R go-w "$T/plugins"
{
        printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins"
        cat "$T/chimed.conf"
} >"$T/new.conf"
mv "$T/new.conf" "$T/chimed.conf"
write_job tick <<END_OF_JOB
Every=200ms
Mode=fixed-rate
Log=changes
Plugin=heartbeat
Option.write=$T/out/beat
END_OF_JOB
write_job slow <<END_OF_JOB
Every=100ms
Mode=fixed-rate
Log=changes
Coprocess=/bin/sh -c 'while read -r line; do sleep 0.15; echo done; done'
END_OF_JOB
write_job stubborn <<END_OF_JOB
KillGrace=2s
Script=trap '' TERM; touch "$T/out/stubborn"; while :; do sleep 1; done
END_OF_JOB

# How many runs of a job there were that are in no row, as history has them.
count_routine() { # [JOB]
        expect_ctl 0 history --json=short -n 1000 "${1:-tick}"
        routine=$(jq '[.missed[] | select(.result == "success").count] | add // 0' <<<"$said")
}
has_routine() { # N [JOB]
        count_routine "${2:-tick}"
        [ "$routine" -ge "$1" ]
}
has_answer() { timeout 30 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" show --json=short tick >/dev/null 2>&1; }

start_daemon
until_true 60 has_routine 10
expect_ctl 0 history -n 1000 tick
assert_contains "a row of many runs" "x  " "$(grep ' success [0-9]*x ' <<<"$said")"
until_true 60 has_routine 10 slow
n_missed=$(jq '[.missed[] | select(.outcome == "missed").count] | add // 0' <<<"$said")
[ "$n_missed" -ge 5 ] || die "slots that it missed: $n_missed"
expect_ctl 0 audit slow
before=$(scheduler_pid)
kill -KILL "$before"
until_true 60 has_answer
until_true 60 has_routine $((routine + 10))
expect_ctl 0 audit tick
expect_ctl 0 trigger stubborn # its end takes long: slots pass meanwhile, and none of them is started
until_true 60 file_exists "$T/out/stubborn"
stop_daemon 60
start_daemon
until_true 60 has_routine $((routine + 10))
expect_ctl 0 audit --json=short tick
assert_equal "slots of which nobody knows" 0 "$(jq '[.[].interrupted] | add' <<<"$said")"
expect_ctl 0 show --json=short tick
assert_equal "the latest result" success "$(jq -r .lastGood.result <<<"$said")"
stop_daemon
