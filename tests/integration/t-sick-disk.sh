#!/bin/bash
# SPDX-License-Identifier: MIT
# A ledger that is damaged, foreign, locked, taken away, on a disk that is full, read-only, slow or broken: scheduling goes on, it is told
# once, it heals by itself, the damaged file is kept aside, and what is known stands in the new one (ST3 ST4 ST6 ST7 ST9 ST10 ST13).
if [ -z "${CHIMED_SICK_DISK_INSIDE:-}" ] && [ "$(id -u)" = 0 ]; then
        unshare --mount --propagation private true 2>/dev/null || { echo "no mount namespace of its own here" && exit 77; }
        CHIMED_SICK_DISK_INSIDE=yes exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
command -v sqlite3 >/dev/null || skip "needs sqlite3"
state=$T/state
db=$state/ledger.db

ctl() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" "$@"; }
answers() { ctl list >/dev/null 2>&1; }
show() { ctl --json=short show "$1" | jq -r "$2"; } # JOB FILTER
sql() { sqlite3 -readonly -cmd '.timeout 2000' "$db" "$1"; }
write_lines() { # NAME EVERY SETTING...
        { printf '%s\n' "Every=$2" Mode=fixed-rate Log=summary StandardOutput=null "${@:3}" &&
                echo "Command=$CHIMED_BUILD/tests/slot_job $T/out/$1"; } | write_job "$1"
}

# Both jobs run on from here: so many slots more.
goes_on() { # [N]
        local job n=${1:-5}
        for job in tick claimed; do
                until_true 15 has_lines "$T/out/$job" $(($(wc -l <"$T/out/$job") + n))
        done
}
degraded() { # TEXT: how many records since mark_log say it
        events degraded | grep -c -- "$1" || true
}
told() { (($(degraded "$1") > 0)); }
assert_told() { # TIMES TEXT
        until_true 15 told "$2"
        assert_equal "records of '$2'" "$1" "$(degraded "$2")"
}
is_written() { # the ledger has a run that began after an instant
        (($(sql "SELECT count(*) FROM run WHERE start_rt > $1") > 0))
}
assert_heals() {
        until_true 20 is_written "${EPOCHREALTIME/./}"
}
n_aside() { find "$state" -name 'ledger.db.corrupt-*' ! -name '*-wal' | wc -l; }
assert_known() { # WHEN: what was done by command
        until_true 10 answers
        assert_equal "$1: state of held" paused "$(show held .state)"
        assert_equal "$1: who paused it" moving "$(show held .hold.reason)"
        assert_equal "$1: state of gone" cancelled "$(show gone .state)"
        assert_equal "$1: interval of slow" "every 2h, fixed rate" "$(show slow .schedule)"
        assert_equal "$1: runs of once" 1 "$(show once .runs)"
        assert_equal "$1: value of once" "only this" "$(show once .lastGood.value | tr -d '\n')"
}
make_known() {
        until_true 10 answers
        ctl -q pause held --reason=moving
        ctl -q cancel gone
        ctl -q set-interval slow 2h
        ctl -q trigger --wait once >/dev/null
}
begin() {
        mark_log
        start_daemon "--state=$state"
}
no_slot_twice() {
        local file
        for file in "$T"/out/*; do
                [ -z "$(cut -d ' ' -f 1 "$file" | sort | uniq -d)" ] || die "$1: ${file##*/} ran a slot twice"
        done
}

write_lines tick 100ms
write_lines claimed 200ms CatchUp=one
write_lines slow 1h CatchUp=one
write_lines held 1s
write_lines gone 1s
write_job once <<<'Command=/bin/echo only this'
echo History=100000 >>"$T/chimed.conf"

# ---- damage that is there when it starts (ST7, ST9): the store's tests try each length and byte, here is that the daemon lives on ----

