#!/bin/bash
# SPDX-License-Identifier: MIT
# As the first process of a container: on a read-only root, without systemd, without a ledger or with one on a volume, as an account that nobody
# knows. It reaps what others leave, passes the container's variables, stops in time, and its start is a boot.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
for program in unshare nsenter setpriv; do
        command -v $program >/dev/null || skip "needs $program"
done
docker_patience=10000 # milliseconds from TERM to KILL

# What a runtime does before the program: a root that can't be written, a /run and a volume that can be.
cat >"$T/enter" <<EOF
#!/bin/sh -e
mount --make-rprivate /
mount -t proc proc /proc
mount --bind $T $T
mount -t tmpfs -o mode=755 tmpfs /run
[ -z "\$VOLUME" ] || mount --bind -o "\$VOLUME" $T/foreign $T/jobs
mount -o remount,bind,ro /
exec "\$@"
EOF
chmod 755 "$T/enter"
export VOLUME='' COLOUR=green SHAPE_A=round SHAPE_B=flat SECRET=dark
container=(unshare --pid --fork --mount --kill-child "$T/enter")
status=0
"${container[@]}" true 2>"$T/refused" || status=$?
[ $status = 0 ] || skip "no container can be had here: $(tail -n 1 "$T/refused")"

first_process() { cut -d ' ' -f 1 "/proc/$outside/task/$outside/children" 2>/dev/null; }
is_inside() { is_gone "$outside" || grep -qs '^chimed-runner$' "/proc/$(first_process)/comm"; }
contain() { # PROGRAM...: it becomes the first process
        "${container[@]}" "$@" </dev/null >>"$daemon_stderr" 2>&1 &
        daemon=$! outside=$!
        until_true 20 is_inside
        daemon=$(first_process)
        [ -n "$daemon" ] || die "it has ended: $(tail -n 3 "$daemon_stderr")"
}
options() { printf '%s\n' "--config=$T/chimed.conf" "--jobs=$T/jobs" --log=json "$@"; }
start_contained() { # [OPTION...]
        local n all
        n=$(count_events ready)
        mapfile -t all < <(options "$@")
        contain "${as_user[@]}" "$CHIMED_BUILD/chimed" "${all[@]}"
        wait_event ready "" "" $((n + 1))
}
as_user=()
# As a runtime does it, whose exit status is that of the first process.
stop_contained() { # [COMMAND...: done while it stops]
        local status=0 began
        began=$(milliseconds)
        kill -TERM "$daemon"
        "$@"
        until_true 60 is_zombie_or_gone "$outside"
        stop_took=$(($(milliseconds) - began))
        wait "$outside" || status=$?
        daemon=
        assert_equal "exit status of the first process" 0 "$status"
        ((stop_took < docker_patience)) || die "the stop took $stop_took ms"
}
inside() { nsenter --target "$daemon" --mount --pid -- "$@"; }
is_nobody_left() { [ "$(descendants "$daemon")" = "$(scheduler_pid)" ]; } # a zombie is still a child

