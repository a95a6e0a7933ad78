#!/bin/bash
# SPDX-License-Identifier: MIT
# import: a corpus of crontabs and timers becomes the job files beside them, to the letter, and chimed accepts those.
# CHIMED_UPDATE=1 writes what is expected anew, to be read before it is committed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export TZ=UTC COLUMNS=80 NO_COLOR=1
corpus=$(cd "$here/../data/import" && pwd)
cd "$corpus"
ctl() { # STATUS VERB...: standard output is in $said, standard error in $T/err
        local wanted=$1 status=0
        shift
        said=$(timeout 10 "$CHIMED_BUILD/chimectl" "$@" 2>"$T/err") || status=$?
        [ "$status" = "$wanted" ] || die "chimectl $*: status $status, wanted $wanted: $said $(cat "$T/err")"
}
# compare NAME: what is said is NAME.ini, and chimed accepts it (as somebody who is not root, without users)
compare() {
        [ -z "${CHIMED_UPDATE:-}" ] || printf '%s\n' "$said" >"$1.ini"
        diff -u "$1.ini" <(printf '%s\n' "$said") || die "$1: other than expected"
        rm -rf "$T/check" && mkdir "$T/check"
        printf '%s\n' "$said" >"$T/check/$1.ini"
        [ "$(id -u)" = 0 ] || sed -i '/^User=/d' "$T/check/$1.ini"
        grep -q '^\[job' "$1.ini" || return 0
        timeout 10 "$CHIMED_BUILD/chimed" --check "--config=$T/chimed.conf" "--jobs=$T/check" >"$T/checked" 2>&1 ||
                die "$1: chimed does not accept it: $(cat "$T/checked")"
}

ctl 1 import crontab debian.crontab
compare debian
ctl 1 import crontab user.crontab
compare user
for timer in backup.timer tidy.timer poll.timer alone.timer again.timer simple.timer made-of@.timer; do
        case $timer in
        alone.timer | again.timer | simple.timer) ctl 0 import timer "$timer" ;;
        *) ctl 1 import timer "./$timer" ;;
        esac
        compare "${timer%.timer}"
done
assert_equal "what could not be carried over" 1 "$(grep -c '^# not imported' backup.ini)"
ctl 1 import timer ./backup.timer tidy.timer
grep -q "^chimectl: 4 things" "$T/err" || die "wrong count: $(cat "$T/err")"

# a unit is what systemctl says; one that there is not, or whose service there is not
mkdir "$T/bin" "$T/units"
cp backup.timer backup.service alone.timer "$T/units"
cat >"$T/bin/systemctl" <<END
#!/bin/sh
[ "\$1 \$2 \$3 \$4" = "--user --no-pager cat --" ] && cat "$T/units/\$5"
END
chmod +x "$T/bin/systemctl"
PATH=$T/bin:$PATH
ctl 1 import timer --user backup
diff <(printf '%s\n' "$said") backup.ini || die "a unit is read otherwise than its file"
cd "$T" # else alone.timer would be the file
ctl 0 import timer --user alone.timer
ctl 1 import timer --user backups
grep -q "backups.timer: systemctl does not know it" "$T/err" || die "$(cat "$T/err")"
cd "$corpus"

# from the standard input; with users only if it is said
said=$(printf '0 1 * * * root backup\n' | "$CHIMED_BUILD/chimectl" import crontab --system -)
assert_contains "a system crontab" $'Command=backup\nUser=root' "$said"
said=$(printf '0 1 * * * tar cf /a /b\n' | "$CHIMED_BUILD/chimectl" import crontab -)
assert_contains "a crontab" $'Command=tar cf /a /b\nWorkingDirectory=~' "$said"

# a column of users, of whom one is not known here, is no user's crontab
printf '0 1 * * * root backup-all --now\n0 2 * * * nobody-knows-me x y\n' >"$T/elsewhere"
ctl 1 import crontab "$T/elsewhere"
assert_contains "users that are not known" "give --system" "$(cat "$T/err")"
ctl 0 import crontab --system "$T/elsewhere"
assert_contains "users that are not known, with --system" "User=nobody-knows-me" "$said"

# a file for each job, all or none, in a folder that is made
ctl 1 import crontab "--output=$T/out" debian.crontab
assert_equal "files" "$(grep -c '^\[job' debian.ini)" "$(find "$T/out" -name '*.ini' | wc -l)"
assert_contains "a file" "# from packages of Debian" "$(cat "$T/out/e2scrub_all_cron.ini")"
for file in "$T/out"/*.ini; do
        [ -n "$(head -n 1 "$file")" ] || die "$file begins with an empty line"
done
ctl 1 import crontab "--output=$T/new" user.crontab
assert_equal "files in a folder that was missing" "$(grep -c '^\[job' user.ini)" "$(find "$T/new" -name '*.ini' | wc -l)"
ctl 1 import crontab "--output=$T/nowhere/new" user.crontab
assert_contains "a folder in one that is missing" "--output=$T/nowhere/new: the folder above it is missing" "$(cat "$T/err")"
rm "$T/out"/*.ini
echo mine >"$T/out/mail.ini"
ctl 1 import crontab "--output=$T/out" debian.crontab
assert_contains "files where one was there" "import all files in one call" "$(cat "$T/err")"
assert_equal "files where one was there" "$T/out/mail.ini mine" "$(ls "$T/out"/*.ini) $(cat "$T/out/mail.ini")"

# what can't be read
printf '0 1 * * * printf \xff\n* * * * * printf \e[31m\n' >"$T/bytes"
ctl 1 import crontab "$T/bytes"
assert_equal "lines with odd bytes" 2 "$(grep -c 'not imported, it has bytes' <<<"$said")"
[[ $said != *$'\e'* ]] || die "an escape sequence came through"
{ printf "0 1 * * * printf " && head -c 9000 /dev/zero | tr "\0" x; } >"$T/long"
ctl 1 import crontab "$T/long"
assert_contains "a long line" "not imported, it is longer than 8192 bytes" "$said"
head -c 2000000 /dev/zero | tr '\0' '\n' >"$T/large"
ctl 1 import crontab "$T/large"
ctl 1 import crontab "$T/nothing-there"
ctl 1 import timer no-such-unit-anywhere
ctl 2 import crontab
ctl 2 import fcrontab user.crontab
ctl 2 list --system
