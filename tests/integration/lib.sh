# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib: the words of the integration tests. Sourced by each; makes the folder $T with jobs/, run/ and out/, and at the end stops the
# instance, looks for sanitizers' reports and for processes that were left, and removes the folder.
#
# Every wait is for an event and bounded; nothing sleeps for luck.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${CHIMED_BUILD:?a build folder}"
T=$(mktemp -d "${TMPDIR:-/tmp}/chimed-test.XXXXXX")
log=$T/log                # where records are looked for
daemon_stderr=$T/log      # where the programs say the rest
daemon=                   # the pid that was started: chimed, which becomes the runner
log_from=1                # the line from which events are looked for
wait_default=10           # seconds
tracer=                   # the strace that holds system calls of the runner back, where a test began one
given=                    # a cgroup that make_cgroup has made
mkdir "$T/jobs" "$T/run" "$T/out"
chmod 755 "$T" "$T"/*
chmod 777 "$T/out"
touch "$log"
# each job can be found by this, wherever it hangs in the tree
printf '[defaults]\nEnvironment=TEST_FOLDER=%s\n' "$T" >"$T/chimed.conf"

die() {
        echo "FAILED: $*"
        exit 1
}
skip() {
        echo "$*"
        exit 77
}
note() { echo "note: $*"; } # shown beside "ok"
need_root() { [ "$(id -u)" = 0 ] || skip "needs root"; }

# A cgroup of the test's own, $given, on $mount; the test is skipped where there is none to have.
make_cgroup() {
        need_root
        mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
        [ -n "$mount" ] || skip "no cgroup v2 is mounted here"
        [ -w "$mount/cgroup.procs" ] || skip "$mount is not ours to change"
        mkdir "$mount/chimed-test-$$" || skip "$mount is not ours to change"
        given=$mount/chimed-test-$$
}
remove_cgroup() {
        local i
        find "$given" -name cgroup.kill -exec sh -c 'echo 1 >"$1"' _ {} \; 2>/dev/null
        for ((i = 0; i < 250; i++)); do
                find "$given" -depth -type d -exec rmdir {} \; 2>/dev/null
                [ -e "$given" ] || return
                sleep 0.02
        done
        echo "note: $given could not be removed"
}

# All descendants of a process, the deepest last.
descendants() { # PID
        local child
        for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
                echo "$child"
                descendants "$child"
        done
}

# Processes of this test's jobs.
processes_left() {
        grep -lsFa "TEST_FOLDER=$T" /proc/[0-9]*/environ | cut -d / -f 3 | grep -vx "$$" || true
}

leave() {
        local status=$? pid
        trap '' INT TERM
        set +e
        if [ -n "$daemon" ] && kill -0 "$daemon" 2>/dev/null; then
                # shellcheck disable=SC2046
                kill -KILL "$daemon" $(descendants "$daemon") 2>/dev/null
                wait "$daemon" 2>/dev/null
        fi
        for pid in $(processes_left); do
                kill -KILL "$pid" 2>/dev/null
        done
        [ -z "$given" ] || remove_cgroup
        if grep -qE 'ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:' "$daemon_stderr"; then
                echo "FAILED: a sanitizer has something to say:"
                grep -vE '^\{' "$daemon_stderr" | head -n 25
                status=1
        fi
        if [ "$status" != 0 ] && [ "$status" != 77 ]; then
                echo "-- the last records:"
                tail -n 12 "$log"
                [ "$log" = "$daemon_stderr" ] || tail -n 5 "$daemon_stderr"
        fi
        [ -n "${CHIMED_KEEP:-}" ] || rm -rf "$T"
        exit "$status"
}
trap leave EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# write_job NAME [FILE] <<EOF: the settings of [job NAME], into FILE.ini (default NAME.ini), whole at once
write_job() {
        { echo "[job $1]" && cat; } >"$T/new.ini"
        mv "$T/new.ini" "$T/jobs/${2:-$1}.ini"
}

start_daemon() { # [OPTION...]
        local n
        n=$(count_events ready) # those of the ones before it
        spawn_daemon "$@"
        wait_event ready "" "" $((n + 1))
}

# Starts it without waiting until it is ready.
spawn_daemon() { # [OPTION...]
        "$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/run" --log=json "$@" </dev/null \
                >>"$daemon_stderr" 2>&1 &
        daemon=$!
}

runner_pid() { echo "$daemon"; }
scheduler_pid() {
        local pid
        for pid in $(cat "/proc/$daemon/task/"*/children 2>/dev/null); do
                if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q -- ' --scheduler '; then
                        echo "$pid"
                        return
                fi
        done
}
# Processes that do the work of jobs: those of one host.
host_pids() { # NAME: of that host, which is its argument
        local pid
        for pid in $(cat "/proc/$daemon/task/"*/children 2>/dev/null); do
                if [ "$({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null)" = "chimed-host $1 " ]; then
                        echo "$pid"
                fi
        done
}

