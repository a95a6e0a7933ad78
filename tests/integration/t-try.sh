#!/bin/bash
# SPDX-License-Identifier: MIT
# chimectl try runs a job in the terminal as a scheduled start would: what the process is given is the same, byte for byte, but for the
# run's id and slot; conditions, time limit, output and the end of the tree are, too. It needs no chimed, and leaves nothing behind.
# chimectl env says what that process is given.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
probe=$CHIMED_BUILD/tests/probe
for program in setpriv python3 jq; do
        command -v "$program" >/dev/null || skip "needs $program"
done
chmod 755 "$T/jobs"

# What try exits with; its standard output is in $said, its standard error in $T/err.
expect_try() { # STATUS OPTION...
        local wanted=$1 status=0
        shift
        said=$(timeout 60 "$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/jobs" try "$@" 2>"$T/err") || status=$?
        [ "$status" = "$wanted" ] || die "try $*: status $status, wanted $wanted: $said $(cat "$T/err")"
}
assert_last() { # TEXT: the last line that try said
        assert_contains "the last line" "$1" "$(tail -n 1 "$T/err")"
}
is_left_nothing() { [ -z "$(processes_left)" ]; }

# ---- the same process ----
printf 'SECRET="two\nlines"\nLANG=C.UTF-8\nODD="it'"'"'s \033[31m, \\\\ \303\274"\n' >"$T/secrets"
tell() { # JOB SETTING...
        printf '%s\n' "Command=$probe" "StandardOutput=truncate:$T/out/$1" "${@:2}" | write_job "$1"
}
tell plain "EnvironmentFile=$T/secrets" Environment=OWN=yes
tell user User=61003 Group=61004 SupplementaryGroups=61005 UMask=0077 Nice=3 CPUSchedulingPolicy=batch IOSchedulingClass=idle \
        NoNewPrivileges=yes WorkingDirectory=/tmp LimitNOFILE=64:128 LimitCORE=0 "Environment=HOME=/ LANG=C"
write_job piped <<<"Command=$probe"
write_job direct <<<"Command=$probe
StandardOutput=journal-direct"
same() { # FILE: but for the parent and what is the run's own
        grep -av -e '^parent ' -e '^variable CHIMED_RUN_ID=' -e '^variable CHIMED_SLOT' "$1"
}
start_daemon
for job in plain user; do
        expect_ctl 0 trigger --wait "$job"
        mv "$T/out/$job" "$T/$job.daemon"
        expect_try 0 "$job"
        assert_equal "what $job wrote past its file" "" "$said"
        diff <(same "$T/$job.daemon") <(same "$T/out/$job") >"$T/diff" || die "$job: < by chimed, > by try: $(cat "$T/diff")"
done
expect_ctl 0 trigger --follow piped
echo "$said" >"$T/piped.daemon"
expect_try 0 piped
echo "$said" >"$T/piped"
diff <(same "$T/piped.daemon") <(same "$T/piped") >"$T/diff" || die "piped: < by chimed, > by try: $(cat "$T/diff")"
expect_try 0 direct
assert_contains "what goes to the journal directly" "descriptor 1 pipe write" "$said"
stop_daemon

# ---- what env says is what they get ----
expect_env() { # STATUS OPTION...
        local wanted=$1 status=0
        shift
        said=$(timeout 60 "$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/jobs" env "$@" 2>"$T/err") || status=$?
        [ "$status" = "$wanted" ] || die "env $*: status $status, wanted $wanted: $said $(cat "$T/err")"
}
no_own() { grep -av -e '^CHIMED_RUN_ID=' -e '^CHIMED_SLOT'; }
for job in plain user; do
        sed -n '/^variable /,$p' "$T/out/$job" | sed 's/^variable //' | sort | no_own >"$T/wanted"
        expect_env 0 --json "$job"
        jq -r '.environment | to_entries[] | "\(.key)=\(.value)"' <<<"$said" | sort | no_own | diff "$T/wanted" - || die "env --json $job"
        expect_env 0 --export "$job"
        (
                mapfile -t names < <(compgen -e | grep -v '^PATH$')
                unset "${names[@]}" 2>/dev/null || : # some may be read-only
                set -a
                eval "$said"
                /usr/bin/env | grep -av '^_='
        ) | sort | no_own | diff "$T/wanted" - || die "env --export $job"