flip() { # a bit in each of 40 bytes, the same each time
        python3 - "$db" <<'E'
import random, sys
data = bytearray(open(sys.argv[1], "rb").read())
rnd = random.Random(7)
for _ in range(40):
    data[rnd.randrange(len(data))] ^= 1 << rnd.randrange(8)
open(sys.argv[1], "wb").write(data)
E
}
foreign_log() { # the log of another database, that its writer left behind
        python3 - "$state" <<'E'
import os, shutil, sqlite3, sys
other = sys.argv[1] + "/other.db"
pid = os.fork()
if pid == 0:
    db = sqlite3.connect(other)
    db.executescript("PRAGMA journal_mode = WAL; CREATE TABLE run(run); INSERT INTO run VALUES(4711)")
    db.commit()
    os._exit(0)
os.waitpid(pid, 0)
for end in ("-wal", "-shm"):
    shutil.move(other + end, sys.argv[1] + "/ledger.db" + end)
os.unlink(other)
E
}
damages=(empty header page half 'less a byte' 'more a byte' zeros text flipped log folder)
do_damage() { # NAME
        case $1 in
        empty) : >"$db" ;;
        header) truncate -s 99 "$db" ;;
        page) truncate -s 4096 "$db" ;;
        half) truncate -s $(($(stat -c %s "$db") / 2)) "$db" ;;
        'less a byte') truncate -s -1 "$db" ;;
        'more a byte') truncate -s +1 "$db" ;;
        zeros) head -c "$(stat -c %s "$db")" /dev/zero >"$T/zeros" && cat "$T/zeros" >"$db" ;;
        text) echo 'no database at all' >"$db" ;;
        flipped) flip ;;
        log) foreign_log ;;
        folder) rm "$db" && mkdir "$db" ;;
        *) die "no damage $1" ;;
        esac
}
start_daemon "--state=$state"
goes_on
stop_daemon
for damage in "${damages[@]}"; do
        do_damage "$damage"
        begin
        goes_on 2
        assert_heals
        stop_daemon
        assert_equal "integrity after $damage" ok "$(sqlite3 "$db" 'PRAGMA integrity_check')"
        assert_equal "foreign rows after $damage" 0 "$(sql 'SELECT count(*) FROM run WHERE run = 4711 AND job IS NULL')"
        (($(degraded 'The ledger') <= 1)) || die "$damage was told $(degraded 'The ledger') times"
done
aside=$(n_aside)
((aside >= 4 && aside <= 5)) || die "$aside damaged files are kept"
note "${#damages[@]} kinds of damage at the start"

# ---- taken away while it is in use: what is known stands in the new one ----

rm -rf "$state"
begin
make_known
goes_on
rm "$db" "$db-wal" "$db-shm"
assert_told 1 'taken away: a new one has begun'
assert_heals
assert_known "in use"
ctl -q trigger --wait once >/dev/null # known with its value: the one before is not needed any more
goes_on
stop_daemon
begin
until_true 10 answers
assert_equal "runs of once" 2 "$(show once .runs)"
assert_equal "state of held" paused "$(show held .state)"
assert_equal "state of gone" cancelled "$(show gone .state)"
assert_equal "interval of slow" "every 2h, fixed rate" "$(show slow .schedule)"
# of what was before, the new file has the latest runs, not their slots
more=$(sql "SELECT count(*) - (SELECT sum(n) FROM slots WHERE outcome = 0 AND job = run.job) FROM run JOIN job ON job.id = run.job WHERE name = 'tick'")
((more >= 0 && more <= 2)) || die "$more more runs than slots of tick are in the file"
mark_log
echo "no database at all" >"$state/other"
mv "$state/other" "$db"
assert_told 1 'damaged, and is kept as ledger.db.corrupt-'
assert_heals
assert_equal "state of held" paused "$(show held .state)"

# ---- an administrator's lock (ST10) ----

mark_log
mkfifo "$T/lock"
sqlite3 "$db" <"$T/lock" >"$T/locked" &
locker=$!
exec 8>"$T/lock"
printf '.timeout 5000\nBEGIN EXCLUSIVE;\nSELECT "locked";\n' >&8
until_true 10 has_lines "$T/locked" 1
locked=${EPOCHREALTIME/./}
assert_told 1 'another program holds the ledger locked'
goes_on 25 # more than the five seconds that slots which must not run twice wait for their claim
assert_told 1 'takes too long'
answers || die "no answer while the ledger is locked"
printf 'COMMIT;\n.quit\n' >&8
exec 8>&-
wait "$locker"
assert_told 1 'it can be written again'
assert_heals
(($(sql "SELECT count(*) FROM runs WHERE job = 'tick' AND start > strftime('%Y-%m-%dT%H:%M:%f', $locked / 1e6, 'unixepoch')") > 25)) ||
        die "runs under the lock are not in the ledger"
