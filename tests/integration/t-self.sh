#!/bin/bash
# SPDX-License-Identifier: MIT
# What a job gets is the table of chimed.job(5), byte for byte, whatever the daemon was started with: descriptors, signals, limits,
# priorities, groups, capabilities, personality, environment. What the job asks for, it gets, and no more (PR13, PV2, PV7).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_root
probe=$CHIMED_BUILD/tests/probe
for program in setpriv setarch chrt ionice choom unshare python3; do
        command -v "$program" >/dev/null || skip "needs $program"
done
case $(uname -m) in
x86_64) keyctl=250 ;;
aarch64) keyctl=219 ;;
*) skip "does not know the numbers of this machine's system calls" ;;
esac

# Root may be without the right to raise hard limits and to lower OOM scores, as in many containers.
if (($(sed -n 's/^CapEff:[[:space:]]*/0x/p' /proc/self/status) >> 24 & 1)); then
        own_score=300 score=-500 files=4:1000000 most=$(cat /proc/sys/fs/nr_open)
        many_files=infinity nice_limit="+5:-5" nice_limits="15 25" priority=10
else
        note "without the right to raise limits"
        own_score=$(cat /proc/self/oom_score_adj) score=400 most=$(ulimit -Hn) files=4:$(ulimit -Hn)
        many_files=$most nice_limit=0 nice_limits="0 0" priority=0
fi

# ---- users of this test's own: one in 70 groups, one in none but its own, one that is a number only ----
cp /etc/passwd /etc/group "$T/"
cat >>"$T/passwd" <<EOF
chimed-many:x:61001:61001::$T:/bin/sh
chimed-alone:x:61002:61002::/nonexistent:/bin/false
EOF
printf 'chimed-%s:x:%s:\n' many 61001 alone 61002 >>"$T/group"
many=61001
for ((i = 0; i < 70; i++)); do
        echo "chimed-g$i:x:$((62000 + i)):chimed-many" >>"$T/group"
        many+=" $((62000 + i))"
done

# What comes last before the daemon: users and groups for it alone, timer slack, a session keyring with a key in it, securebits.
cat >"$T/odd.py" <<'EOF'
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
folder, keyctl, program = sys.argv[1], int(sys.argv[2]), sys.argv[3]
for name in "passwd", "group":
    if libc.mount(("%s/%s" % (folder, name)).encode(), ("/etc/" + name).encode(), None, 4096, None) != 0:  # MS_BIND
        sys.exit("mount: " + os.strerror(ctypes.get_errno()))
libc.prctl(29, 1)  # PR_SET_TIMERSLACK
libc.syscall(keyctl, 1, b"leaked")  # KEYCTL_JOIN_SESSION_KEYRING
libc.prctl(28, 1 << 2)  # PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP
os.execv(program, sys.argv[3:])
EOF

# The daemon as nobody should start one. All of it execs, so the pid stays.
spawn_daemon() { # [OPTION...]
        (
                exec 7<"$log" 8>>"$T/out/leak"
                trap '' USR1 PIPE QUIT
                umask 0000
                ulimit -S -n 200
                ulimit -S -s 1024
                ulimit -S -c unlimited
                ulimit -S -t 10000
                export LEAKED=yes LD_BIND_NOW=1 LD_LIBRARY_PATH=/nonexistent GLIBC_TUNABLES=glibc.malloc.check=0 \
                        BASH_ENV=/nonexistent CHIMED_RUN_ID=false LANG=C.UTF-8
                exec unshare --mount nice -n 5 ionice -c 3 chrt --batch 0 choom -n "$own_score" -- \
                        setpriv --groups 7,9 --inh-caps=+chown,+kill --ambient-caps=+chown,+kill setarch -R \
                        python3 "$T/odd.py" "$T" "$keyctl" "$CHIMED_BUILD/chimed" "--config=$T/chimed.conf" "--jobs=$T/jobs" \
                        "--run=$T/run" --log=json "$@" </dev/null >>"$daemon_stderr" 2>&1
        ) &
        daemon=$!
}

