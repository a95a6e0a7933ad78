#!/bin/bash
# SPDX-License-Identifier: MIT
# The scheduler and a host die in one instant, which the runner survives: no slot is done twice, and each has one outcome. A host that is
# deep in a plugin's code, or stopped, when the scheduler dies holds up no other job.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plugins=$T/plugins
mkdir "$plugins"
cp "$CHIMED_BUILD/tests/plugins/hostile.so" "$plugins/"
chmod 755 "$plugins" "$plugins"/*
printf '[chimed]\nPluginDirectory=%s\n' "$plugins" | cat - "$T/chimed.conf" >"$T/new.conf"
mv "$T/new.conf" "$T/chimed.conf"

cat >"$T/count" <<'EOF'
#!/bin/sh
while read -r line; do
        slot=${line#*\"slot_usec\":}
        echo "${slot%%,*}" >>"$1"
        echo done
done
EOF
chmod 755 "$T/count"
write_job late <<EOF
Every=100ms
Mode=fixed-rate
CatchUp=all
Coprocess=$T/count $T/out/late
EOF
write_job plain <<EOF
Every=100ms
Mode=fixed-rate
Coprocess=$T/count $T/out/plain
EOF
write_job hung <<'EOF'
Every=1h
InitialDelay=1h
KillGrace=300ms
Plugin=hostile
Option.do=loop
EOF
write_job other <<'EOF'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/true
EOF
more_lines() { # FILE: than there were
        [ "$(wc -l <"$1")" -ge $((lines + 5)) ]
}
await_more() {
        local job
        for job in late plain; do
                lines=$(wc -l <"$T/out/$job")
                until_true 30 more_lines "$T/out/$job"
        done
}

start_daemon "--state=$T/state"
until_true 10 file_exists "$T/out/late"
until_true 10 file_exists "$T/out/plain"
for _ in 1 2 3 4 5; do
        await_more
        # shellcheck disable=SC2046
        kill -KILL "$(scheduler_pid)" $(host_pids late) $(host_pids plain)
done
await_more
for job in late plain; do
        [ -z "$(sort "$T/out/$job" | uniq -d)" ] || die "$job did twice: $(sort "$T/out/$job" | uniq -d | head -n 3)"
done
expect_ctl 0 audit

# ---- one that is at work, one that is stopped ----
"$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger hung >/dev/null
is_looping() { # it has used a tenth of a second
        local pid
        pid=$(host_pids hung)
        [ -n "$pid" ] && awk '{ exit !($1 > 100000000) }' "/proc/$pid/schedstat"
}
until_true 20 is_looping
go_on() { # COMMAND...: the scheduler ends by it, and the other job goes on, with one scheduler
        local scheduler
        scheduler=$(scheduler_pid)
        mark_log
        "$@"
        until_true 20 is_gone "$scheduler"
        wait_event ready "" 20
        wait_event ended other 20 5
        assert_equal "schedulers that were started" 1 "$(count_events ready)"
}
kill_scheduler() { kill -KILL "$(scheduler_pid)"; }
reexecute() { kill -USR2 "$daemon"; }
go_on kill_scheduler
go_on reexecute
stopped=$(host_pids plain)
kill -STOP "$stopped"
go_on kill_scheduler
go_on reexecute
kill -CONT "$stopped"
await_more
expect_ctl 0 audit
stop_daemon
