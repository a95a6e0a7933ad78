#!/bin/bash
# SPDX-License-Identifier: MIT
# A user's own instance: where there is no folder for it that is the user's alone, it is refused with the reason; others get at none of its
# folders, and where one lets them connect they may look and no more (PV11).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
for program in setpriv python3; do
        command -v "$program" >/dev/null || skip "needs $program"
done
as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
as_other=(setpriv --reuid=61003 --regid=61003 --clear-groups)
"${as_user[@]}" test -x "$CHIMED_BUILD/chimed" || skip "nobody else can read the programs here"

mkdir "$T/own" "$T/foreign" "$T/open" "$T/home" "$T/public"
chown nobody:nogroup "$T/own" "$T/open" "$T/home" "$T/public"
chown 61003:61003 "$T/foreign"
chmod 700 "$T/own" "$T/home"
chmod 777 "$T/foreign" "$T/open"
chmod 755 "$T/public"
touch "$T/file"
# no runtime folder, or not one's own: XDG_RUNTIME_DIR=VALUE|REASON
while IFS='|' read -r value reason; do
        status=0
        said=$("${as_user[@]}" env -i ${value:+"$value"} "HOME=$T/home" timeout 20 "$CHIMED_BUILD/chimed" --user "--jobs=$T/jobs" 2>&1) || status=$?
        assert_equal "exit status with '$value'" 2 "$status"
        assert_contains "with '$value'" "$reason" "$said"
done <<EOF
|XDG_RUNTIME_DIR: is not set; give --run=DIR
XDG_RUNTIME_DIR=|XDG_RUNTIME_DIR: is not set
XDG_RUNTIME_DIR=own|is not an absolute path
XDG_RUNTIME_DIR=$T/none|No such file or directory
XDG_RUNTIME_DIR=$T/file|Not a directory
XDG_RUNTIME_DIR=$T/foreign|belongs to another user
XDG_RUNTIME_DIR=$T/open|can be written by others
EOF
assert_equal "what was made in foreign folders" "" "$(find "$T/foreign" "$T/open" -mindepth 1)"

printf '[job mine]\nEvery=1h\nInitialDelay=1h\nCommand=/bin/echo a secret\n' >"$T/jobs/mine.ini"
chown -R nobody:nogroup "$T/jobs"
start_own() { # OPTION...
        n=$(count_events ready)
        # setpriv and env exec, so the pid stays
        "${as_user[@]}" env -i "XDG_RUNTIME_DIR=$T/own" "HOME=$T/home" "$CHIMED_BUILD/chimed" --user "--jobs=$T/jobs" --log=json "$@" \
                </dev/null >>"$daemon_stderr" 2>&1 &
        daemon=$!
        wait_event ready "" "" $((n + 1))
}
ctl_as() { # STATUS SOCKET USER-COMMAND... -- VERB...
        local wanted=$1 socket=$2 status=0 who=()
        shift 2
        while [ "$1" != -- ]; do
                who+=("$1")
                shift
        done
        shift
        said=$("${who[@]}" timeout 30 "$CHIMED_BUILD/chimectl" "--socket=$socket" "$@" 2>&1) || status=$?
        assert_equal "chimectl $* as ${who[1]}: $said: status" "$wanted" "$status"
}

start_own
ctl_as 0 "$T/own/chimed/io.chimed" "${as_user[@]}" -- trigger --wait mine
ctl_as 1 "$T/own/chimed/io.chimed" "${as_other[@]}" -- list
assert_contains "of others" "closed to you" "$said"
for place in "$T/own/chimed" "$T/home/.local/state/chimed"; do
        ! "${as_other[@]}" ls "$place" >/dev/null 2>&1 || die "others can list $place"
done
stop_daemon

# in a folder that all can enter: they see the names, and no more
start_own "--run=$T/public/run"
ctl_as 0 "$T/public/run/io.chimed" "${as_other[@]}" -- list
ctl_as 0 "$T/public/run/io.chimed" "${as_user[@]}" -- trigger --wait mine
for verb in trigger pause cancel; do
        ctl_as 1 "$T/public/run/io.chimed" "${as_other[@]}" -- "$verb" mine
        assert_contains "$verb of others" "you may not $verb mine" "$said"
done
ctl_as 0 "$T/public/run/io.chimed" "${as_other[@]}" -- show mine
[[ $said != *secret* ]] || die "others see the command or its output: $said"
! "${as_other[@]}" ls "$T/public/run/state" >/dev/null 2>&1 || die "others can list the state folder"
! "${as_other[@]}" cat "$T/public/run/lock" >/dev/null 2>&1 || die "others can lock the instance out"
stop_daemon