done
setting() { jq -r --arg key "$1" '.settings[] | select(.key == $key).value' <<<"$said" | tr '\n' ' '; } # KEY
expect_env 0 --json user
for pair in "User 61003" "Group 61004" "SupplementaryGroups 61005" "UMask 0077" "Nice 3" "CPUSchedulingPolicy batch" \
        "IOSchedulingClass idle" "NoNewPrivileges yes" "WorkingDirectory /tmp" "LimitNOFILE 64:128" "LimitCORE 0:0" \
        "StandardOutput truncate:$T/out/user"; do
        assert_equal "${pair%% *}" "${pair#* } " "$(setting "${pair%% *}")"
done
assert_equal "the command" "$probe" "$(jq -r '.command[]' <<<"$said")"
while read -r _ number soft hard; do # as in limits.c
        limits=(CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME)
        assert_equal "limit ${limits[number]}" "${soft/-1/infinity}:${hard/-1/infinity} " "$(setting "Limit${limits[number]}")"
done < <(grep -a '^limit ' "$T/out/user")
expect_env 0 user
assert_contains "the screen" "LimitNOFILE            64:128" "$said"
assert_contains "the screen" "CHIMED_ATTEMPT=1  #" "$said"
expect_env 4 usr
assert_contains "the error" "did you mean user?" "$(cat "$T/err")"
write_job plugin <<<'Plugin=sampler
Option.file=/tmp/a b
Option.lines=5
PluginHost=samplers
User=61003
Group=61003'
write_job coprocess <<<'Coprocess=/bin/cat -u "two words"'
expect_env 0 --json plugin
assert_contains "the plugin" "/plugins/sampler.so " "$(setting Plugin)"
assert_equal "its options" "file=/tmp/a b lines=5 " "$(setting Option)"
assert_equal "its host" "samplers " "$(setting PluginHost)"
assert_equal "its user" "61003 " "$(setting User)"
expect_env 0 --json coprocess
assert_equal "the coprocess" '/bin/cat -u "two words" ' "$(setting Coprocess)"
rm "$T/secrets"
expect_env 1 plain
assert_contains "the error" "an EnvironmentFile= can't be read: No such file or directory" "$(cat "$T/err")"
expect_try 125 plain
assert_last "plain: start-failed at environment: No such file or directory"

# ---- a tick of a plugin or coprocess ----
mkdir "$T/plugins"
cp "$CHIMED_BUILD/plugins/heartbeat.so" "$T/plugins"
chmod -R go-w "$T/plugins"
printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins" >>"$T/chimed.conf"
answers() { # JOB SCRIPT [SETTING...]: a coprocess that does this with each line
        printf '%s\n' "Coprocess=/bin/sh -c 'while read -r tick; do $2; done'" "${@:3}" | write_job "$1"
}
write_job beats <<<"Plugin=heartbeat
Option.touch=$T/out/beat"
write_job no-plugin <<<Plugin=absent
# shellcheck disable=SC2016 # the shell of the coprocess expands it
answers echoes 'echo beside >&2; echo "$tick"' AcceptParameters=COLOUR
answers who 'id -u' User=61003 Group=61003
answers fails "cat $T/answer"
echo '{"status":"failed","message":"no luck"}' >"$T/answer"
answers exits 'exit 3'
answers over 'exit 0'
answers slow 'sleep 1000' Timeout=300ms KillGrace=100ms
expect_try 0 beats
[ -e "$T/out/beat" ] || die "the plugin has not touched its file"
assert_last "beats: success, after "
expect_try 125 no-plugin
assert_last "no-plugin: start-failed at plugin: absent.so: No such file or directory"
expect_try 0 --set COLOUR=red echoes
assert_equal "the tick" 'echoes trigger 1 red' "$(jq -r '"\(.job) \(.cause) \(.attempt) \(.parameters.COLOUR)"' <<<"$said")"
assert_equal "standard error" beside "$(head -n 1 "$T/err")"
expect_try 0 who
assert_equal "the user of the coprocess" 61003 "$said"
expect_try 1 fails
assert_equal "standard output" "" "$said"
assert_last "fails: failed: no luck, after "
expect_try 3 exits
assert_last "exits: failed, exit status 3, after "
expect_try 0 over
assert_last "over: finished, "
expect_try 124 slow
assert_last "slow: timeout"
until_true 10 is_left_nothing

