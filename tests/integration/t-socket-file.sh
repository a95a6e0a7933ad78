#!/bin/bash
# SPDX-License-Identifier: MIT
# The control socket as a file: who may connect, what lay there before, a long path, a scheduler's death, the end.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

socket=$T/run/io.chimed

# Whether a connection is taken into the backlog; a long path goes through the folder's descriptor.
connects() { # PATH [UID]
        python3 - "$@" <<'EOF'
import os, socket, sys
if len(sys.argv) > 2:
    os.setgroups([])
    os.setresuid(*[int(sys.argv[2])] * 3)
folder, name = os.path.split(sys.argv[1])
fd = os.open(folder, os.O_PATH)
socket.socket(socket.AF_UNIX).connect(f"/proc/self/fd/{fd}/{name}")
EOF
}
kind() { stat -c %F "$1"; }
assert_socket() { # WHAT
        assert_equal "$1: kind of file" socket "$(kind "$socket")"
        assert_equal "$1: mode and owner" "666 $(id -u)" "$(stat -c '%a %u' "$socket")"
        connects "$socket" || die "$1: no connection"
}

write_job long <<'EOF'
Every=1h
Command=sleep 60
EOF

start_daemon
assert_socket "at first"
ino=$(stat -c %i "$socket")
if [ "$(id -u)" = 0 ]; then
        connects "$socket" 65534 || die "a stranger can't connect"
fi

# a scheduler dies: the file is the same, connections are taken all the time, also while there is none
kill -STOP "$(scheduler_pid)"
connects "$socket" || die "no connection while the scheduler is stopped"
mark_log
kill -KILL "$(scheduler_pid)"
connects "$socket" || die "no connection while there is no scheduler"
wait_event ready
assert_equal "inode after the scheduler's restart" "$ino" "$(stat -c %i "$socket")"
assert_socket "after the scheduler's restart"
# a second instance is refused by the lock and leaves the socket alone
! "$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/run" --log=json >/dev/null 2>&1 ||
        die "two instances in one folder"
assert_equal "inode after a second instance" "$ino" "$(stat -c %i "$socket")"

stop_daemon
[ ! -e "$socket" ] || die "the socket is left after a stop"

# what a KILL left behind is replaced
mark_log
start_daemon
# shellcheck disable=SC2046
kill -KILL $(runner_pid) $(scheduler_pid)
wait "$daemon" || true
assert_equal "what a KILL leaves" socket "$(kind "$socket")"
! connects "$socket" 2>/dev/null || die "somebody listens after a KILL"
mark_log
start_daemon
assert_socket "in place of a stale one"
stop_daemon

# a file or a link in its place goes, what the link names stays
echo precious >"$T/out/precious"
for before in "echo x" "ln -s $T/out/precious" "ln -s $T/out/absent"; do
        case $before in
        echo*) echo x >"$socket" ;;
        *) $before "$socket" ;;
        esac
        mark_log
        start_daemon
        assert_socket "after '$before'"
        stop_daemon
        assert_equal "what the link named" precious "$(cat "$T/out/precious")"
        [ ! -e "$T/out/absent" ] || die "bound through a link"
done

# an admin removes it by hand: no noise at the end
mark_log
start_daemon
rm "$socket"
stop_daemon
! grep -q 'chimed-runner: io.chimed' "$daemon_stderr" || die "a missing socket is told"

# where it can't be made, chimed does not start
mkdir "$socket"
mark_log
status=0
said=$("$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" "--run=$T/run" --log=json 2>&1) || status=$?
assert_equal "status with a folder in the socket's place" 1 "$status"
assert_contains "what it says" "$socket: the control socket cannot be made: Is a directory" "$said"
rmdir "$socket"
[ ! -s "$T/run/lock" ] || die "the lock names a process after a refused start"

# a run folder whose path is longer than a socket address
long=$T/$(printf 'x%.0s' {1..120})
mkdir "$long"
mark_log
start_daemon "--run=$long"
connects "$long/io.chimed" || die "no connection in a long folder"
stop_daemon
[ ! -e "$long/io.chimed" ] || die "the socket is left in a long folder"
