#!/bin/bash
# SPDX-License-Identifier: MIT
# Where output goes: what may be opened, and as whom (PV5); any bytes as lines; closed early, without end, into a full pipe, a gigabyte
# (RS7); a program that hangs before its first instruction.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
grows=1024 # KiB; a sanitizer holds back what was freed
! nm "$CHIMED_BUILD/chimed-runner" 2>/dev/null | grep -E '__(asan|tsan)_init' >/dev/null || grows=300000

# job NAME [SETTING...]: with the rest of its settings on standard input
job() {
        { printf '%s\n' Every=1h Log=all "${@:2}" && cat; } | write_job "$1"
}
# The lines of a job in the order in which they came, a field each as said.
lines_of() { # JOB JQ-FILTER
        grep -a '"CHIMED_STREAM"' "$log" | jq -r "select(.CHIMED_JOB == \"$1\") | $2"
}
value_of() { # JOB
        expect_ctl 0 --json history "$1"
        jq -rs '[.. | objects | select(.job? // .name? // "" | . != "") | .value? // empty] | first // ""' <<<"$said"
}
private_kb() { awk '/^Private/ { n += $2 } END { print n }' "/proc/$1/smaps_rollup"; }

# ---- the targets ----

echo "some old text" >"$T/out/file"
echo "some old text" >"$T/out/append"
echo "some old text" >"$T/out/truncate"
say="Script=echo one; echo two >&2; echo three"
for kind in file append truncate; do
        job "$kind" "StandardOutput=$kind:$T/out/$kind" <<<"$say"
done
job nothing StandardOutput=null <<<"$say"
job apart <<<"$say"
job together StandardError=inherit <<<"$say"
job direct StandardOutput=journal-direct <<<"$say" # no journald takes it here: as journal
job device StandardOutput=file:/dev/zero StandardError=journal <<<'Script=echo gone; echo kept >&2'

# NAME|what is there|errno
rows="fifo|mkfifo \$path|6
read|mkfifo \$path; exec 8<>\$path|95
link|ln -s /etc/hostname \$path|40
dangling|ln -s \$path.target \$path|40
folder|mkdir \$path|21
disk|mknod \$path b 7 200|6 95
socket|python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \$path|6"
while IFS='|' read -r name make _; do
        path=$T/out/no-$name
        eval "$make"
        job "no-$name" "StandardOutput=append:$path" <<<"Command=/usr/bin/touch $T/out/ran-$name"
done <<<"$rows"

# ---- what is written ----

python3 - "$T/out/long" <<'EOF'
import sys
open(sys.argv[1], "wb").write(b"<3>" + "\u20ac".encode() * 6000 + b"\nplain\n")
EOF
job binary <<'EOF'
Script=printf 'a\000b\377c\nthe last'
EOF
job long <<<"Command=/bin/cat $T/out/long"
job early <<'EOF'
Script=
 echo said
 exec >&- 2>&-
 sleep 0.3
 exit 4
EOF
job full CaptureMax=10 <<'EOF'
Script=head -c 3000000 /dev/zero | tr '\0' x; printf 'the very end'
EOF
job huge CaptureMax=64 <<EOF
Script=
 until [ -e $T/out/go ]; do sleep 0.05; done
 yes "one of very many lines" | head -c 1073741824; echo; echo the end
EOF
printf 'Every=50ms\nMode=fixed-rate\nLog=all\nCommand=/bin/true\n' | write_job tick

# ---- a folder of the job's user that is swapped for a link while it is opened (PV5) ----

mkdir -m 700 "$T/secret"
echo untouched >"$T/secret/log"
mkdir "$T/out/swap" "$T/out/swap/folder"
chown -R nobody "$T/out/swap"
printf '%s\n' Every=10ms Mode=fixed-rate Log=all User=nobody WorkingDirectory=/ "StandardOutput=append:$T/out/swap/folder/log" \
        'Command=/bin/echo written' | write_job swapped
cat >"$T/swap.py" <<'EOF'
import os, sys
os.chdir(sys.argv[1])
os.symlink(sys.argv[2], "link")
os.symlink(sys.argv[2] + "/log", "link-log")
while os.path.exists(sys.argv[1]) and not os.path.exists("stop"): # a test that failed takes its folder away
    for a, b in (("folder", "link"), ("folder/log", "link-log")):
        for _ in range(50):
            try:
                os.rename(a, "aside")
                os.rename(b, a)
                os.rename(a, b)
                os.rename("aside", a)
            except FileNotFoundError:
                pass
EOF
# ---- a program whose file is held: exec waits for it ----
cat >"$T/hold.py" <<'EOF'
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("held", flush=True)
while os.path.exists(sys.argv[1]):
    time.sleep(0.1)
EOF
printf '#!/bin/sh\ntouch %s/out/ran-held\n' "$T" >"$T/out/held"
chmod 755 "$T/out/held"
python3 "$T/hold.py" "$T/out/held" >"$T/out/is-held" 2>&1 &
until_true 5 has_lines "$T/out/is-held" 1
has_lease=$(cat "$T/out/is-held")
[ "$has_lease" != held ] || job held <<<"Command=$T/out/held"

