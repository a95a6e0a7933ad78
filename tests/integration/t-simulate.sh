#!/bin/bash
# SPDX-License-Identifier: MIT
# simulate: the real engine on a clock of its own, with the job files as they are; durations as given, or as a running chimed knows them.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

export TZ=UTC COLUMNS=80 NO_COLOR=1
count() { jq -c "select($1)" <<<"$said" | wc -l; } # CONDITION
missed() { jq -s 'map(select(.outcome == "missed" and .reason == "overlap").count) | add' <<<"$said"; }

# timeline V1: of 10 s, runs of 25 s take every third slot, runs of 20 s every second
write_job grid <<'EOF'
Every=10s
Mode=fixed-rate
Command=/bin/true
EOF
simulate_files 0 --from=@1795257700 --to=@1795261300 --took=25s --json=short
assert_equal "runs of 25 s" "121 240" "$(count .startUsec) $(missed)"
simulate_files 0 --from=@1795257700 --to=@1795261300 --took=20s --json
assert_equal "runs of 20 s" "181 180" "$(count .startUsec) $(missed)"
simulate_files 0 --from=@1795257700 --to=@1795257735 --took=25s
diff - <(printf '%s\n' "$said") <<'EOF' || die "another screen"
TIME          JOB   RUN  TOOK  RESULT     NOTE
Sat 10:41:40  grid    1  25s   success
Sat 10:41:50  grid    -  -     missed 2x  to Sat 10:42:00: overlap
Sat 10:42:10  grid    2  5s    running
2 runs: 1 good, 0 failed; slots missed: 2.
As if all began anew at Sat 2026-11-21 10:41:40 UTC; each run takes 25s.
EOF

# a time limit ends a run; a fixed delay counts from there; nothing is run at all
write_job limit <<EOF
Every=1min
Timeout=30s
Command=/usr/bin/touch $T/out/ran
EOF
simulate_files 0 --from=@1795257600 --to=@1795257890 --took=1h --json limit
assert_equal "runs with a limit" "3 1" \
        "$(count '.result == "timeout" and .endUsec - .startUsec == 30000000') $(count '.runId and .result == null')"
[ ! -e "$T/out/ran" ] || die "something ran"
rm "$T/jobs/limit.ini"

# what happens over the week-ends on which the clock is changed?
write_job gap <<'EOF'
OnCalendar=02:30 Europe/Berlin
Command=/bin/true
EOF
write_job both <<'EOF'
Cron=30 2 * * *
TimeZone=Europe/Berlin
Gap=skip
Fold=both
Command=/bin/true
EOF
slots() { jq -r "select(.job == \"$1\") | (.slotUsec // .firstSlotUsec) / 1000000 | todate[8:16]" <<<"$said" | sort | paste -sd ' '; } # JOB
simulate_files 0 --from=2027-03-27 --to=2027-03-30 --json gap both
assert_equal "forward" "27T01:30 28T01:00 29T00:30, 27T01:30 29T00:30" "$(slots gap), $(slots both)"
simulate_files 0 --from=2027-10-29 --to=2027-11-01 --took=3h --json gap both
assert_equal "back" "29T00:30 30T00:30 31T00:30, 29T00:30 30T00:30 31T00:30 31T01:30" "$(slots gap), $(slots both)"
assert_equal "the second time" 1 "$(count '.outcome == "missed" and .job == "both"')"
rm "$T/jobs/gap.ini" "$T/jobs/both.ini"

# grids stay on the clock of their zone, alone and beside calendars
write_job weeks <<'EOF'
Every=2w
Mode=fixed-rate
Align=2026-03-16 09:00
TimeZone=Europe/Berlin
Command=/bin/true
EOF
write_job mix <<'EOF'
Every=6h
Mode=fixed-rate
Align=day
OnCalendar=12:00
OnCalendar=12:30
TimeZone=Europe/Berlin
Command=/bin/true
EOF
simulate_files 0 --from=2026-03-15 --to=2026-04-01 --json weeks
assert_equal "weeks" "16T08:00 30T07:00" "$(slots weeks)"
simulate_files 0 --from=2026-03-28T22:00:00Z --to=2026-03-29T21:30:00Z --json mix
assert_equal "beside calendars" "28T23:00 29T04:00 29T10:00 29T10:30 29T16:00" "$(slots mix)"
rm "$T/jobs/weeks.ini" "$T/jobs/mix.ini"

# durations of a chimed that runs
write_job slow <<'EOF'
Every=1h
Script=sleep 0.3
EOF
write_job varies <<EOF
Every=1h
InitialDelay=30min
Script=echo >>$T/out/varies; [ "\$(wc -l <$T/out/varies)" -gt 2 ] || sleep 0.5
EOF
start_daemon "--state=$T/state"
wait_event ended slow
for _ in 1 2 3; do
        expect_ctl 0 trigger varies --wait
done
expect_ctl 0 simulate --from=@1795257600 --to=@1795265000 slow --json
took=$(jq -s '.[0].endUsec - .[0].startUsec' <<<"$said")
((took >= 300000 && took < 3000000)) || die "a run takes $took us"
expect_ctl 0 simulate --to=+1h slow
assert_contains "the last line" "From now on as chimed would go on; runs take as long as the latest ones." "$said"

expect_ctl 0 simulate --to=+2h varies --json
took=$(jq -s '.[0].endUsec - .[0].startUsec' <<<"$said")
((took >= 500000)) || die "a run takes $took us, as the latest and not as most"

# from the state that it is in: held jobs do not run, intervals go on from where they are; nothing of it happens
expect_ctl 0 show slow --json
next=$(jq .nextSlotUsec <<<"$said")
expect_ctl 0 simulate --to=+3h slow --json
off=$(($(jq -s '.[0].slotUsec' <<<"$said") - next)) # two clocks are not read in one instant
((off > -1000 && off < 1000)) || die "the first slot is $off us off"
expect_ctl 0 pause slow --for=90min
expect_ctl 0 simulate --to=+3h --json
assert_equal "a pause" "withheld paused" "$(jq -r 'select(.job == "slow" and .outcome) | .outcome + " " + .reason' <<<"$said")"
expect_ctl 0 simulate --to=+3h --json --took=20s grid
((${#said} > 0)) || die "the other job does not run"
[ "$(count '.job == "slow"')" = 0 ] || die "another job than the one that was named"
expect_ctl 0 simulate --to=+3h "--jobs=$T/jobs" --json slow
assert_equal "files" 3 "$(count .startUsec)"
expect_ctl 4 simulate --to=+3h nothing-like-it
expect_ctl 0 show slow --json
assert_equal "runs of the job" 1 "$(jq .runs <<<"$said")"
stop_daemon

# broken files are told, and the others are simulated; too much for a screen; no such job; usage
write_job broken <<<"Every=soon"
simulate_files 0 --to=+1min grid
grep -q "broken.ini:2:7" "$T/err" || die "nothing tells of the broken file"
rm "$T/jobs/broken.ini"
simulate_files 1 --to=+10000d grid
assert_equal "rows" 10000 "$(grep -c ' grid ' <<<"$said")"
grep -q "first 10000 rows" "$T/err" || die "$(cat "$T/err")"
simulate_files 4 nothing-like-it
simulate_files 2 --from=tomorrow --to=yesterday
simulate_files 2 --took=long
