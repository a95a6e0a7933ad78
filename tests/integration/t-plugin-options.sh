#!/bin/bash
# SPDX-License-Identifier: MIT
# A plugin's options are checked by what the plugin says, at their lines, by both checks and by the daemon, which keeps the last good
# definition; what can't be loaded is warned of by the checks and costs the daemon nothing but the runs of its jobs.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir "$T/plugins"
cp "$CHIMED_BUILD"/plugins/{memsample,heartbeat}.so "$CHIMED_BUILD"/tests/plugins/*.so "$T/plugins"
echo "no object" >"$T/plugins/text.so"
chmod -R go-w "$T/plugins"
{
        printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins"
        cat "$T/chimed.conf"
} >"$T/new.conf"
mv "$T/new.conf" "$T/chimed.conf"
chmod 644 "$T/chimed.conf"

check() { # STATUS: by chimectl, in $said; and chimed says the same of the files
        local by_chimed
        by_chimed=$("$CHIMED_BUILD/chimed" --check "--config=$T/chimed.conf" "--jobs=$T/jobs") || true
        expect_ctl "$1" check "--config=$T/chimed.conf" "--jobs=$T/jobs"
        assert_equal "what chimed --check says" "$(grep "^$T" <<<"$said")" "$(grep "^$T" <<<"$by_chimed")"
}
warns() { # JOB REASON
        grep -qE "/$1.ini:2:8: warning: plugin $1 can't be loaded: .*$2" <<<"$said" || die "$1: no warning with \"$2\": $said"
}

write_job good <<<"Plugin=heartbeat
Option.touch=$T/out/beat"
write_job shared <<<"Plugin=noop
PluginHost=both"
write_job also <<<"Plugin=hostile
Option.delay=1s
PluginHost=both"
check 0
assert_contains "the check" "nothing is wrong" "$said"

# ---- what is wrong has its line ----
write_job nearest <<<"Plugin=heartbeat
Option.touc=$T/out/beat"
write_job type <<<"Plugin=hostile
Option.delay=soon"
write_job range <<<"Plugin=hostile
Option.n=-6"
write_job choice <<<"Plugin=hostile
Option.do=dance"
write_job other <<<"Plugin=noop
PluginHost=both
UMask=0077"
check 1
for row in "nearest.ini:3:1: plugin heartbeat has no option touc; did you mean Option.touch=?" \
        "type.ini:3:14: Option.delay=soon: is not of type duration" "range.ini:3:10: Option.n=-6: give -5 to 1000000000" \
        "choice.ini:3:11: Option.do=dance: give one of: " \
        "other.ini:3:12: PluginHost=both: one process can't have two values of UMask=: job also ($T/jobs/also.ini:1) and job other ($T/jobs/other.ini:1) differ in it"; do
        grep -qF "/$row" <<<"$said" || die "not said: $row: $said"
done
assert_contains "the check" "5 errors, 0 warnings" "$said"

# ---- and no others are harmed; the last good definition stays ----
rm "$T"/jobs/{nearest,type,range,choice,other}.ini
start_daemon
expect_ctl 0 trigger --wait good
until_true 20 test -e "$T/out/beat"
write_job good <<<"Plugin=heartbeat
Option.touch=$T/out/beat
Option.mag-age=1h"
expect_ctl 1 reload
assert_contains "the reload" "plugin heartbeat has no option mag-age; did you mean Option.max-age=?" "$said"
expect_ctl 0 trigger --wait good

# ---- what can't be loaded ----
write_job good <<<"Plugin=heartbeat
Option.touch=$T/out/beat"
for plugin in wrong_abi no_symbol unresolved bad_options text absent; do
        write_job "$plugin" <<<"Plugin=$plugin
Option.any=1"
done
expect_ctl 0 reload
check 0
warns wrong_abi "ABI|version|interface"
warns no_symbol "chimed_plugin"
warns unresolved "undefined symbol"
warns bad_options "default"
warns text "."
warns absent "No such file or directory"
for plugin in wrong_abi text absent; do
        expect_ctl 125 trigger --wait "$plugin"
        expect_ctl 0 show --json=short "$plugin"
        assert_equal "the result of $plugin" "start-failed" "$(jq -r .lastResult <<<"$said")"
        expect_ctl 0 why "$plugin"
        assert_contains "why $plugin" "its value says why" "$(tr -s ' \n' ' ' <<<"$said")"
done
expect_ctl 0 trigger --wait good
stop_daemon

# ---- what others can change is not loaded ----
chmod 666 "$T/plugins/heartbeat.so"
check 0
assert_contains "the check" "can't be loaded: $T/plugins/heartbeat.so: others than its owner can write there" "$said"