# ---- the jobs ----
mkdir -p "$T/jail/inside" "$T/jail/out"
chmod 755 "$T/jail" "$T/jail/inside"
chmod 777 "$T/jail/out"
cp "$probe" "$T/jail/probe"
cat >"$T/secrets" <<'EOF'
LD_PRELOAD=/nonexistent/evil.so
PATH=/nonexistent
GLIBC_TUNABLES=glibc.malloc.check=3
SECRET="two
lines"
EOF
tell() { # JOB SETTING...
        local job=$1
        shift
        printf '%s\n' Every=1h Log=all "Command=$probe" "StandardOutput=truncate:$T/out/$job" StandardError=null "$@" >"$T/settings"
        # a key that is not a list stands once: the last
        tac "$T/settings" | awk -F= '/^Supplementary/ || !seen[$1]++' | tac | write_job "$job"
}
tell plain
tell secret "EnvironmentFile=$T/secrets"
tell many User=chimed-many
tell alone User=chimed-alone
tell number User=61003 Group=61004
tell more User=chimed-alone "SupplementaryGroups=chimed-g3 62069" SupplementaryGroups=61002
tell groups SupplementaryGroups=chimed-g5
tell all User=chimed-many Group=chimed-g1 UMask=0077 Nice=-7 CPUSchedulingPolicy=batch \
        IOSchedulingClass=best-effort IOSchedulingPriority=7 "OOMScoreAdjust=$score" NoNewPrivileges=yes WorkingDirectory=/tmp \
        LimitCPU=10:1h LimitFSIZE=1G LimitDATA=1G:infinity LimitSTACK=1M:2M LimitCORE=infinity LimitRSS=1G "LimitNOFILE=$files" \
        LimitAS=2G LimitNPROC=77:99 LimitMEMLOCK=64K LimitLOCKS=5 LimitSIGPENDING=9 LimitMSGQUEUE=4K "LimitNICE=$nice_limit" \
        "LimitRTPRIO=$priority" LimitRTTIME=500ms
tell fast CPUSchedulingPolicy=rr CPUSchedulingPriority=3
tell lowest Nice=19 CPUSchedulingPolicy=idle IOSchedulingClass=realtime OOMScoreAdjust=1000 "LimitNOFILE=$many_files"
tell jailed User=chimed-many "RootDirectory=$T/jail" Command=/probe StandardOutput=truncate:/out/jailed WorkingDirectory=/inside
tell dark User=chimed-alone "RootDirectory=$T/jail" Command=/probe StandardOutput=file:/out/dark StandardError=inherit

