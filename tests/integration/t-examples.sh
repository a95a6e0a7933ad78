#!/bin/bash
# SPDX-License-Identifier: MIT
# Each job of the examples runs and ends as its file says, also without root; those that follow others do so by themselves. And the demo runs
# those for periodic tasks. Programs that not each system has, and what would touch it, are replaced by ones that say how they were called.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

root=$here/../..
# file|its jobs, each with its result; ">" follows others and is not triggered
table='aggregate|sample-load=success sample-processes=success sample-disk=success >aggregate=success
alive|alive=success alive-lost=success
backup|backup=success
batch|batch-usage=success batch-checksums=success batch-archive=success batch-failed=success
bookings|bookings=success
boot|after-boot=success
cache|cache=success
catalogue|catalogue=success
cleanup|cleanup-tmp=success cleanup-cores=success
failing|failing=failed
heartbeat|heartbeat=success
invoices|invoices=success
load|load=success
maintenance|maintenance=success
memory|memory=success
migrate|migrate=success
monitor|disk-space=success disk-alarm=success
poll|poll=success
pulse|pulse=success
ratelimit|supplier-orders=skipped supplier-prices=success
reindex|reindex=success
report|report=success
scan|scan=success scan-alarm=success
slow|slow=success
sprint|sprint-report=success sprint-board=success
sync|sync=success
timeout|hanging=timeout
totals|totals=success
trial|trial=success
trim|trim=success
uploads|uploads=success
website|website=success
weekly|week-numbers=success >weekly-report=success >weekly-report.mail=success >weekly-archive=success weekly-late=success'

stub() { # NAME [CODE]
        printf '%s\n' '#!/bin/sh' "${2:-}" "echo \"\$0 \$*\" >>$T/out/called" >"$T/bin/$1"
        chmod 755 "$T/bin/$1"
}
add_settings() { # FILE JOB SETTING
        mkdir -p "$T/jobs/$1.ini.d"
        printf '[job %s]\n%s\n' "$2" "$3" >"$T/jobs/$1.ini.d/test.conf"
}
answers() { "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" list >/dev/null 2>&1; }
last_result() { # JOB
        expect_ctl 0 show --json=short "$1"
        jq -r '.lastResult // ""' <<<"$said"
}
has_run() { [ -n "$(last_result "$1")" ]; }