start_daemon
python3 "$T/swap.py" "$T/out/swap" "$T/secret" &

for name in file append truncate nothing apart together direct device binary long full; do
        wait_event ended "$name"
done
assert_equal "file:" $'one\ntwo\nthree' "$(head -n 3 "$T/out/file")"
assert_equal "append:" $'some old text\none\ntwo\nthree' "$(cat "$T/out/append")"
assert_equal "truncate:" $'one\ntwo\nthree' "$(cat "$T/out/truncate")"
assert_equal "null" "" "$(lines_of nothing .MESSAGE)"
assert_equal "journal" "one stdout three stdout two stderr" "$(lines_of apart '.MESSAGE + " " + .CHIMED_STREAM' | sort | tr '\n' ' ' | sed 's/ $//')"
assert_equal "inherit" "one stdout two stdout three stdout" "$(lines_of together '.MESSAGE + " " + .CHIMED_STREAM' | tr '\n' ' ' | sed 's/ $//')"
assert_equal "journal-direct without journald" "one two three" "$(lines_of direct .MESSAGE | tr '\n' ' ' | sed 's/ $//')"
assert_equal "a device" kept "$(lines_of device .MESSAGE)"
while IFS='|' read -r name _ errnos; do
        wait_event failed "no-$name"
        assert_event failed "no-$name" CHIMED_RESULT=start-failed CHIMED_STEP=stdout
        assert_contains "errno of $name" " $(event_field ERRNO failed "no-$name") " " $errnos "
        file_exists "$T/out/ran-$name" && die "$name: executed"
done <<<"$rows"
assert_contains "what is said of a FIFO" "neither a regular file nor a character device" "$(event_field MESSAGE failed no-read)"
file_exists "$T/out/no-dangling.target" && die "made through a link"

assert_equal "binary lines" $'a\\u0000b\\ufffdc null\nthe last eof' \
        "$(grep -a '"CHIMED_STREAM"' "$log" | jq -ac 'select(.CHIMED_JOB == "binary") | [.MESSAGE, .CHIMED_LINE_BREAK]' | tr -d '[]"' | tr ',' ' ')"
assert_equal "a long line" "8187 line-max 3,8190 line-max 3,1623 null 3,5 null 6" \
        "$(lines_of long '"\(.MESSAGE | utf8bytelength) \(.CHIMED_LINE_BREAK) \(.PRIORITY)"' | paste -sd ,)"
assert_equal "the value of what filled the pipe" "e very end" "$(value_of full)"
wait_event failed early
assert_event failed early CHIMED_RESULT=failed EXIT_STATUS=4
assert_equal "what was said before" said "$(lines_of early .MESSAGE)"

# ---- the swaps ----

until_true 30 has_events 100 started swapped
touch "$T/out/swap/stop"
expect_ctl 0 pause swapped
assert_equal "root's file" untouched "$(cat "$T/secret/log")"
assert_equal "root's folder" log "$(ls -A "$T/secret")"
note "swapped: $(count_events started swapped) runs started, $(count_events failed swapped) did not, by $(
        events failed swapped | jq -r .ERRNO | sort -n | uniq -c | awk '{ printf "%s%s x %s", sep, $1, $2; sep = ", " }')"

# ---- a gigabyte: bounded in memory, and no other job waits for it (RS7) ----

before="$(private_kb "$(runner_pid)") $(private_kb "$(scheduler_pid)")"
ticks=$(count_events ended tick)
touch "$T/out/go"
peak=0
huge_ended() {
        local now
        now=$(private_kb "$(runner_pid)")
        ((now > peak)) && peak=$now
        has_events 1 ended huge
}
began=$(milliseconds)
until_true 90 huge_ended
took=$(($(milliseconds) - began))
ran=$(($(count_events ended tick) - ticks))
((peak - ${before% *} <= grows)) || die "the runner grew by $((peak - ${before% *})) KiB"
((ran >= took / 200)) || die "only $ran ticks of 50 ms in $took ms"
assert_contains "the value of the gigabyte" "the end" "$(value_of huge)"
until_true 5 has_events 1 degraded huge
kept=$(lines_of huge .MESSAGE | wc -l)
left_out=$(events degraded huge | jq -s 'map(.CHIMED_COUNT | tonumber) | add')
wanted=$((1073741824 / 23 + 2)) # the last of yes is cut, and has an end of its own
((kept + left_out >= wanted - 1 && kept + left_out <= wanted + 1)) || die "$kept lines kept and $left_out left out, of $wanted"
note "1 GB in $took ms, $ran ticks beside it; the runner grew by $((peak - ${before% *})) KiB at most; $kept lines kept"

# ---- the one that hangs: ended before it began, and nobody waited ----

if [ "$has_lease" = held ]; then
        wait_event failed held 40
        assert_event failed held CHIMED_RESULT=start-failed CHIMED_STEP=time
        rm "$T/out/held"
        file_exists "$T/out/ran-held" && die "the held program was executed"
        assert_equal "threads of starts left hanging" 0 "$(grep -lsx 'Name:.*held' /proc/[0-9]*/status | wc -l)"
fi
rm -f "$T/out/held"
stop_daemon
