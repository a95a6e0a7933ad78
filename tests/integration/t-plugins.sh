#!/bin/bash
# SPDX-License-Identifier: MIT
# The shipped plugins in the daemon: samples in a CSV file, beats, and checks of web servers, good, bad and silent, in one host.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

[ -e "$CHIMED_BUILD/plugins/http-check.so" ] || skip "built without http-check"
serve() { # NAME [CERTIFICATE KEY]: sets port_NAME
        TEST_FOLDER=$T python3 "$here/http_server.py" "$T/$1.port" "${@:2}" 2>"$T/$1.err" & # by that it is found at the end
        until_true 30 file_exists "$T/$1.port"
        printf -v "port_$1" %s "$(cat "$T/$1.port")"
}

# Triggers a job and checks the result; what it yields or says is in $yield.
check_job() { # JOB RESULT
        local found
        found=$(timeout 60 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --wait --json=short "$1" |
                jq -r 'select(.kind == "ended").run.result') || true # its status is that of the run
        expect_ctl 0 show --json=short "$1"
        yield=$(jq -r '.lastRun.value // ""' <<<"$said")
        assert_equal "result of $1 ($yield)" "$2" "$found"
}
check_http() { # JOB OPTION...
        { printf '%s\n' "Plugin=http-check" "PluginHost=checks" && printf 'Option.%s\n' "${@:2}"; } | write_job "$1"
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/key" -out "$T/certificate" -days 2 -subj /CN=chimed-test \
        -addext subjectAltName=IP:127.0.0.1 2>"$T/openssl.err" || die "openssl: $(cat "$T/openssl.err")"
unset http_proxy https_proxy all_proxy
serve plain
serve tls "$T/certificate" "$T/key"
plain=http://127.0.0.1:${port_plain:?} tls=https://127.0.0.1:${port_tls:?}
mkdir "$T/plugins"
cp "$CHIMED_BUILD"/plugins/*.so "$T/plugins"
chmod -R go-w "$T/plugins"
{
        printf '[chimed]\nPluginDirectory=%s\n' "$T/plugins"
        cat "$T/chimed.conf"
} >"$T/new.conf"
mv "$T/new.conf" "$T/chimed.conf"

write_job sample <<END
Every=20ms
Plugin=memsample
Option.pid=$$
Option.file=$T/out/memory.csv
Option.max-size=4K
Option.keep=2
END
write_job pulse <<END
Every=50ms
Plugin=heartbeat
Option.write=$T/out/beat
Option.watch=$T/out/memory.csv
Option.max-age=1h
END
check_http good "url=$plain/" "expect-text=hello"
check_http missing "url=$plain/missing"
check_http hang "url=$plain/hang" "timeout=1h"
check_http slow "url=$plain/slow" "timeout=300ms"
check_http nobody "url=http://127.0.0.1:1/"
check_http untrusted "url=$tls/"
check_http trusted "url=$tls/" "ca=$T/certificate"
check_http unverified "url=$tls/" "verify=no"
check_http no-tls "url=https://127.0.0.1:$port_plain/" "timeout=10s"
echo "Timeout=1s" >>"$T/jobs/hang.ini"
chmod 644 "$T/certificate"

expect_ctl 0 check "--config=$T/chimed.conf" "--jobs=$T/jobs"
start_daemon
until_true 60 file_exists "$T/out/memory.csv.2"
expect_ctl 0 cancel sample # no file is renamed while it is looked at
assert_equal "the header" time,processes,threads "$(head -n 1 "$T/out/memory.csv" | cut -d , -f 1-3)"
assert_equal "columns" 1 "$(cat "$T/out/memory.csv".[12] | tr -dc ',\n' | sort -u | wc -l)"
until_true 30 file_exists "$T/out/beat"
grep -q '^JOB=pulse$' "$T/out/beat" || die "the beat: $(cat "$T/out/beat")"

check_job good success
assert_equal "what it yields" "200 11" "$(jq -r '"\(.status) \(.size)"' <<<"$yield")"
check_job missing failed
assert_contains "why" "status 404 in place of 200-299" "$yield"
check_job hang timeout
check_job slow failed
check_job nobody failed
check_job untrusted failed
assert_contains "why" "ertificate" "$yield"
check_job trusted success
check_job unverified success
check_job no-tls failed
# one that hangs does not hold up the others of its host
echo "Timeout=infinity" >>"$T/jobs/hang.ini"
sed -i '/^Timeout=1s/d' "$T/jobs/hang.ini"
expect_ctl 0 reload
expect_ctl 0 trigger hang
check_job good success
expect_ctl 0 cancel hang
stop_daemon
