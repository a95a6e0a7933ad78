#!/bin/bash
# SPDX-License-Identifier: MIT
# Without --cgroup=, or with auto, runs get cgroups of their own where the one that we were started in was delegated to us and nobody else is
# in it; what was not given is not touched. With own the mark of that is not asked for.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_cgroup
mkdir "$T/bin"
cat >"$T/bin/chimed" <<EOF
#!/bin/sh
echo \$\$ >$given/own/cgroup.procs && exec $CHIMED_BUILD/chimed "\$@"
EOF
chmod 755 "$T/bin/chimed"

delegate() { python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", sys.argv[2].encode())' "$given/own" "$1"; } # 0 or 1
start_in_own() { CHIMED_BUILD=$T/bin start_daemon "$@"; } # [OPTION...]
cgroup_of() { sed -n "s|^0::.*/${given##*/}/||p" "/proc/$1/cgroup"; } # PID
run_where() {
        rm -f "$T/out/where"
        expect_ctl 0 trigger --wait where
        where=$(cat "$T/out/where")
}
has_own() { # the runs of this instance have cgroups
        run_where
        assert_equal "cgroup of a job" own/jobs/where@1 "$where"
        assert_equal "cgroup of the runner" own/runner "$(cgroup_of "$daemon")"
        assert_equal "cgroup of the scheduler" own/runner "$(cgroup_of "$(scheduler_pid)")"
}
has_none() { # WHY [OPTION...]
        start_in_own "${@:2}"
        run_where
        assert_equal "cgroup of a job, $1" own "$where"
        assert_equal "cgroup of the runner, $1" own "$(cgroup_of "$daemon")"
        assert_equal "what was made, $1" "" "$(find "$given/own" -mindepth 1 -type d)"
        stop_daemon
}

write_job where <<EOF
Log=all
Script=sed -n 's|^0::.*/${given##*/}/||p' /proc/self/cgroup >$T/out/where
EOF
mkdir "$given/own"
has_none "not delegated" --cgroup=auto
delegate 0 2>"$T/refused" || skip "may not mark a cgroup: $(tail -n 1 "$T/refused")"
has_none "said not to be delegated"
delegate 1
has_none "not wanted" --cgroup=none
chmod 0775 "$given/own"
has_none "others can write there"
chmod 0755 "$given/own"
sleep 1000 &
other=$!
echo "$other" >"$given/own/cgroup.procs"
has_none "somebody else is in it"
has_none "somebody else is in it, whoever says what" --cgroup=own
kill "$other"
wait "$other" || true

for option in --log=json --cgroup=auto --cgroup=own; do # the first says nothing of it
        [ $option != --cgroup=own ] || delegate 0
        start_in_own "$option"
        has_own
        mark_log
        kill -USR2 "$daemon"
        wait_event re-executed "" 20
        until_true 10 has_scheduler
        wait_event ready
        has_own
        stop_daemon
        find "$given/own" -mindepth 1 -depth -type d -exec rmdir {} \;
done
