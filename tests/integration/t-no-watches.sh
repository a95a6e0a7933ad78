#!/bin/bash
# SPDX-License-Identifier: MIT
# No inotify watches, or no inotify at all, are left on the machine (RS11): one warning, and a reload on demand works as ever.
if [ "${1:-}" != inside ]; then
        unshare --user --map-root-user sh -c 'echo 0 >/proc/sys/user/max_inotify_watches' 2>/dev/null ||
                { echo "no user namespace with limits of its own" && exit 77; }
        exec unshare --user --map-root-user bash "${BASH_SOURCE[0]}" inside
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

write_job one <<'EOF'
Every=1h
Command=/bin/true
EOF
for limit in max_inotify_watches max_inotify_instances; do
        echo 0 >"/proc/sys/user/$limit"
        mark_log
        start_daemon --state=
        wait_event ended one
        for ((i = 0; i < 3; i++)); do
                printf 'Every=1h\nCommand=/bin/sh -c "exit %s"\n' "$i" | write_job two
                kill -HUP "$daemon"
                wait_event reload "" "" $((i + 1))
        done
        expect_ctl 0 trigger two
        wait_event failed two
        assert_event failed two EXIT_STATUS=2
        assert_equal "warnings" 1 "$(count_events degraded)"
        assert_contains "the warning" "SIGHUP" "$(event_field MESSAGE degraded)"
        stop_daemon
        rm "$T/jobs/two.ini"
        echo 1024 >"/proc/sys/user/$limit"
done