# ---- how it ends ----
write_job three <<<'Script=echo out; echo err >&2; exit 3'
write_job good <<<'Script=exit 3
SuccessExitStatus=3'
write_job signal <<<'Script=kill -SEGV $$'
write_job hangs <<<'Script=trap "" TERM; sleep 1000 & sleep 1000; sleep 1000
Timeout=300ms
KillGrace=100ms'
write_job absent <<<'Command=/nonexistent/program'
write_job condition <<<"Command=/bin/touch $T/out/condition
ConditionPathExists=/nonexistent"
write_job asked <<<'Command=/bin/true
ExecCondition=/bin/sh -c "echo asked; exit 1"'
write_job stopped <<<"Command=/bin/touch $T/out/condition
StopWhenPathExists=$T"
write_job left <<<'Script=setsid sleep 1000 & echo done'
write_job broken <<<'Command=/bin/true
Timeout=never'
write_job file <<<"Script=echo one; echo two >&2
StandardOutput=append:$T/out/file"
find "$T/run" "$T/jobs" | sort >"$T/before"

expect_try 3 three
assert_equal "standard output" out "$said"
assert_equal "standard error" err "$(head -n 1 "$T/err")"
assert_last "three: failed, exit status 3, after "
expect_try 3 --quiet three
assert_equal "standard error" err "$(cat "$T/err")"
expect_try 0 good
assert_last "good: success, exit status 3, after "
expect_try 139 signal
assert_last "signal: signal, ended by SIGSEGV, after "
expect_try 124 hangs
assert_last "hangs: timeout, ended by SIG"
expect_try 125 absent
assert_last "absent: start-failed at exec: No such file or directory"
expect_try 125 condition
assert_last "condition: withheld, a condition does not hold: ConditionPathExists=/nonexistent (it is not there)"
expect_try 125 asked
assert_equal "what the condition says" asked "$said"
assert_last "asked: withheld, a condition does not hold: ExecCondition="
expect_try 0 stopped
assert_last "stopped: finished, not run: "
[ ! -e "$T/out/condition" ] || die "it was run though its condition does not hold"
expect_try 0 left
assert_contains "what is told of leftovers" "left 1 process behind" "$(cat "$T/err")"
expect_try 0 file
expect_try 0 file
assert_equal "the file" "one two one two" "$(tr '\n' ' ' <"$T/out/file" | sed 's/ $//')"
status=0
"$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/jobs" try left >/dev/full 2>"$T/err" || status=$?
assert_equal "status without room for the output" 1 "$status"
assert_contains "what is told of it" "left: not all of its output could be written: No space left on device" "$(cat "$T/err")"
until_true 10 is_left_nothing

# ---- somebody's own files ----
mkdir "$T/own"
write_job mine <<<'Script=id -u; exit 5'
mv "$T/jobs/mine.ini" "$T/own"
chown -R 65534:65534 "$T/own"
status=0
setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/own" try mine >"$T/said" 2>"$T/err" || status=$?
assert_equal "status of one's own job" "5 65534" "$status $(cat "$T/said")"

# ---- what is not run ----
expect_try 4 thre
assert_last 'no job "thre" in the files; did you mean three?'
expect_try 125 broken
assert_contains "the error" "jobs/broken.ini:3" "$(cat "$T/err")"
assert_last "broken has errors, and is not run"
expect_try 2 three file
for job in user three; do
        status=0
        timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
                "$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/jobs" try "$job" >"$T/said" 2>"$T/err.$job" || status=$?
        assert_equal "status of $job for nobody" 125 "$status"
        ! setpriv --reuid=65534 --regid=65534 --clear-groups \
                "$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/jobs" env "$job" >>"$T/said" 2>&1 || die "env for nobody"
done
assert_contains "the error" "only root can run jobs as other users" "$(cat "$T/err.user")"
assert_contains "the error" "sudo chimectl try three" "$(cat "$T/err.three")"

