#!/bin/bash
# SPDX-License-Identifier: MIT
# Time zones are what the C library makes of the same files: those of this machine, and the same data compiled slim (little but the
# rule) and fat (a table until 2037). CHIMED_ZONE_INSTANTS (1000) random instants a zone, beside all its changes.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source=/usr/share/zoneinfo/tzdata.zi
command -v zic >/dev/null || skip "no zic"
[ -e "$source" ] || skip "no $source"

compare() { # WHAT FOLDER
        local status=0 said
        said=$("$CHIMED_BUILD/tests/zone_oracle" "$2" "${CHIMED_ZONE_INSTANTS:-1000}" "$RANDOM") || status=$?
        [ "$status" = 0 ] || die "$1: $said"
        note "$1: $said"
}

compare "this machine" /usr/share/zoneinfo
for kind in slim fat; do
        zic -b "$kind" -d "$T/$kind" "$source" 2>"$T/zic" || die "zic -b $kind: $(cat "$T/zic")"
        compare "$kind" "$T/$kind"
done
! cmp -s "$T/slim/Europe/Berlin" "$T/fat/Europe/Berlin" || die "slim and fat are the same"