assert_equal "records" 3 "$(degraded 'The ledger')"
stop_daemon

# ---- a disk of its own, in memory: full, then not (ST3); read-only; noted (ST13) ----

rm -rf "$state"
mkdir -m 700 "$state"
mount -t tmpfs -o size=1m,mode=0700 tmpfs "$state"
begin
assert_told 1 'lies in memory'
make_known
goes_on
mark_log
dd if=/dev/zero of="$state/filler" bs=4k 2>/dev/null || true
assert_told 1 'no space left'
goes_on 25
assert_told 1 'takes too long'
answers || die "no answer while the disk is full"
full=${EPOCHREALTIME/./}
rm "$state/filler"
assert_told 1 'it can be written again'
assert_heals
(($(sql "SELECT count(*) FROM run WHERE start_rt BETWEEN $((full - 2000000)) AND $full") > 10)) || die "runs on the full disk are not in the ledger"
assert_equal "records" 3 "$(degraded 'The ledger')"
assert_known "after the full disk"
stop_daemon

mount -o remount,ro "$state"
begin
# what the last daemon had no time to bring over from the log decides whether it can be read
until_true 15 told "does not open\\|can't be written"
goes_on
stop_daemon
mount -o remount,rw "$state"
begin
until_true 10 answers
assert_known "after the read-only disk"
stop_daemon
umount "$state"

# ---- the folder (ST13): missing is made; not the scheduler's alone is refused ----

rmdir "$state"
begin
assert_equal "rights of the folder" 700 "$(stat -c %a "$state")"
stop_daemon
chmod 777 "$state"
begin
assert_told 1 'does not open'
goes_on
stop_daemon
chmod 700 "$state"

# ---- syncs that fail once (ST4) or take seconds (ST6) ----

can_trace() { command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; }
can_trace || { note "syncs: may not trace" && no_slot_twice "to here" && exit 0; }
# the leak checker can't work under strace
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
begin
until_true 10 answers
goes_on

hit() { # INJECTION: on the scheduler's threads, until let_go
        local pid
        pid=$(scheduler_pid)
        strace -f -qq -o "$T/strace" -p "$pid" -e trace=fsync,fdatasync -e "inject=fsync,fdatasync:$1" &
        tracer=$!
        until_true 10 are_threads_traced "$pid"
}
are_threads_traced() { ! grep -qE '^TracerPid:[[:space:]]*0$' "/proc/$1/task/"*/status; }
let_go() {
        kill -INT "$tracer"
        wait "$tracer" || true
}
mark_log
hit error=EIO:when=1..3
until_true 15 has_lines "$T/strace" 5
goes_on
let_go
assert_heals
grep -q EIO "$T/strace" || die "no sync failed"
(($(degraded 'The ledger') <= 2)) || die "the failed sync was told $(degraded 'The ledger') times"
assert_equal "damaged files" 0 "$(n_aside)"

hit delay_enter=3000000 # slots that must not run twice are late by that; the others are not
began=$(milliseconds)
tick=$(wc -l <"$T/out/tick")
until_true 30 has_lines "$T/out/tick" $((tick + 60))
took=$(($(milliseconds) - began)) ticks=$(($(wc -l <"$T/out/tick") - tick))
((ticks * 100 > took * 8 / 10)) || die "$ticks slots of 100 ms in $took ms, with slow syncs"
for ((k = 0; k < 10; k++)); do
        began=$(milliseconds)
        ctl next tick >/dev/null || die "no answer" # what does not ask the ledger
        ((worst = $(milliseconds) - began, worst < 1000)) || die "an answer took $worst ms"
done
let_go
assert_heals
stop_daemon 10
no_slot_twice "at the end"
assert_equal "integrity" ok "$(sqlite3 "$db" 'PRAGMA integrity_check')"
