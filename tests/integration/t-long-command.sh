#!/bin/bash
# SPDX-License-Identifier: MIT
# A command of more than 5,000 characters with ; and # in it arrives whole, and so does a script.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

words=()
for ((i = 0; i < 300; i++)); do
        words+=("word-$i;#not=a[comment" ";" "#$i")
done
(($(printf '%s ' "${words[@]}" | wc -c) > 5000)) || die "the test's command is too short"
{
        echo "Every=1h"
        echo "Log=all"
        echo "Command=/bin/sh -c 'cat /proc/self/cmdline >$T/out/ignored; cat /proc/\$\$/cmdline >$T/out/command' zero ${words[*]}"
} | write_job command
printf '%s\0' /bin/sh -c "cat /proc/self/cmdline >$T/out/ignored; cat /proc/\$\$/cmdline >$T/out/command" zero "${words[@]}" \
        >"$T/command.wanted"
{
        printf 'Every=1h\nLog=all\nScript=\n'
        printf ' : "%s" # and a comment; of the shell\n' "${words[@]}"
        printf ' if true; then\n     cat /proc/$$/cmdline >%s\n fi\n' "$T/out/script"
} | write_job script
{
        printf '%s\0' /bin/sh -c
        printf ': "%s" # and a comment; of the shell\n' "${words[@]}"
        printf 'if true; then\n    cat /proc/$$/cmdline >%s\nfi\0' "$T/out/script"
} >"$T/script.wanted"
start_daemon
wait_event ended command
wait_event ended script
for name in command script; do
        cmp "$T/$name.wanted" "$T/out/$name" || die "the $name did not arrive as it was written"
done
stop_daemon
