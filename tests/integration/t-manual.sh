#!/bin/bash
# SPDX-License-Identifier: MIT
# The examples of the manual are true: job files and settings are accepted, commands do what they are for, imports print what is shown.
# Commands outside of EXAMPLES, and such that need a program that is not here, are only read by the shell.
# Programs that would touch the machine, or that not each one has, are replaced by ones that answer from this instance.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

umask 022
export TZ=UTC COLUMNS=80 NO_COLOR=1 HOME=$T/home SHELL=/bin/sh
me=$(id -un)
pages=$(cd "$here/../../man" && pwd)
mkdir "$T/examples" "$T/bin" "$T/home" "$T/etc" "$T/etc/jobs.d" "$T/plugins"
cp "$CHIMED_BUILD"/plugins/*.so "$T/plugins"
chmod -R go-w "$T/plugins"
printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins" >>"$T/chimed.conf"

# ---- what the commands meet ----

stub() { # NAME <<CODE
        cat >"$T/bin/$1" && chmod 755 "$T/bin/$1"
}
for program in chimed chimectl; do
        ln -s "$CHIMED_BUILD/$program" "$T/bin/$program"
done
stub sudo <<<$'#!/bin/sh\nexec "$@"'
stub systemctl <<<$'#!/bin/sh\necho "$*" >>'"$T/systemctl"
stub backup <<<$'#!/bin/sh\necho "$*"'
stub crontab <<<$'#!/bin/sh\necho "30 2 * * * backup --all"'
printf '30 2 * * *  %s  %s/bin/backup --all\n' "$me" "$T" >"$T/etc/backup"
printf '17 * * * *  %s  /bin/echo hourly\n' "$me" >"$T/etc/crontab"
# the records of this instance that have one of the fields
stub journalctl <<END
#!/bin/bash
for word; do
        [[ \$word != [A-Z]*=* ]] || grep -a "\"\${word%%=*}\": *\"\${word#*=}\"" "$log"
done
exit 0
END
stub sqlite3 <<END
#!/usr/bin/python3
import sqlite3, sys
print(sqlite3.connect("file:" + sys.argv[2] + "?mode=ro", uri=True).execute(sys.argv[3]).fetchall())
END
# one reply of a call, on one line
stub varlinkctl <<END
#!/usr/bin/python3
import json, socket, sys
words = [word for word in sys.argv[2:] if not word.startswith("-") and word != "call"]
call = {"method": words[1], "parameters": json.loads(words[2])} if len(words) == 3 else {"method": "org.varlink.service.GetInfo"}
with socket.socket(socket.AF_UNIX) as s:
    s.connect(words[0])
    s.sendall(json.dumps(call | ({"more": True} if "-E" in sys.argv or "--more" in sys.argv else {})).encode() + b"\0")
    reply = b""
    while b"\0" not in reply:
        reply += s.recv(65536) or sys.exit("closed")
    reply = reply.split(b"\0", 1)[0]
print(reply.decode())
sys.exit("error" in json.loads(reply))
END
if nc -h 2>&1 | grep -q OpenBSD; then
        ln -s "$(command -v nc)" "$T/bin/nc"
else
        stub nc <<<$'#!/bin/sh\nexec cat'
fi
PATH=$T/bin:$PATH

# Paths and users of a display are those of this instance.
localize() { # FILE
        sed -i "s#/run/chimed/io\.chimed#$T/run/io.chimed#; s#/etc/chimed/jobs\.d/#$T/etc/jobs.d/#; s#/etc/cron\.d/backup#$T/etc/backup#
                s#/etc/crontab#$T/etc/crontab#; s#/usr/libexec/chimed/#$CHIMED_BUILD/#; s#/usr/lib/chimed/plugins#$T/plugins#; s#/var/lib/chimed/#$T/run/state/#
                s#^User=.*#User=$me#; s#/usr/local/bin/backup#$T/bin/backup#; s#  root  #  $me  #" "$1"
}

# ---- displays ----

n_checked=0
check_jobs() { # FILE PLACE
        rm -rf "$T/check" && mkdir "$T/check"
        cp "$1" "$T/check/example.ini"
        timeout 20 chimed --check "--config=$T/chimed.conf" "--jobs=$T/check" >"$T/out/checked" 2>&1 ||
                die "$2: these jobs are not accepted: $(cat "$T/out/checked")"
        n_checked=$((n_checked + 1))
}
check_settings() { # FILE PLACE
        rm -rf "$T/check" && mkdir "$T/check"
        timeout 20 chimed --check "--config=$1" "--jobs=$T/check" >"$T/out/checked" 2>&1 || die "$2: $(cat "$T/out/checked")"
}

check_printed() { # FILE MARK PLACE: the mark is "prints[ below the head]: COMMAND"
        local status=0
        bash -c "${2#*: }" >"$T/out/printed" 2>"$T/out/said" </dev/null || status=$?
        [ "$status" -le 1 ] || die "$3: status $status: $(cat "$T/out/said")"
        [[ $2 != *'the head:'* ]] || sed -i '1,/^$/d' "$T/out/printed"
        diff -u "$1" "$T/out/printed" >"$T/out/differs" || die "$3: other than shown: $(cat "$T/out/differs")"
        grep -v '^# not imported' "$T/out/printed" >"$T/out/imported"
        check_jobs "$T/out/imported" "$3"
}

# Each line that begins a command begins with one that is here.
can_run() { # FILE
        local word
        for word in $(grep -oE '^[a-z][a-z0-9-]*' "$1" | sort -u); do
                command -v "$word" >/dev/null || return
        done
}
run_shell() { # FILE MARK PLACE
        local status=0
        can_run "$1" || return 0
        n_run=$((n_run + 1))
        if [ "$2" = 'goes on' ]; then
                bash -o pipefail "$1" >"$T/out/going" 2>&1 </dev/null &
                going+=("$!|$3")
                [[ $3 != chimed.8:* ]] || until_true 60 file_exists "$HOME/try/run/io.chimed"
                return
        fi
        timeout 60 bash -e -o pipefail "$1" >"$T/out/shown" 2>&1 </dev/null || status=$?
        [ "$status" = 0 ] || die "$3: status $status of $(cat "$1") which says $(head -c 2000 "$T/out/shown")"
}

run_python() { # FILE PLACE
        if grep -q 'socket' "$1"; then
                timeout 20 python3 "$1" >"$T/out/shown" 2>&1 || die "$2: $(cat "$T/out/shown")"
        else
                python3 -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$1" || die "$2: no Python"
        fi
}

end_going() {
        local entry pid
        for entry in "${going[@]}"; do
                pid=${entry%%|*}
                kill -0 "$pid" 2>/dev/null || die "${entry#*|}: it does not go on: $(cat "$T/out/going")"
                # shellcheck disable=SC2046
                kill -TERM "$pid" $(descendants "$pid") 2>/dev/null || true
                wait "$pid" 2>/dev/null || true
        done
        going=()
}

# Each in a folder of its own, in the order of the page; files are there from the beginning.
check_page() { # NAME
        local file kind mark place
        going=()
        rm -rf "$T/work" && mkdir "$T/work" && cd "$T/work"
        mkdir new
        grep "|$1:[0-9]*$" "$T/displays" >"$T/list" || return 0
        while IFS='|' read -r file kind mark place; do
                localize "$file"
                [ "$kind" != file ] || cp "$file" "${mark#file: }"
        done <"$T/list"
        while IFS='|' read -r file kind mark place; do
                case $kind in
                jobs)
                        [ "$mark" != drop-in ] || echo Command=true >>"$file"
                        check_jobs "$file" "$place"
                        ;;
                settings) check_settings "$file" "$place" ;;
                printed) check_printed "$file" "$mark" "$place" ;;
                python) run_python "$file" "$place" ;;
                shell | example)
                        bash -n "$file" || die "$place: no shell"
                        [[ $kind == shell && $1 != chimed-migrate.7 ]] || run_shell "$file" "$mark" "$place"
                        ;;
                esac
        done <"$T/list"
        end_going
        cd "$here"
}

# ---- the instance that they ask ----

# fails the first time, so that there is a failure to look for
write_job backup <<END
Every=1h
InitialDelay=1h
Script=[ -e $T/out/once ] || { touch $T/out/once; exit 3; }
END
write_job db-dump <<'END'
Every=1h
InitialDelay=1h
Command=true
END
# for those that ask for hosts
write_job beat <<END
Every=1h
Plugin=heartbeat
PluginHost=samplers
Option.write=$T/out/beat
Log=all
END
start_daemon
wait_event ended beat 60
export CHIMED_SOCKET=$T/run/io.chimed
expect_ctl 3 trigger --wait backup
n_run=0
python3 "$here/manual_examples.py" "$T/examples" "$pages"/* >"$T/displays" || die "the displays can't be read"
for page in "$pages"/*; do
        check_page "${page##*/}"
done
((n_checked > 15 && n_run > 20)) || die "only $n_checked job files and $n_run commands were found"
stop_daemon
note "$n_checked job files and $n_run commands of the pages"