# until_true SECONDS COMMAND...: polls every 20 ms; fails the test by name when the time is over
until_true() {
        local seconds=$1 end
        shift
        end=$((${EPOCHREALTIME/./} + seconds * 1000000))
        until "$@"; do
                ((${EPOCHREALTIME/./} < end)) || die "not within $seconds s: $*"
                sleep 0.02
        done
}

refresh_log() { :; } # for a journal that is not the file itself

# The records (JSON lines) of a kind and a job ("" for any) since mark_log.
events() { # KIND [JOB]
        refresh_log
        local job=${2:+"\"CHIMED_JOB\": *\"$2\""}
        tail -n "+$log_from" "$log" | grep -aE "\"CHIMED_EVENT\": *\"$1\"" | grep -aE "$job" || true
}
count_events() { # KIND [JOB]
        refresh_log
        events "$@" | wc -l
}
mark_log() { log_from=$(($(wc -l <"$log") + 1)); }
has_events() { # N KIND [JOB]
        local n=$1
        shift
        (($(count_events "$@") >= n))
}

# The messages of trouble (degraded), but for what a runner that was killed may have left.
troubles() { events degraded | jq -r .MESSAGE | grep -v "^A runner before this one left [0-9]* processes of jobs behind: they were killed\$" || true; }

# wait_event KIND [JOB] [SECONDS] [N]: until N (1) records are there
wait_event() {
        until_true "${3:-$wait_default}" has_events "${4:-1}" "$1" "${2:-}"
}

# chimectl on this instance exits with STATUS. Its standard output is in $said, its standard error in $T/err.
expect_ctl() { # STATUS VERB...
        local wanted=$1 status=0
        shift
        said=$(timeout 30 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@" 2>"$T/err") || status=$?
        [ "$status" = "$wanted" ] || die "chimectl $*: status $status, wanted $wanted: $said $(cat "$T/err")"
}

# The same of simulate, with the files of this instance.
simulate_files() { # STATUS OPTION...
        expect_ctl "$1" simulate "--config=$T/chimed.conf" "--jobs=$T/jobs" "${@:2}"
}

# A field of the last (or the Nth) record of a kind.
event_field() { # FIELD KIND [JOB] [N]
        events "$2" "${3:-}" | sed -n "${4:-\$}p" | jq -r --arg f "$1" '.[$f] // ""'
}

assert_equal() { # WHAT WANTED FOUND
        [ "$2" = "$3" ] || die "$1: wanted '$2', found '$3'"
}
assert_contains() { # WHAT PART TEXT
        [[ "$3" == *"$2"* ]] || die "$1: no '$2' in '$3'"
}
assert_event() { # KIND JOB FIELD=VALUE...: the last record of the kind has these
        local kind=$1 job=$2 pair
        shift 2
        for pair; do
                assert_equal "$kind $job ${pair%%=*}" "${pair#*=}" "$(event_field "${pair%%=*}" "$kind" "$job")"
        done
}

is_gone() { ! kill -0 "$1" 2>/dev/null; }
has_lines() { # FILE N
        [ -e "$1" ] && (($(wc -l <"$1") >= $2))
}
file_exists() { [ -e "$1" ]; }
has_scheduler() { [ -n "$(scheduler_pid)" ]; }

# Stops the instance with TERM and checks that it leaves in time, well, and alone; stop_took: the milliseconds.
stop_daemon() { # [SECONDS]
        local status=0 scheduler began
        scheduler=$(scheduler_pid)
        began=$(milliseconds)
        kill -TERM "$daemon"
        until_true "${1:-10}" is_zombie_or_gone "$daemon"
        # shellcheck disable=SC2034 # for the test
        stop_took=$(($(milliseconds) - began))
        wait "$daemon" || status=$?
        daemon=
        assert_equal "exit status of chimed" 0 "$status"
        [ -z "$scheduler" ] || is_gone "$scheduler" || die "the scheduler is still there"
        assert_explained
}
# Every record so far has the fields that its text in the catalogue names.
assert_explained() {
        local lacking
        lacking=$(python3 "$here/catalogue.py" "$here/../../systemd/chimed.catalog" <"$log") || die "the catalogue: $lacking"
}
is_zombie_or_gone() { ! grep -qsE '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$1/status"; }

# Of a tracer that has begun: false where it may not trace.
is_traced() { grep -qE '^TracerPid:[[:space:]]*[1-9]' "/proc/$daemon/status"; }
is_not_traced() { ! is_traced; }
is_traced_or_not_to_be() { is_traced || ! kill -0 "$tracer" 2>/dev/null; }
await_tracer() {
        until_true 5 is_traced_or_not_to_be
        is_traced
}

# Whether every slot of a fixed-rate job is accounted for, by arithmetic on its records; says the numbers.
assert_complete() { # JOB PERIOD_USEC [MORE OPTIONS OF account.py]
        python3 "$here/account.py" --job="$1" --period="$2" "${@:3}" <"$log" || die "the slots of $1 are not complete"
}

milliseconds() { echo $((${EPOCHREALTIME/./} / 1000)); }
