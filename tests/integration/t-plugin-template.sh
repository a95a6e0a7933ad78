#!/bin/bash
# SPDX-License-Identifier: MIT
# The author of a plugin needs what is installed, and no more: the header, chimed.pc, the host. The template is built so, liked by the
# host, and does its work in the daemon until it is finished.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

DESTDIR=$T/root cmake --install "$CHIMED_BUILD" >"$T/install" 2>&1 || die "the installation: $(tail -n 5 "$T/install")"
pc=$(find "$T/root" -name chimed.pc)
file_exists "$pc" || die "there is no chimed.pc"
sed -i "s|=/|=$T/root/|" "$pc" # the tree is not where it will be
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
assert_equal "the version" "$("$CHIMED_BUILD/chimed" --version | sed 's/.* //')" "$(pkg-config --modversion chimed)"
plugins=$(pkg-config --variable=plugindir chimed)
file_exists "$plugins/memsample.so" || die "there are no plugins in $plugins"

cp -r "$(find "$T/root" -type d -name plugin-template)" "$T/template"
{
        cmake -G Ninja -S "$T/template" -B "$T/build" -DCMAKE_C_FLAGS=-Werror && ninja -C "$T/build" && ctest --test-dir "$T/build" &&
                cmake --install "$T/build"
} >"$T/built" 2>&1 || die "the template: $(tail -n 20 "$T/built")"
assert_equal "what it shows" chimed_plugin "$(nm -D --defined-only "$plugins/myplugin.so" | awk '{ print $3 }')"
host=$(pkg-config --variable=host chimed)
"$host" "--describe=$plugins/myplugin.so" >"$T/described" || die "the host does not like it"
assert_equal "its options" "from delay" "$(awk '$1 == "option" { print $2 }' "$T/described" | paste -sd ' ')"

printf '[chimed]\nPluginDirectory=%s\n' "$plugins" | cat - "$T/chimed.conf" >"$T/new.conf"
mv "$T/new.conf" "$T/chimed.conf"
cp "$T/template/job.ini" "$T/jobs/countdown.ini"
chmod 644 "$T/jobs/countdown.ini"
expect_ctl 0 check "--config=$T/chimed.conf" "--jobs=$T/jobs"
assert_contains "the check" "nothing is wrong" "$said"
start_daemon
is_finished() {
        expect_ctl 0 show --json=short countdown
        [ "$(jq -r .lastResult <<<"$said")" = finished ]
}
until_true 60 is_finished
assert_equal "its last value" 0 "$(jq -r .lastRun.value <<<"$said")"
stop_daemon
