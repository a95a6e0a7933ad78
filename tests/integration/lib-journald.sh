# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib-journald: the words of tests with a journald of their own. Sourced in place of lib.sh; begins the test anew beside the journald.
if [ -z "${JOURNALD_PID:-}" ]; then
        [ "$(id -u)" = 0 ] || { echo "needs root" && exit 77; }
        [ -e /etc/machine-id ] || { echo "there is no /etc/machine-id" && exit 77; }
        unshare --mount --propagation private true 2>/dev/null || { echo "no mount namespace of its own here" && exit 77; }
        exec "$(dirname "${BASH_SOURCE[0]}")/journald" bash "$0"
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
daemon_stderr=$T/log
log=$T/journal
journal() { journalctl -D /run/log/journal -o json --all "$@"; }
refresh_log() {
        timeout 20 journalctl --sync
        journal >"$log"
}
n_journal() { journal "$@" | grep -c '^{' || true; }
# assert_journal FIELD=VALUE...: there is a record with all of these
assert_journal() { [ "$(n_journal "$@")" -gt 0 ] || die "no record has $*"; }
