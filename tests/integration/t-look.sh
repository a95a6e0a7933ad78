#!/bin/bash
# SPDX-License-Identifier: MIT
# Both checks warn of what jobs name and what is not there for the job's user, and of nothing else; nothing of it is an error.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir -p "$T/closed/folder" "$T/jail/bin" "$T/open-jail"
printf '#!/bin/sh\n' >"$T/closed/program"
printf '#!/bin/sh\n' >"$T/program"
touch "$T/plain"
cp "$T/program" "$T/jail/bin/tool"
chmod 755 "$T/closed/program" "$T/program" "$T/jail" "$T/jail/bin" "$T/jail/bin/tool"
chmod 700 "$T/closed"
chmod 777 "$T/open-jail"
add() { # JOB SETTING...: with a program that is there
        local job=$1
        shift
        grep -q '^\(Command\|Script\|Plugin\|Coprocess\)=' <<<"$(printf '%s\n' "$@")" || set -- "$@" "Command=$T/program"
        printf '%s\n' "$@" | write_job "$job"
}
# these are fine
add fine-name Command="cat x"
add fine-script Script=whatever
add fine-path Environment=PATH=/nonexistent:"$T" Command=program
add fine-file "EnvironmentFile=$T/later" Command=not-known-before-that-is-read
add fine-optional WorkingDirectory=-/nonexistent
add fine-folder "WorkingDirectory=$T"
add fine-condition "ExecCondition=$T/program x"
add fine-coprocess Coprocess="cat -u"
# these are not: JOB|PART OF THE WARNING
wanted="name|the program no-such-program-anywhere: No such file or directory
path|the program cat: No such file or directory
missing|the program /nonexistent/program: No such file or directory
plain|the program $T/plain: Permission denied
folder|the program $T: Is a directory
shell|the program /nonexistent/sh: No such file or directory
directory|WorkingDirectory=/nonexistent: No such file or directory
file|WorkingDirectory=$T/plain: Not a directory
condition|the program of ExecCondition=/nonexistent/ask: No such file or directory
coprocess|the program /nonexistent/stays: No such file or directory"
add name Command=no-such-program-anywhere
add path Environment=PATH=/nonexistent Command="cat x"
add missing Command=/nonexistent/program
add plain "Command=$T/plain"
add folder "Command=$T"
add shell Shell=/nonexistent/sh Script=x
add coprocess "Coprocess=/nonexistent/stays x"
add directory WorkingDirectory=/nonexistent
add file "WorkingDirectory=$T/plain"
add condition "ExecCondition=$T/program" "ExecCondition=/nonexistent/ask a b"
if [ "$(id -u)" = 0 ]; then
        add fine-root "Command=$T/closed/program" "WorkingDirectory=$T/closed/folder"
        add fine-jail "RootDirectory=$T/jail" User=nobody Command=tool Environment=PATH=/bin WorkingDirectory=/bin
        wanted+="
nobody|the program $T/closed/program: Permission denied, for user nobody
nobody-folder|WorkingDirectory=$T/closed/folder: Permission denied, for user nobody
number|the program $T/closed/program: Permission denied, for user 61003
jail|RootDirectory=/nonexistent: No such file or directory
jail-program|the program /bin/sh: No such file or directory
open-jail|RootDirectory=$T/open-jail: others than root can write there"
        add nobody User=nobody "Command=$T/closed/program"
        add nobody-folder User=nobody "WorkingDirectory=$T/closed/folder"
        add number User=61003 Group=61003 "Command=$T/closed/program"
        add jail RootDirectory=/nonexistent
        add jail-program "RootDirectory=$T/jail" Script=x
        cp "$T/program" "$T/open-jail/"
        add open-jail "RootDirectory=$T/open-jail" Command=/program
fi
printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins" >>"$T/chimed.conf"
add plugin Plugin=absent Option.x=1

check_said() { # WHO
        local row
        while IFS= read -r row; do
                grep -qF -- "/${row%%|*}.ini:1: warning: job ${row%%|*}: ${row#*|}" <<<"$said" || die "$1 does not say: $row: $said"
        done <<<"$wanted"
        grep -qF -- "/plugin.ini:2:8: warning: plugin absent can't be loaded: $T/plugins/absent.so: No such file or directory" \
                <<<"$said" || die "$1 does not say that the plugin is not there: $said"
        assert_equal "warnings of $1" "$(($(wc -l <<<"$wanted") + 1))" "$(grep -c warning: <<<"$said")"
}
said=$("$CHIMED_BUILD/chimed" --check "--config=$T/chimed.conf" "--jobs=$T/jobs") || die "chimed --check: $said"
check_said "chimed --check"
expect_ctl 0 check "--config=$T/chimed.conf" "--jobs=$T/jobs"
check_said "chimectl check"

# the daemon takes all of them: what is not there now may be at the job's time
start_daemon
assert_contains "the daemon" "0 warnings" "$(event_field MESSAGE ready)"
stop_daemon
