#!/bin/bash
# SPDX-License-Identifier: MIT
# Plugins that crash, hang, exit, can't be loaded or spoil their process cost their own runs and no others, with the reason; a file that
# is replaced is the next run's.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

plugins=$T/plugins
mkdir "$plugins"
for name in hostile noop wrong_abi no_symbol unresolved; do
        cp "$CHIMED_BUILD/tests/plugins/$name.so" "$plugins/"
done
echo "this is no shared object, whatever its name says; it is text, and longer than a header" >"$plugins/text.so"
printf '\177ELF\1\1\1%057d' 0 >"$plugins/old.so" # of 32 bits
cp "$plugins/noop.so" "$plugins/renamed.so"
cp "$plugins/noop.so" "$plugins/placed.so"
chmod 755 "$plugins" "$plugins"/*
printf '[chimed]\nPluginDirectory=%s\n' "$plugins" | cat - "$T/chimed.conf" >"$T/new.conf"
mv "$T/new.conf" "$T/chimed.conf"

# write_plugin JOB PLUGIN [OPTION=VALUE | KEY=VALUE]...: keys begin with a capital
write_plugin() {
        local setting
        {
                printf '%s\n' Every=1h InitialDelay=1h Log=all KillGrace=300ms "Plugin=$2"
                for setting in "${@:3}"; do
                        [[ $setting == [A-Z]* ]] || setting=Option.$setting
                        echo "$setting"
                done
        } | write_job "$1"
}
fail() { # JOB PATTERN: a run of it fails, and its record says so
        mark_log
        "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --wait "$1" >"$T/out/said" 2>&1 &&
                die "$1 did not fail: $(cat "$T/out/said")"
        until_true 10 has_events 1 '(failed|timed-out|interrupted)' "$1"
        [[ $(event_field MESSAGE '(failed|timed-out|interrupted)' "$1") =~ $2 ]] ||
                die "$1: not '$2': $(event_field MESSAGE '(failed|timed-out|interrupted)' "$1")"
}
succeed() { # JOB: said is its value
        expect_ctl 0 trigger --wait "$1"
        expect_ctl 0 --json show "$1"
        said=$(jq -r '[.. | .value? // empty][0] // ""' <<<"$said")
}

died="its host process died"
cases=(
        "do=crash in=tick | killed by SIGSEGV .*$died .* while it was being run"
        "do=abort in=tick | killed by SIGABRT .*$died .* while it was being run"
        "do=exit in=tick | $died .* while it was being run"
        "do=_exit in=tick | $died .* while it was being run"
        "do=crash in=load | killed by SIGSEGV .*$died .* while it was being loaded"
        "do=_exit in=load | $died .* while it was being loaded"
        "do=fail in=load text=no | could not start: plugin: load says no"
        "do=loop in=tick Timeout=300ms | timed out after"
        "do=deadlock in=tick Timeout=300ms | timed out after"
        "do=loop in=load Timeout=300ms | timed out after"
        "do=deadlock in=load Timeout=300ms | timed out after"
        "do=later delay=1min Timeout=300ms | timed out after"
        "do=never Timeout=300ms | timed out after"
        "do=loop in=cancel Timeout=300ms | timed out after"
        "do=crash in=cancel Timeout=300ms | ."
        "do=close in=tick | $died"
        "do=fail in=tick text=reason | failed .*: reason"
)
files=(
        "wrong_abi | wrong_abi.so: it is made for version 99 of the plugin interface, which is 1 here"
        "no_symbol | no_symbol.so: it has no symbol chimed_plugin"
        "unresolved | unresolved.so: undefined symbol: a_function_that_is_nowhere"
        "text | text.so: invalid ELF header"
        "old | old.so: wrong ELF class: ELFCLASS32"
        "absent | absent.so: No such file or directory"
)
write_plugin alone noop
write_plugin beside hostile PluginHost=both do=count
write_plugin crash hostile PluginHost=both do=crash
write_plugin state hostile PluginHost=spoilt do=state
for what in umask chdir mask locale; do write_plugin "spoil-$what" hostile PluginHost=spoilt "do=$what"; done
for i in "${!cases[@]}"; do
        # shellcheck disable=SC2086
        write_plugin "case$i" hostile ${cases[i]%% | *}
done
for i in "${!files[@]}"; do write_plugin "file$i" "${files[i]%% | *}"; done
write_plugin unloads hostile do=crash in=unload
write_plugin destroys hostile do=crash in=exit
write_plugin renamed renamed PluginHost=renamed
write_plugin placed placed PluginHost=placed
start_daemon
succeed alone
scheduler=$(scheduler_pid)

# ---- each costs its own run ----
for i in "${!cases[@]}"; do fail "case$i" "${cases[i]##* | }"; done
for i in "${!files[@]}"; do fail "file$i" "${files[i]##* | }"; done

# ---- beside others in a host: these lose what was under way, no more ----
succeed beside
assert_equal "the first value" 1 "$said"
succeed beside
assert_equal "the second value" 2 "$said"
fail crash "killed by SIGSEGV"
succeed beside
assert_equal "the value of another host" 1 "$said"

# ---- what one spoils is not there for the next ----
succeed state
before=$said
for what in umask chdir mask locale; do
        succeed "spoil-$what"
        succeed state
        assert_equal "the process after $what" "$before" "$said"
done

# ---- in unload, and in a destructor ----
succeed unloads
succeed destroys
rm "$T/jobs/unloads.ini" "$T/jobs/destroys.ini"
expect_ctl 0 reload
succeed alone
assert_equal scheduler "$scheduler" "$(scheduler_pid)"

# ---- the file is replaced, by rename and in place: the same host, which leaves for another ----
is_new() { # JOB: it can say so by now, since its plugin is another one
        timeout 30 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --wait "$1" >"$T/out/said" 2>&1 || return 1
        expect_ctl 0 --json show "$1"
        [[ $said == *"job $1 run"* ]]
}
for job in renamed placed; do
        succeed $job
        write_plugin $job $job PluginHost=$job do=echo # which the old one does not know
        if [ $job = renamed ]; then
                cp "$plugins/hostile.so" "$plugins/new"
                chmod 755 "$plugins/new"
                mv "$plugins/new" "$plugins/$job.so"
        else
                cat "$plugins/hostile.so" >"$plugins/$job.so"
        fi
        expect_ctl 0 reload
        until_true 20 is_new $job
done
stop_daemon