# ---- Ctrl-C: a signal to the group of the terminal, of which the job is not ----
# neither begins a process once its file is there: a signal to the tree does not reach what is born meanwhile
write_job long <<<"Script=sleep 1000 & setsid sleep 1000 & touch $T/out/long; wait"
write_job stubborn <<<"Script=trap 'echo >$T/out/asked' TERM; echo >$T/out/stubborn; while :; do :; done
KillGrace=1h"
in_group() { # JOB [socket]: $pid is the group; with a socket as standard output, which nobody reads
        rm -f "$T/out/$1"
        python3 -c 'import os, select, signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
if sys.argv[1] == "socket":
    ours, theirs = socket.socketpair()
    os.dup2(theirs.fileno(), 1)
    if os.fork() == 0: # is there until the other end is closed
        if os.fork() == 0:
            theirs.close()
            os.close(1)
            poll = select.poll()
            poll.register(ours, 0)
            poll.poll()
        os._exit(0)
    os.wait()
os.execv(sys.argv[2], sys.argv[2:])' "${2:-}" "$CHIMED_BUILD/chimectl" "--config=$T/chimed.conf" "--jobs=$T/jobs" try "$1" 2>"$T/err" &
        pid=$!
        until_true 30 file_exists "$T/out/$1"
}
expect_end() { # STATUS
        local status=0
        until_true 30 is_zombie_or_gone "$pid"
        wait "$pid" || status=$?
        assert_equal "status" "$1" "$status"
        until_true 10 is_left_nothing
}
in_group long
kill -INT -- "-$pid"
expect_end 130
assert_last "long: cancelled, ended by SIGTERM, after "
in_group long
kill -TERM "$pid"
expect_end 143
in_group stubborn # which has an hour, but for the second time
kill -INT -- "-$pid"
until_true 30 file_exists "$T/out/asked"
kill -INT -- "-$pid"
expect_end 130

# ---- output that nobody takes holds up the job, and not its end ----
write_job endless <<<"Script=touch $T/out/endless; exec yes"
mkfifo "$T/pipe"
exec 9<>"$T/pipe"
in_group endless >&9
kill -TERM "$pid"
until_true 30 is_left_nothing
read_pipe() { # in the background: to $T/read
        cat <"$T/pipe" >"$T/read" 9>&- &
        drain=$!
        exec 9>&-
}
read_pipe
expect_end 143
wait "$drain"

# ---- and whoever only waits for it can be sent away ----
is_ended_by_term() {
        kill -TERM "$pid" 2>/dev/null || :
        is_zombie_or_gone "$pid"
}
in_group endless 9<>"$T/pipe" >&9
until_true 30 is_ended_by_term
expect_end 143
in_group endless socket
until_true 30 is_ended_by_term
expect_end 143

# ---- nor does that of a condition, which the job's own comes behind ----
write_job behind <<<"ExecCondition=/bin/sh -c 'head -c 100000 /dev/zero'
Script=touch $T/out/behind; until [ -e $T/out/go ]; do sleep 0.02; done; echo end; exit 7"
write_job late <<<"ExecCondition=/bin/sh -c 'head -c 65537 /dev/zero'
Script=head -c 1000 /dev/zero; touch $T/out/late; sleep 1000"
has_read() { [ "$(stat -c %s "$T/read")" -ge "$1" ]; } # BYTES
exec 9<>"$T/pipe"
in_group behind >&9
: >"$T/read"
read_pipe
until_true 30 has_read 100000
touch "$T/out/go"
expect_end 7
wait "$drain"
assert_equal "all of its output" 100004 "$(stat -c %s "$T/read")"
assert_last "behind: failed, exit status 7, after "
exec 9<>"$T/pipe"
in_group late >&9
kill -TERM "$pid"
until_true 30 is_left_nothing
read_pipe
expect_end 143
wait "$drain"
assert_equal "all of its output" 66537 "$(stat -c %s "$T/read")"
assert_last "late: cancelled, ended by SIGTERM, after "

find "$T/run" "$T/jobs" | sort >"$T/after"
rm "$T/jobs/"{long,stubborn,endless,behind,late}.ini
find "$T/run" "$T/jobs" | sort >"$T/after"
diff "$T/before" "$T/after" || die "files were left"
