#!/bin/bash
# SPDX-License-Identifier: MIT
# Coprocesses that crash, hang, flood, answer twice, late or not at all cost their own runs and no others, with the reason; what they say
# in a line is the value, or the result.
# shellcheck disable=SC2016 # scripts are for another shell
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_coprocess() { # JOB SCRIPT [SETTING...]
        printf '#!/bin/sh\n%s\n' "$2" >"$T/$1.sh"
        chmod 755 "$T/$1.sh"
        printf '%s\n' Every=1h InitialDelay=1h Log=all KillGrace=300ms "Coprocess=$T/$1.sh" "${@:3}" | write_job "$1"
}
run_once() { # JOB: said is how chimectl saw it end, ended its status
        ended=0
        said=$(timeout 60 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --wait "$1" 2>&1) || ended=$?
}
value_of() { # JOB
        expect_ctl 0 --json show "$1"
        jq -r '[.. | .value? // empty][0] // ""' <<<"$said"
}
fail() { # JOB PATTERN
        mark_log
        run_once "$1"
        [ "$ended" != 0 ] || die "$1 did not fail: $said"
        until_true 10 has_events 1 '(failed|timed-out|interrupted)' "$1"
        [[ $(event_field MESSAGE '(failed|timed-out|interrupted)' "$1") =~ $2 ]] ||
                die "$1: not '$2': $(event_field MESSAGE '(failed|timed-out|interrupted)' "$1")"
}
succeed() { # JOB [VALUE]
        run_once "$1"
        assert_equal "the end of $1 ($said)" 0 "$ended"
        [ $# = 1 ] || assert_equal "the value of $1" "$2" "$(value_of "$1")"
}

write_coprocess good 'i=0; while read -r q; do i=$((i + 1)); echo "$i"; done'
write_coprocess crashes 'read -r q; kill -SEGV $$'
write_coprocess exits 'read -r q; exit 7'
write_coprocess hangs 'while read -r q; do sleep 1000; done' Timeout=300ms
write_coprocess stubborn 'trap "" TERM; while read -r q; do sleep 1000; done' Timeout=300ms
write_coprocess floods 'while read -r q; do head -c 100000 /dev/zero | tr "\0" x; echo; done'
write_coprocess pours 'yes & while read -r q; do :; done'
write_coprocess twice 'i=0; while read -r q; do i=$((i + 1)); echo "$i"; echo again; done'
write_coprocess says 'while read -r q; do echo "{\"status\":\"failed\",\"message\":\"the reason\"}"; done'
write_coprocess skips 'while read -r q; do echo "{\"status\":\"skipped\"}"; done'
write_coprocess nonsense 'while read -r q; do echo "{\"status\":\"what\"}"; done'
write_coprocess talks 'while read -r q; do echo "to the journal" >&2; echo "$q"; done'
write_coprocess ends 'read -r q; echo last; exit 0'
write_coprocess absent ''
rm "$T/absent.sh"
start_daemon

succeed good 1
fail crashes 'killed by SIGSEGV'
fail crashes 'killed by SIGSEGV' # another one, at once
fail exits 'exit status 7'
fail hangs 'timed out after'
fail stubborn 'timed out after'
fail hangs 'timed out after' # another one
fail floods 'its answer is longer than 64 KiB'
succeed pours y
fail says 'the reason'
fail nonsense 'its answer has an unknown status'
fail absent 'could not start: exec: No such file or directory'
succeed skips
succeed twice
succeed twice
[[ $(value_of twice) =~ ^(2|again)$ ]] || die "the value of twice: $(value_of twice)" # again came late, or 2 behind it
succeed talks
question=$(value_of talks)
assert_equal "the question" '["attempt","cause","job","missed","parameters","run","slot","slot_usec"]' \
        "$(jq -c keys <<<"$question")"
assert_equal "its job and cause" "talks trigger" "$(jq -r '.job + " " + .cause' <<<"$question")"
is_in_log() { grep -q '"MESSAGE":"to the journal"' "$log"; }
until_true 10 is_in_log

# ---- its end with 0 is the end of the job ----
succeed ends last
mark_log
run_once ends
until_true 10 has_events 1 job-stopped ends
succeed good 2
stop_daemon
