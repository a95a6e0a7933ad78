#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever lies in the job folder: each trouble is told with its place, and the others run (CF).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

good() { printf 'Every=200ms\nMode=fixed-rate\nLog=all\nCommand=/bin/true\n'; }
good | write_job good
good | write_job last-good
# three mistakes: all are told, not the first
write_job broken mixed <<'EOF'
Every=soon
Comand=/bin/true
Overlap=maybe
EOF
{ echo '[job beside]' && good; } >>"$T/jobs/mixed.ini"
write_job foreign <<'EOF'
Every=200ms
Command=/bin/true
EOF
cp "$T/jobs/foreign.ini" "$T/jobs/writable.ini"
sed -i s/foreign/writable/ "$T/jobs/writable.ini"
chmod 666 "$T/jobs/writable.ini"
if [ "$(id -u)" = 0 ]; then
        chown nobody "$T/jobs/foreign.ini"
else
        chmod 000 "$T/jobs/foreign.ini"
fi
: >"$T/jobs/empty.ini"
ln -s /dev/zero "$T/jobs/endless.ini"
ln -s /dev/null "$T/jobs/masked.ini"
mkfifo "$T/jobs/pipe.ini"
mkdir "$T/jobs/folder.ini"
ln -s /nonexistent "$T/jobs/dangling.ini"
{ printf '[job long]\nEvery=1s\nCommand=/bin/true ' && head -c 1000000 /dev/zero | tr '\0' x && echo; } >"$T/jobs/long.ini"
printf '[job nul]\nEvery=1s\nCommand=/bin/true a\0b\n' >"$T/jobs/nul.ini"

status=0
said=$(timeout 20 "$CHIMED_BUILD/chimed" --check "--config=$T/chimed.conf" "--jobs=$T/jobs" 2>&1) || status=$?
assert_equal "exit status of --check" 1 "$status"
for place in mixed.ini:2:7 mixed.ini:3: mixed.ini:4:9 long.ini:3: nul.ini:3: writable.ini foreign.ini empty.ini endless.ini pipe.ini \
        folder.ini dangling.ini; do
        assert_contains "what --check says" "/$place" "$said"
done
[[ $said != *masked.ini* ]] || die "a masked file is no error"
assert_contains "a typing error" Command= "$(grep mixed.ini:3: <<<"$said")"

start_daemon
for job in good last-good beside; do
        wait_event ended "$job" 10 2
done
for file in mixed long nul writable foreign empty endless pipe folder dangling; do
        events config-error | grep -q "/$file.ini" || die "no record tells of $file.ini"
done
for job in broken foreign writable long nul; do
        assert_equal "runs of $job" 0 "$(count_events started "$job")"
done

# a file that breaks: its last good job goes on, and the records say what is wrong
mark_log
printf '[job last-good]\nEvery=200ms\nCommand=\n' >"$T/new" && mv "$T/new" "$T/jobs/last-good.ini"
wait_event config-error
wait_event reload
mark_log
wait_event ended last-good 10 3
: >"$T/new" && mv "$T/new" "$T/jobs/last-good.ini" # as a full disk does
wait_event reload
mark_log
wait_event ended last-good 10 3
# gone on purpose: now it ends
rm "$T/jobs/last-good.ini"
wait_event reload
mark_log
wait_event ended good 10 3
(($(count_events started last-good) <= 1)) || die "a removed job goes on"
stop_daemon