# Triggers a job and checks its result. The trigger joins a run of the schedule.
check_job() { # JOB=RESULT
        local job=${1%=*} wanted=${1#*=} found
        if [[ $job == '>'* ]]; then
                job=${job#>}
                until_true 20 has_run "$job"
                found=$(last_result "$job")
        else
                found=$(timeout 30 "$CHIMED_BUILD/chimectl" "--socket=$T/run/io.chimed" trigger --wait --force --json=short "$job" |
                        jq -r 'select(.kind == "ended").run.result') || true # its status is that of the run
        fi
        assert_equal "result of $job" "$wanted" "$found"
}

mkdir -p "$T/bin" "$T/shop/data" "$T/shop/log" "$T/mirror"
echo x >"$T/shop/data/x"
echo old >"$T/shop/log/old.log"
touch -d '3 days ago' "$T/shop/log/old.log"
for program in rsync curl indexer migrate-orders; do
        stub "$program"
done
stub find 'case " $* " in *" -delete "*) ;; *) exec /usr/bin/find "$@" ;; esac'
printf '#!/bin/sh\ncat >>%s/out/mail\n' "$T" >"$T/bin/sendmail"
chmod 755 "$T/bin/sendmail"
TEST_FOLDER=$T python3 "$here/http_server.py" "$T/port" & # by that it is found at the end
until_true 30 file_exists "$T/port"
mkdir "$T/plugins"
cp "$CHIMED_BUILD"/plugins/*.so "$T/plugins"
cp -r "$root/config/examples/coprocess" "$T/coprocess"
cat >"$T/chimed.conf" <<END
[chimed]
Sendmail=$T/bin/sendmail
PluginDirectory=$T/plugins
[defaults]
Environment=TEST_FOLDER=$T PATH=$T/bin:/usr/bin:/bin SHOP=$T/shop MIRROR=$T/mirror
END
cp "$root"/config/examples/*.ini "$T/jobs/"
add_settings poll poll "StandardOutput=append:$T/out/poll"
add_settings trial trial "Script=date"
add_settings trim trim $'Unit=\nCommand=true' # there may be no systemd here
add_settings monitor disk-space "Environment=LIMIT=101" # the disks here may be full
add_settings memory memory "Option.file=$T/out/memory.csv"
add_settings pulse pulse "Option.write=$T/out/pulse"
add_settings website website "Option.url=http://127.0.0.1:$(cat "$T/port")/"
add_settings catalogue catalogue "InitialDelay=1h
Coprocess=$T/coprocess/catalogue.py $T/shop $T/out/catalogue.json"
add_settings load load "Coprocess=$T/coprocess/load.sh"
chmod -R go-w "$T/jobs" "$T/bin" "$T/chimed.conf" "$T/plugins" "$T/coprocess"

assert_equal "the examples" "$(cut -d '|' -f 1 <<<"$table")" "$(cd "$root/config/examples" && printf '%s\n' *.ini | sed 's/\.ini$//')"
expect_ctl 0 check "--config=$T/chimed.conf" "--jobs=$T/jobs"
assert_contains "the check" "nothing is wrong" "$said"
for example in "$root"/config/examples/*.ini; do # and each by itself
        mkdir "$T/alone"
        cp "$example" "$T/alone/"
        [ ! -d "$T/jobs/${example##*/}.d" ] || cp -r "$T/jobs/${example##*/}.d" "$T/alone/"
        chmod -R go-w "$T/alone"
        expect_ctl 0 check "--config=$T/chimed.conf" "--jobs=$T/alone"
        assert_contains "the check of ${example##*/}" "nothing is wrong" "$said"
        rm -r "$T/alone"
done

start_daemon "--state=$T/state"
until_true 10 answers
expect_ctl 0 list --json=short
assert_equal "their jobs" "$(cut -d '|' -f 2 <<<"$table" | tr ' ' '\n' | sed 's/^>//; s/=.*//' | sort)" "$(jq -r '.[].name' <<<"$said" | sort)"
while IFS='|' read -r _ jobs; do
        for job in $jobs; do
                check_job "$job"
        done
done <<<"$table"
for program in rsync curl indexer migrate-orders find; do
        grep -q "^$T/bin/$program " "$T/out/called" || die "$program was not called"
done
assert_equal "the copy" x "$(cat "$T/mirror/x")"
assert_equal "the old log" old "$(gzip -dc "$T/shop/log/old.log.gz")"
assert_equal "the cache" data/x "$(cat "$T/shop/cache/list")"
assert_contains "the archive" data/x "$(tar -tf "$T/shop/batch/archive.tar.gz")"
assert_contains "the report" "0 orders sent" "$(cat "$T/shop/reports/latest")"
assert_equal "the samples" time,processes "$(head -n 1 "$T/out/memory.csv" | cut -d , -f 1-2)"
assert_contains "the pulse" "JOB=pulse" "$(cat "$T/out/pulse")"
assert_contains "the catalogue" "$T/shop/data/x" "$(cat "$T/out/catalogue.json")"
assert_contains "the mail" "0 orders sent" "$(cat "$T/out/mail")"

# what they do when something is wrong
add_settings monitor disk-space "Environment=LIMIT=0"
expect_ctl 0 reload
check_job disk-space=failed
add_settings monitor disk-space "Environment=LIMIT=101"
expect_ctl 0 reload
mark_log
check_job disk-space=success
wait_event ended disk-alarm
echo gone >"$T/shop/scan/known"
check_job scan=failed
wait_event ended scan-alarm
expect_ctl 0 show --json=short scan-alarm
assert_contains "what the scan has found" "< gone" "$(jq -r .lastRun.value <<<"$said")"
rm -r "$T/mirror"
expect_ctl 0 trigger sync
wait_event retry sync
assert_contains "the first attempt" "attempt 2 of 6 in" "$(event_field MESSAGE retry sync)"
stop_daemon

"$root/packaging/demo" --examples "--build=$CHIMED_BUILD" >"$T/demo" || die "the demo: $(cat "$T/demo")"
assert_contains "the demo" "job processes left: 0." "$(cat "$T/demo")"

# and all of it as a user
if [ "$(id -u)" = 0 ]; then
        as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
        if "${as_user[@]}" test -r "$here/t-examples.sh" -a -x "$CHIMED_BUILD/chimed"; then
                "${as_user[@]}" bash "$here/t-examples.sh" || die "the same as a user"
        else
                note "not as a user: nobody else can read the programs here"
        fi
fi