# ---- the table ----
"$probe" >"$T/mine"
hard() { sed -n "s/^limit $1 .* //p" "$T/mine"; } # NUMBER: that of the daemon
low() { # SOFT NUMBER: at most the hard one
        local hard
        hard=$(hard "$2")
        echo "limit $2 $((hard >= 0 && hard < $1 ? hard : $1)) $hard"
}
table() {
        local i
        printf '%s\n' "descriptor 0 null read" "descriptor 1 file write" "descriptor 2 null write" \
                "signals blocked 0 pending 0 not default 0" "timer 0 0" "timer 1 0" "timer 2 0" "user 0 0 0" "group 0 0 0" groups \
                "secure 0" "capabilities effective all inheritable 000000000 ambient 0" "securebits 0" "no new privileges 0" \
                "dumpable 1" "parent's death 0" "subreaper 0" "keyring _ses keys 0" "nice 0" "policy 0 0" "disk 0" \
                "timer slack 50000" "personality 0"
        for i in {0..15}; do
                case $i in
                3 | 8) low 8388608 "$i" ;;
                4 | 13 | 14) low 0 "$i" ;;
                7) low 1024 "$i" ;;
                12) low 819200 "$i" ;;
                *) echo "limit $i $(hard "$i") $(hard "$i")" ;;
                esac
        done
        printf '%s\n' "umask 0022" "folder /" "root $(stat -c %i /)" "terminal none" "session own" "process group own" \
                "parent $daemon" "oom score 0"
}
# expect_self FILE JOB [NAME=VALUE...]: the line that begins with NAME is other than in the table; without VALUE it is not there
expect_self() {
        local file=$1 job=$2 change name value
        shift 2
        wait_event ended "$job"
        table >"$T/wanted"
        for change; do
                name=${change%%=*} value=${change#*=}
                awk -v name="$name" -v value="$value" '
                        index($0 " ", name " ") != 1 { print; next }
                        { is_found = 1; if (value != "") print name " " value }
                        END { exit !is_found }
                ' "$T/wanted" >"$T/changed" || die "the table has no $name"
                mv "$T/changed" "$T/wanted"
        done
        diff "$T/wanted" <(grep -av -e '^variable' -e '^lines$' "$file") >"$T/diff" || die "$job: < wanted, > found: $(cat "$T/diff")"
}
# What is other for each user than for root.
is_user() { # UID GID
        printf '%s\n' "user=$1 $1 $1" "group=$2 $2 $2" "capabilities=effective none inheritable 000000000 ambient 0"
}
mapfile -t is_many < <(is_user 61001 61001)
mapfile -t is_alone < <(is_user 61002 61002)
mapfile -t is_number < <(is_user 61003 61004)
mapfile -t is_all < <(is_user 61001 62001)

start_daemon
expect_self "$T/out/plain" plain
expect_self "$T/out/secret" secret
expect_self "$T/out/many" many "${is_many[@]}" "groups=$many" "folder=$T"
expect_self "$T/out/alone" alone "${is_alone[@]}" "groups=61002"
expect_self "$T/out/number" number "${is_number[@]}"
expect_self "$T/out/more" more "${is_alone[@]}" "groups=61002 62003 62069"
expect_self "$T/out/groups" groups "groups=$(setpriv --init-groups --reuid=root --regid=0 "$probe" | sed -n 's/^groups //p') 62005" \
        "folder=$(getent passwd root | cut -d : -f 6)"
expect_self "$T/out/all" all "${is_all[@]}" "groups=${many#61001 }" "umask=0077" "nice=-7" "policy=3 0" "disk=4007" \
        "oom score=$score" "no new privileges=1" "folder=/tmp" "limit 0=10 3600" "limit 1=1073741824 1073741824" \
        "limit 2=1073741824 -1" "limit 3=1048576 2097152" "limit 4=-1 -1" "limit 5=1073741824 1073741824" "limit 6=77 99" \
        "limit 7=${files/:/ }" "limit 8=65536 65536" "limit 9=2147483648 2147483648" "limit 10=5 5" "limit 11=9 9" \
        "limit 12=4096 4096" "limit 13=$nice_limits" "limit 14=$priority $priority" "limit 15=500000 500000"
wait_event ended fast
expect_self "$T/out/fast" fast "policy=2 3" "timer slack=$(sed -n 's/^timer slack //p' "$T/out/fast")" # newer kernels give such none
expect_self "$T/out/lowest" lowest "nice=19" "policy=5 0" "disk=2004" "oom score=1000" "limit 7=$most $most"
root=$(stat -c %i "$T/jail")
expect_self "$T/jail/out/jailed" jailed "${is_many[@]}" "groups=$many" "folder=/inside" "root=$root" "oom score="
expect_self "$T/jail/out/dark" dark "${is_alone[@]}" "groups=61002" "root=$root" "oom score=" "descriptor 2=file write"

# ---- the environment ----
variables() { # JOB
        grep -a '^variable' "$T/out/$1" | sed 's/^variable \([A-Z_]*\)=.*/\1/' | sort | tr '\n' ' '
}
standard="CHIMED_ATTEMPT CHIMED_CAUSE CHIMED_JOB CHIMED_LAST_RESULT CHIMED_MISSED CHIMED_RUN_ID CHIMED_SLOT CHIMED_SLOT_USEC"
standard+=" HOME LANG LOGNAME PATH SHELL TEST_FOLDER USER"
assert_equal "variables of a job" "$standard " "$(variables plain)"
! grep -qx "variable CHIMED_RUN_ID=false" "$T/out/plain" || die "CHIMED_RUN_ID comes from outside"
assert_equal "variables of one with a file of them" "$(tr ' ' '\n' <<<"$standard GLIBC_TUNABLES LD_PRELOAD SECRET" | sort | tr '\n' ' ')" \
        "$(variables secret)"
grep -qx 'variable GLIBC_TUNABLES=glibc.malloc.check=3' "$T/out/secret" || die "its own GLIBC_TUNABLES did not arrive"
for pid in "$(scheduler_pid)" "$daemon"; do
        ! grep -qa -e evil -e SECRET "/proc/$pid/environ" || die "a job's variables reached chimed"
done
! grep -qa -e LEAKED -e LD_ -e GLIBC "/proc/$(scheduler_pid)/environ" || die "the scheduler inherits variables"

# ---- who a user is, is asked when the files are read ----
mark_log
grep -v '^chimed-many:' "$T/passwd" >"$T/without" && cat "$T/without" >"$T/passwd" # in place: it is mounted
rm "$T/out/many"
expect_ctl 0 trigger --wait many
expect_self "$T/out/many" many "${is_many[@]}" "groups=$many" "folder=$T"
expect_ctl 1 reload
assert_contains "the answer" "user chimed-many is not known" "$said $(cat "$T/err")"
rm "$T/out/many"
expect_ctl 0 trigger --wait many # its last good definition is in force
expect_self "$T/out/many" many "${is_many[@]}" "groups=$many" "folder=$T"
stop_daemon
