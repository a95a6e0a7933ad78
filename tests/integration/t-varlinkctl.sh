#!/bin/bash
# SPDX-License-Identifier: MIT
# systemd's own client understands the server: what it says of itself, its interface, calls, streams, errors.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

base=$T # as the client sees it
root13=$(dirname "$CHIMED_BUILD")/build-debian13
version=$(varlinkctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p' || true)
if ((${version:-0} >= 257)); then
        ctl() { varlinkctl "$@"; }
else
        need_root
        command -v debootstrap >/dev/null || skip "needs varlinkctl 257, or debootstrap"
        unshare --mount --propagation private true 2>/dev/null || skip "no mount namespace of its own here"
        why=$(timeout 110 "$here/debian13" "$root13") || skip "no root of Debian 13: ${why:-not done in time}"
        base=/mnt
        ctl() { "$here/debian13" "$root13" "$T" varlinkctl "$@"; }
fi
socket=$base/run/io.chimed
nothing='{}'
replies() { tr -d '\036' <"$T/$1" | jq -r "$2"; } # a stream comes with a mark before each
field() { # FILTER METHOD [PARAMETERS]
        ctl -j call "$socket" "io.chimed.$2" "${3:-$nothing}" | jq -r "$1"
}

for name in hello other third; do
        write_job $name <<'E'
Every=1h
InitialDelay=1h
Script=echo a line
E
done
start_daemon
until_true 5 file_exists "$T/run/io.chimed"

ctl info "$socket" >"$T/info"
for word in 'Vendor: chimed' 'Product: chimed' 'Interfaces: io.chimed' 'org.varlink.service'; do
        assert_contains info "$word" "$(cat "$T/info")"
done
assert_equal interfaces "io.chimed org.varlink.service" "$(ctl list-interfaces "$socket" | sort | tr '\n' ' ' | sed 's/ $//')"

# both interfaces, as this client parses them, and as it would accept them in a file
for name in io.chimed org.varlink.service; do
        ctl -j call "$socket" org.varlink.service.GetInterfaceDescription "{\"interface\":\"$name\"}" | jq -r .description >"$T/idl"
        ctl validate-idl "$base/idl" >"$T/valid" 2>&1 || die "$name is not valid: $(cat "$T/valid")"
done
ctl introspect "$socket" io.chimed >"$T/idl"
while read -r name; do
        grep -q "^method $name(" "$T/idl" || die "introspect does not show $name"
done < <(awk '/^\.Sh/ { on = $2 == "METHODS" } on && /^\.It Cm/ { print $3 }' "$here/../../man/io.chimed.7")
grep -q '^# ' "$T/idl" || die "introspect shows no comments"

# calls
assert_equal jobs 3 "$(field .jobs GetStatus)"
assert_equal names "hello other third" "$(field '[.jobs[].name] | sort | join(" ")' ListJobs)"
assert_equal state waiting "$(field .state ShowJob '{"job":"hello"}')"

# streams: with --more a reply each, with --collect all in one array, with -E until somebody ends it
ctl -j --more call "$socket" io.chimed.Trigger '{"job":"hello"}' >"$T/trigger"
assert_equal "kinds of replies" "accepted started ended" "$(replies trigger .kind | tr '\n' ' ' | sed 's/ $//')"
assert_equal result success "$(replies trigger 'select(.kind == "ended").run.result')"
assert_equal "runs in all" "$(replies trigger .runId | sort -u)" "$(field '.lastRun.runId' ShowJob '{"job":"hello"}')"
assert_equal collected "hello other third" \
        "$(ctl -j --collect call "$socket" io.chimed.ListJobs '{}' | jq -r '[.[].jobs[].name] | sort | join(" ")')"
ctl -j -E call "$socket" io.chimed.Subscribe "$nothing" >"$T/events" 2>/dev/null &
watcher=$!
has_kinds() { [ "$(replies events 'select(.kind == "'"$1"'").job' 2>/dev/null | wc -l)" -ge "$2" ]; }
until_true 10 has_kinds state 3
field .runId Trigger '{"job":"other"}' >"$T/run-id"
until_true 10 has_kinds ended 1
assert_equal "run of the event" "$(cat "$T/run-id")" "$(replies events 'select(.kind == "ended").runId')"
kill "$watcher"
wait "$watcher" || true

# without a reply
ctl call --oneway "$socket" io.chimed.Pause '{"job":"third","reason":"by a test"}' >"$T/oneway" 2>&1 || die "oneway: $(cat "$T/oneway")"
is_paused() { [ "$(field .state ShowJob '{"job":"third"}')" = paused ]; }
until_true 10 is_paused

# an error: status 1, its parameters on standard output, its name on standard error
refused() { # WANTED-ERROR WANTED-PARAMETERS METHOD [PARAMETERS]
        local status=0
        ctl -j call "$socket" "$3" "${4:-$nothing}" >"$T/stdout" 2>"$T/stderr" || status=$?
        assert_equal "status of $3" 1 "$status"
        assert_contains "$3" "$1" "$(cat "$T/stderr")"
        assert_equal "parameters of $1" "$2" "$(jq -cS . "$T/stdout")"
}
refused io.chimed.NoSuchJob '{"job":"nobody"}' io.chimed.ShowJob '{"job":"nobody"}'
refused org.varlink.service.InvalidParameter '{"parameter":"job"}' io.chimed.ShowJob '{"job":7}'
refused org.varlink.service.MethodNotFound '{"method":"io.chimed.Nothing"}' io.chimed.Nothing
refused org.varlink.service.ExpectedMore "{}" io.chimed.Subscribe
stop_daemon
