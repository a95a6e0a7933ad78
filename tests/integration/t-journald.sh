#!/bin/bash
# SPDX-License-Identifier: MIT
# With a real journald: the records have their fields, job output lies beside them, and a journald that hangs holds nobody; what it
# cost in records is told.
. "$(dirname "${BASH_SOURCE[0]}")/lib-journald.sh"

write_job tick <<'EOF'
Every=100ms
Mode=fixed-rate
Log=all
Command=/bin/sleep 0.25
EOF
write_job talk <<'EOF'
Every=1h
Log=all
Script=
 echo plain
 echo "<3>serious"
 echo aside >&2
 printf 'without an end'
 exit 7
EOF
write_job direct <<EOF
Every=1h
Log=all
StandardOutput=journal-direct
Script=
 echo straight; echo "<4>by itself" >&2
 links=\$(for i in 1 2; do readlink /proc/\$\$/fd/\$i; done); echo "\$links" >$T/out/direct
EOF
write_job late <<EOF
Every=100ms
Mode=fixed-rate
Log=failures
StandardOutput=journal-direct
Script=[ -e $T/out/begin ] && [ ! -e $T/out/late ] && touch $T/out/late; true
EOF
write_job own <<EOF
Every=100ms
Mode=fixed-rate
Command=$CHIMED_BUILD/tests/slot_job $T/out/own
EOF
n_lines=30000
write_job chatter <<EOF
Every=50ms
Log=failures
Script=
 [ -e $T/out/begin ] && [ ! -e $T/out/done ] || exit 0
 i=0; while [ \$i -lt $n_lines ]; do echo "line \$i of a job that has much to say, more than journald takes while it sleeps"; i=\$((i + 1)); done
 touch $T/out/done
EOF
start_daemon --log=journal
wait_event ended tick 30 12
wait_event failed talk

# each kind as the table has it
while read -r kind id priority; do
        [ "$(count_events "$kind")" = 0 ] || assert_journal "CHIMED_EVENT=$kind" "MESSAGE_ID=$id" "PRIORITY=$priority" SYSLOG_IDENTIFIER=chimed
done < <(sed -n 's/.*{EVENT_[A-Z_]*, "\([a-z-]*\)", "\([0-9a-f]*\)", LOG_\([A-Z]*\)},/\1 \2 \3/p' "$here/../../daemon/core/event.c" |
        sed 's/ERR$/3/; s/WARNING$/4/; s/NOTICE$/5/; s/INFO$/6/')
run=$(event_field CHIMED_RUN_ID failed talk)
slot=$(event_field CHIMED_SLOT_USEC failed talk)
assert_journal CHIMED_EVENT=failed CHIMED_JOB=talk CHIMED_RESULT=failed EXIT_CODE=exited EXIT_STATUS=7 CHIMED_CAUSE=schedule
assert_journal CHIMED_EVENT=failed CHIMED_JOB=talk CODE_FUNC=story_tell_ended
assert_journal CHIMED_EVENT=started CHIMED_JOB=talk "CHIMED_RUN_ID=$run" "CHIMED_SLOT_USEC=$slot"
for line in plain:stdout:6 serious:stdout:3 aside:stderr:6 "without an end:stdout:6"; do
        rest=${line#*:}
        assert_journal "MESSAGE=${line%%:*}" SYSLOG_IDENTIFIER=talk CHIMED_JOB=talk "CHIMED_RUN_ID=$run" "CHIMED_STREAM=${rest%:*}" \
                "PRIORITY=${rest#*:}"
done

# a stream of the job's own: both descriptors are one, and nothing passes the runner
wait_event ended direct
assert_journal MESSAGE=straight SYSLOG_IDENTIFIER=direct _TRANSPORT=stdout PRIORITY=6
assert_journal "MESSAGE=by itself" SYSLOG_IDENTIFIER=direct _TRANSPORT=stdout PRIORITY=4
assert_equal "what the runner wrote for it" 0 "$(n_journal CHIMED_JOB=direct CHIMED_STREAM=stdout)"
[[ "$(sort -u "$T/out/direct")" == socket:* ]] || die "not one socket: $(cat "$T/out/direct")"

# chimectl reads what the job wrote, and no record about it
mkdir "$T/bin"
printf '#!/bin/sh\nexec %s -D /run/log/journal "$@"\n' "$(command -v journalctl)" >"$T/bin/journalctl"
chmod +x "$T/bin/journalctl"
assert_equal "chimectl log" "$(printf '%s\n' aside plain serious "without an end")" \
        "$(PATH="$T/bin:$PATH" "$CHIMED_BUILD/chimectl" --json log talk | jq -r .MESSAGE | sort)"

# it hangs for three seconds, while a job says much
kill -STOP "$JOURNALD_PID"
ticks=$(wc -l <"$T/out/own")
began=$(milliseconds)
touch "$T/out/begin"
until_true 20 file_exists "$T/out/done" # the job is not held either
until_true 20 has_lines "$T/out/own" $((ticks + 30))
until_true 20 file_exists "$T/out/late" # and begins though nobody takes its stream
took=$(($(milliseconds) - began))
kill -CONT "$JOURNALD_PID"
((took < 15000)) || die "30 ticks took $took ms while journald was stopped"
# an interval of the job's own slots, while and after: the grid has no hole longer than a slot or two
gaps=$(awk -v from="$ticks" 'NR > from && last && $1 - last > 350000 { n++ } { last = $1 } END { print n + 0 }' "$T/out/own")
assert_equal "gaps in the job's own ticks" 0 "$gaps"

# every line of the job is in the journal or in a count of dropped records
dropped_by_runner() { journal "_PID=$(runner_pid)" CHIMED_EVENT=degraded | jq -s 'map(.CHIMED_COUNT // "0" | tonumber) | add // 0'; }
all_lines_accounted() {
        timeout 20 journalctl --sync
        lines=$(n_journal SYSLOG_IDENTIFIER=chatter CHIMED_STREAM=stdout)
        dropped=$(dropped_by_runner)
        ((lines + dropped == n_lines))
}
until_true 30 all_lines_accounted
note "journald stopped: $lines of $n_lines lines kept, $dropped dropped and told; 30 ticks in $took ms"
runner=$(runner_pid)
scheduler=$(scheduler_pid)
stop_daemon
refresh_log
if [ "$(n_journal "_PID=$scheduler" CHIMED_EVENT=degraded)" = 0 ]; then
        assert_complete tick 100000 --min-slots=40 --min-missed=25
fi
assert_equal "journald's only writers" "$(printf '%s\n' "$runner" "$scheduler" | sort)" \
        "$(journal | jq -r 'select(.SYSLOG_IDENTIFIER == "chimed" or .CHIMED_JOB) | ._PID' | sort -u)"
