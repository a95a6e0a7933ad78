#!/bin/bash
# SPDX-License-Identifier: MIT
# simulate --timeline and --svg: what would be is drawn, and what was is drawn from the ledger of a running chimed.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export TZ=UTC COLUMNS=80 NO_COLOR=1
# How many marks of a class a picture has, which is read as XML that refers to nothing; each has a title.
marks() { # FILE CLASS
        python3 - "$1" "$2" <<'PY' || die "$1 is no picture"
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
elements = list(root.iter())
assert root.tag == "{http://www.w3.org/2000/svg}svg"
assert not any(e.tag.endswith(("}script", "}image", "}use", "}a")) for e in elements)
assert not any("href" in key for e in elements for key in e.attrib)
drawn = [e for e in elements if e.get("class") == sys.argv[2] and e.get("height") != "10"]
assert all(len(e) == 1 and e[0].text for e in drawn)
print(len(drawn))
PY
}

write_job backup <<'EOF'
OnCalendar=02:30
Command=/bin/true
EOF
write_job grid <<'EOF'
Every=10min
Mode=fixed-rate
Timeout=15min
Command=/bin/true
EOF
write_job never <<'EOF'
OnCalendar=2099-01-01
Command=/bin/true
EOF
simulate_files 0 --from=@2079254500 --to=@2079340900 --took=1h --timeline
diff - <(printf '%s\n' "$said") <<'EOF' || die "another screen"
Wed 2035-11-21 10:41:40 UTC to Thu 2035-11-22 10:41:40 UTC; 22min 51s a column
JOB                 12:00           18:00          Thu 22          06:00
backup              .               .              .      +---     .
grid             xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
never               .               .              .               .
Signs: + ran, ! missed, x failed, - a run goes on
3 jobs: 74 runs, 72 failed; slots missed: 72.
As if all began anew at Wed 2035-11-21 10:41:40 UTC; each run takes 1h.
EOF
LC_ALL=C.UTF-8 simulate_files 0 --from=@2079254500 --to=@2079340900 --took=1h --timeline backup
assert_contains "UTF-8" "+──" "$said"
simulate_files 0 --from=@2079254500 --to=@2079340900 --timeline --no-legend never
assert_equal "rows" 1 "$(grep -c '^never ' <<<"$said")"

# as a picture: to a file, beside the screen, to standard output; as a whole or not at all
simulate_files 0 --from=@2079254500 --to=@2079261700 --took=15min "--svg=$T/day.svg" grid
assert_equal "slots" "7 6" "$(marks "$T/day.svg" ran) $(marks "$T/day.svg" missed)"
simulate_files 0 --from=@2079254500 --to=@2079261700 --took=15min --timeline "--svg=$T/day.svg" grid
assert_contains "the screen" "JOB" "$said"
simulate_files 0 --from=@2079254500 --to=@2079261700 --took=15min --svg=- grid
printf '%s\n' "$said" | cmp - "$T/day.svg" || die "another picture on standard output"
simulate_files 0 --from=@2079254500 --to=@2079261700 --took=15min --json=short "--svg=$T/both.svg" grid
assert_equal "lines" 13 "$(grep -c '^{"job":"grid"' <<<"$said")"
cmp "$T/both.svg" "$T/day.svg" || die "another picture beside JSON"
simulate_files 0 --from=@2079254500 --to=@2110790500 "--svg=$T/year.svg" grid
assert_equal "bars of a year" 240 "$(marks "$T/year.svg" ran)"
simulate_files 2 --svg=- --json
simulate_files 2 --svg=- --timeline
mkfifo "$T/fifo"
ln -s "$T/day.svg" "$T/link.svg"
for other in fifo link.svg jobs; do
        simulate_files 1 "--svg=$T/$other"
        grep -q "no regular file" "$T/err" || die "$other: $(cat "$T/err")"
done
simulate_files 1 "--svg=$T/nowhere/day.svg"
assert_equal "what is left" "both.svg day.svg link.svg year.svg" "$(cd "$T" && echo *.svg*)"
rm "$T/jobs"/*.ini

# what was is in the ledger
write_job slow <<'EOF'
Every=1h
Script=sleep 0.3; exit 3
EOF
write_job often <<'EOF'
Every=100ms
Mode=fixed-rate
History=2
Log=summary
Command=/bin/true
EOF
start_daemon "--state=$T/state"
wait_event failed slow
expect_ctl 0 simulate --timeline slow
assert_contains "a run that failed" "x failed" "$said"
assert_contains "where it comes from" "Up to now as the ledger has it; then" "$(tr '\n' ' ' <<<"$said")"
expect_ctl 0 simulate --timeline --from=-1h --to=now slow
assert_contains "the past only" "1 job: 1 run, 1 failed." "$said"
assert_contains "where it comes from" "Up to now as the ledger has it." "$said"
expect_ctl 0 simulate --timeline --json=short --from=-1h slow
assert_equal "the run of the ledger" failed "$(jq -rs '.[0].result' <<<"$said")"

# of runs that are no longer kept the slots are drawn
is_trimmed() { expect_ctl 0 history often --json && (($(jq '.runs | length' <<<"$said") < 8)); }
has_slots() { expect_ctl 0 audit often --json && (($(jq '.[0].ran' <<<"$said") >= 10)); }
until_true 10 has_slots
until_true 10 is_trimmed
expect_ctl 0 simulate --timeline --from=-1h --to=now often
read -r _ _ n _ <<<"$(grep '^1 job: ' <<<"$said")"
((n >= 10)) || die "only the runs that are kept: $said"
expect_ctl 0 simulate --timeline --from=-1h --to=now often --json
(($(jq -s 'map(select(.runId and .outcome == null)) | length' <<<"$said") < n)) || die "slots as runs: $said"
stop_daemon

# without a ledger
start_daemon --state=
expect_ctl 0 simulate --timeline --from=-1h slow
assert_contains "the source" "From now on as chimed would go on" "$said"
stop_daemon