# without systemd, a ledger and a word on where records go: lines, and the job's own among them
write_job hello <<EOF
Every=1h
PassEnvironment=COLOUR SHAPE_* NOT_THERE
Script=echo \$COLOUR \$SHAPE_A \$SHAPE_B \$SECRET.; touch /nowhere || echo read-only
EOF
write_job orphans <<'EOF'
# each removes what it could be known by, so it ends as a child of nobody
Script=for i in 1 2 3 4 5 6 7 8 9 10; do env -i setsid sh -c 'sleep 0.1 & exec sleep 0.05' & done
EOF
contain "$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" --state=
is_said() { grep -qE "$1" "$log"; }
until_true 10 is_said '^time=.* level=info MESSAGE="green round flat \." SYSLOG_IDENTIFIER=hello CHIMED_JOB=hello .*CHIMED_STREAM=stdout'
until_true 10 is_said 'MESSAGE=read-only SYSLOG_IDENTIFIER=hello'
assert_contains "list in there" hello "$(inside "$CHIMED_BUILD/chimectl" list)"
inside "$CHIMED_BUILD/chimectl" -q trigger --wait orphans
inside sh -c 'sleep 0.1 & exec sh -c "sleep 0.05 & exit"' # left by one that was sent in
until_true 20 is_nobody_left
memory=$(awk '/^Pss:/ { kib += $2 } END { print kib }' "/proc/$daemon/smaps_rollup" "/proc/$(scheduler_pid)/smaps_rollup")
echo '[job more]' >"$T/jobs/more.ini" && echo 'Command=/bin/true' >>"$T/jobs/more.ini"
kill -HUP "$daemon"
until_true 10 is_said 'Now 3 jobs|3 jobs'
stop_contained
note "$memory KiB of memory for both processes"
rm "$T/jobs"/*
: >"$log" # from now on in JSON

# with a ledger: each start is a boot, and what was in flight at the stop is known
printf '[chimed]\nStopWait=3s\n' >>"$T/chimed.conf"
write_job atboot <<'EOF'
OnBoot=yes
Command=/bin/true
EOF
write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Log=failures
Command=/bin/true
EOF
write_job slow <<EOF
Script=touch $T/out/slow; while [ ! -e $T/out/go ]; do sleep 0.05; done
EOF
write_job deaf <<EOF
Script=trap '' TERM; touch $T/out/deaf; while :; do sleep 1; done
EOF
mkdir "$T/ledger"
asks() { inside "$CHIMED_BUILD/chimectl" "--socket=$T/run/a/io.chimed" "$@"; }
for job in slow deaf; do
        mark_log
        start_contained "--run=$T/run/a" "--state=$T/ledger"
        wait_event ended atboot
        asks -q trigger $job
        until_true 10 file_exists "$T/out/$job"
        kill -USR2 "$daemon" # a new version in the same container is no boot
        wait_event re-executed
        wait_event ready "" "" 2
        stop_contained touch "$T/out/go"
        assert_equal "runs at boot" 1 "$(count_events ended atboot)"
done
assert_event ended deaf CHIMED_RESULT=cancelled
note "stopped after $stop_took ms with StopWait=3s and a deaf job"
start_contained "--run=$T/run/a" "--state=$T/ledger"
assert_equal "the run that has ended in time" success "$(asks --json=short show slow | jq -r .lastResult)"
assert_equal "the run that was ended" cancelled "$(asks --json=short show deaf | jq -r .lastResult)"
assert_equal "runs at boot in all" 3 "$(asks --json=short history atboot -n 10 | jq '[.. | objects | select(.runId?)] | length')"
asks audit >"$T/audit" || die "audit: $(cat "$T/audit")"
stop_contained
rm "$T/jobs"/*

# as an account that is in no list, in a folder of its own
mkdir "$T/own"
chown 54321:54321 "$T/own"
write_job who <<EOF
Every=1h
Log=all
Script=id -u; echo "\$HOME \${USER-none} \${LOGNAME-none}"
EOF
as_user=(setpriv --reuid=54321 --regid=54321 --clear-groups)
if "${as_user[@]}" test -x "$CHIMED_BUILD/chimed"; then
        start_contained "--run=$T/own/run"
        wait_event ended who
        assert_event ended who CHIMED_RESULT=success
        assert_contains "what it is" "/ none none" "$(jq -r 'select(.CHIMED_JOB == "who") | .MESSAGE' "$log")"
        stop_contained
        status=0
        said=$("${as_user[@]}" "$CHIMED_BUILD/chimed" "--jobs=$T/jobs" --run=/proc/none 2>&1) || status=$?
        assert_equal "exit status without a place" 1 "$status"
        assert_contains "without a place" "give --run=DIR" "$said"
fi

# as root without a single right of root's: no other user can be had, so the scheduler is root, too
as_user=(setpriv --inh-caps=-all --bounding-set=-all)
mark_log
start_contained "--run=$T/run/b"
assert_equal "who the scheduler is" 0 "$(awk '$1 == "Uid:" { print $2 }' "/proc/$(scheduler_pid)/status")"
wait_event ended who
stop_contained
as_user=()

# files of another account: none is read, but in a volume that nobody in here can write to
mkdir "$T/foreign"
cp "$T/jobs/who.ini" "$T/foreign"
chown -R 54321:54321 "$T/foreign"
chmod 777 "$T/foreign" "$T/foreign/who.ini"
VOLUME=rw
mark_log
start_contained --state=
assert_contains "of a volume that others can write to" "its owner is not root" "$(event_field MESSAGE config-error)"
assert_event ready "" CHIMED_JOBS=0
stop_contained
VOLUME=ro
mark_log
start_contained --state=
assert_event ready "" CHIMED_JOBS=1
wait_event ended who
assert_equal "troubles" "" "$(events config-error)"
stop_contained
assert_explained
