// SPDX-License-Identifier: MIT
// What is told in words, row by row: schedules, why there is no next slot, how a job stands, what became of a slot.

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/core/util.h"
#include "daemon/scheduler/control_words.h"
#include "tests/unit/run_suite.h"

#define NOON INT64_C(1795262400000000) /* 2026-11-21T12:00:00Z */
#define HOUR (3600 * USEC_PER_SEC)

static struct zones zones;
static struct agendas agendas = {.find_zone = zones_find_for_agendas, .userdata = &zones};

static struct job_when parse(const char *text) {
        struct job_when when;
        char *description;
        ck_assert_msg(job_when_parse(text, strlen(text), &agendas, &when, &description) == 0, "%s", text);
        free(description);
        return when;
}

static const struct {
        const char *when, *words;
} schedules[] = {
        {"", "on demand"},
        {"OnBoot=yes\n", "at boot"},
        {"OnBoot=30s\n", "30s after boot"},
        {"Every=10s\n", "every 10s"},
        {"Every=90s\n", "every 1min 30s"},
        {"Every=10s\nMode=fixed-rate\n", "every 10s, fixed rate"},
        {"Every=1h\nMode=fixed-rate\nAlign=epoch\n", "every 1h, fixed rate from the epoch"},
        {"Every=2w\nMode=fixed-rate\nAlign=2026-03-16 09:00\nTimeZone=Europe/Berlin\n",
         "every 2w, fixed rate from 2026-03-16 09:00 Europe/Berlin"},
        {"Every=30min\nMode=fixed-rate\nAlign=day\nTimeZone=Europe/Berlin\n",
         "every 30min, fixed rate from midnight Europe/Berlin"},
        {"Every=2h\nMode=fixed-rate\nOnCalendar=09:15\nTimeZone=Europe/Berlin\n", "every 2h, fixed rate, 09:15 Europe/Berlin"},
        {"Every=1h\nMode=fixed-rate\nAlign=@1795262400\n", "every 1h, fixed rate from 2026-11-21T12:00:00Z"},
        {"Every=1min\nJitter=10%\n", "every 1min ± 10%"},
        {"Every=1h\nMode=fixed-rate\nRandomizedDelay=5min\n", "every 1h, fixed rate, up to 5min late"},
        {"Every=1h\nMode=fixed-rate\nRandomizedDelay=25%\n", "every 1h, fixed rate, up to 25% late"},
        {"OnBoot=yes\nEvery=1h\n", "at boot, every 1h"},
        {"OnCalendar=Mon..Fri 02:30\nTimeZone=Europe/Berlin\n", "Mon..Fri 02:30 Europe/Berlin"},
        {"OnBoot=yes\nOnCalendar=daily\nCron=0 3 * * 1\nTimeZone=UTC\nRandomizedDelay=5min\n",
         "at boot, 00:00 UTC, cron 0 3 * * 1 UTC, up to 5min late"},
        {"OnCalendar=02:30\nRandomizedDelay=5min\nOnly=work: Mon..Fri\nExcept=holidays: 2026-12-24\nTimeZone=UTC\n",
         "02:30 UTC, up to 5min late; only on work, not on holidays"},
        {"Except=holidays: 2026-12-24\n", "on demand"},
};

START_TEST(a_schedule_has_words) {
        char buf[WORDS_SCHEDULE_MAX];
        struct job_when when = parse(schedules[_i].when);
        ck_assert_str_eq(words_schedule(&when, buf), schedules[_i].words);
        job_when_done(&when);
}
END_TEST

START_TEST(what_is_longer_than_the_room_ends_with_an_ellipsis) {
        char text[2000] = "", buf[WORDS_SCHEDULE_MAX];
        for (int i = 0; i < 20; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "OnCalendar=2026-12-%02d 18:00 UTC\n", i + 1);
        strcat(text, "RandomizedDelay=5min\n");
        for (int i = 0; i < 10; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "Except=a-calendar-with-a-name-%d: Sat\n", i);
        struct job_when when = parse(text);
        words_schedule(&when, buf);
        ck_assert_msg(strncmp(buf, "2026-12-01 18:00 UTC, 2026-12-02 18:00 UTC, ", 44) == 0, "%s", buf);
        ck_assert_msg(strstr(buf, "..., up to 5min late; not on a-calendar-with-a-name-0 or ") != NULL, "%s", buf);
        ck_assert_uint_eq(strlen(buf), WORDS_SCHEDULE_MAX - 1);
        ck_assert_str_eq(buf + strlen(buf) - 3, "...");
        job_when_done(&when);
}
END_TEST

/* ---- why ---- */

static const struct book_run
        good = {.run = {.run = 8, .slot_rt_us = NOON - 2 * HOUR, .lag_us = 1500},
                .end = {.result = RUN_RESULT_SUCCESS, .start_rt_us = NOON - 2 * HOUR, .end_rt_us = NOON - 2 * HOUR + 5}},
        failed = {.run = {.run = 9, .slot_rt_us = NOON - HOUR},
                  .end = {.result = RUN_RESULT_FAILED, .exit_code = 3, .start_rt_us = NOON - HOUR, .end_rt_us = NOON - HOUR}},
        killed = {.run = {.run = 7, .slot_rt_us = NOON - 3 * HOUR},
                  .end = {.result = RUN_RESULT_SIGNAL, .signal = 11, .end_rt_us = NOON - HOUR}},
        no_start = {.run = {.run = 9, .slot_rt_us = NOON - HOUR},
                    .end = {.result = RUN_RESULT_START_FAILED,
                            .step = RUN_STEP_WORKING_DIRECTORY,
                            .error = 2,
                            .end_rt_us = NOON - HOUR}},
        flying = {.run = {.run = 10,
                          .cause = RUN_CAUSE_TRIGGER,
                          .item = WIRE_ITEM_TRIGGER,
                          .start_rt_us = NOON - 90 * USEC_PER_SEC,
                          .start_bt_us = 10 * USEC_PER_SEC}};
static struct book_range missed[] = {
        {.outcome = SLOT_MERGED, .n = 2, .first_rt_us = NOON - 5 * HOUR, .last_rt_us = NOON - 4 * HOUR, .run = 8},
        {.outcome = SLOT_MISSED,
         .reason = SLOT_REASON_DOWN,
         .n = 3,
         .first_rt_us = NOON - 9 * HOUR,
         .last_rt_us = NOON - 7 * HOUR},
        {.outcome = SLOT_MISSED,
         .reason = SLOT_REASON_OVERLAP,
         .n = 1,
         .first_rt_us = NOON - 20 * HOUR,
         .last_rt_us = NOON - 20 * HOUR},
};

static const struct job_retry second = {.attempt = 2,
                                        .run = 9,
                                        .result = RUN_RESULT_FAILED,
                                        .exit_code = 3,
                                        .at_bt_us = 400 * USEC_PER_SEC},
                              third = {.attempt = 3, .run = 9, .result = RUN_RESULT_TIMEOUT, .at_bt_us = 160 * USEC_PER_SEC},
                              again = {.attempt = 1, .is_short = true, .run = 9, .at_bt_us = 104 * USEC_PER_SEC};

static const struct {
        const char *what, *when;
        struct job_view view;
        struct book_job book;
        int64_t next_us;
        const char *sentences; /* joined by "|" */
        const char *reason;
} whys[] = {
        {"all is well",
         "Every=1h\n",
         {.status = JOB_STATUS_WAITING},
         {0},
         NOON + HOUR + 1234567,
         "Nothing is wrong now. Next: 2026-11-21T13:00:01.234567Z, in 1h.",
         NULL},
        {"in flight",
         "Every=1h\n",
         {.status = JOB_STATUS_RUNNING, .run = &flying.run},
         {.last = &flying},
         INT64_MAX,
         "Run 10 is in flight since 2026-11-21T11:58:30Z, for 1min 30s (trigger).|Nothing is wrong now. Next: 1h after the end "
         "of "
         "the run in flight.",
         NULL},
        {"waits",
         "Every=1h\nMode=fixed-rate\n",
         {.status = JOB_STATUS_PENDING,
          .run = &flying.run,
          .pending_run = 11,
          .is_pending_slot = true,
          .n_line = 1,
          .line_slot_rt_us = NOON - HOUR},
         {.last = &flying},
         NOON + 60 * USEC_PER_SEC,
         "Run 10 is in flight since 2026-11-21T11:58:30Z, for 1min 30s (trigger).|The slot of "
         "2026-11-21T11:00:00Z waits for its end, as run 11 with a trigger.|Nothing is "
         "wrong now. Next: 2026-11-21T12:01:00Z, in 1min.",
         NULL},
        {"missed long ago",
         "Every=1h\n",
         {.status = JOB_STATUS_WAITING},
         {.counts = {.missed = 5}},
         NOON + HOUR,
         "5 of its slots were missed so far: chimectl history backup|Nothing is wrong now. Next: "
         "2026-11-21T13:00:00Z, in 1h.",
         NULL},
        {"manual",
         "",
         {.status = JOB_STATUS_MANUAL},
         {0},
         INT64_MAX,
         "It runs on demand only: chimectl trigger backup",
         "manual"},
        {"closed",
         "Every=1h\nExcept=weekend: Sat Sun\nTimeZone=UTC\n",
         {.status = JOB_STATUS_WAITING},
         {0},
         NOON + 36 * HOUR,
         "The calendar weekend leaves out this day: its slots are withheld.|Next: 2026-11-23T00:00:00Z, in 1d 12h.",
         "calendar"},
        {"a second attempt",
         "Every=1h\nRetries=3\n",
         {.status = JOB_STATUS_PENDING, .retry = &second},
         {0},
         NOON + HOUR,
         "Run 9 failed (exit status 3): attempt 2 of 4 comes at 2026-11-21T12:05:00Z, in 5min.|Next: 2026-11-21T13:00:00Z, in "
         "1h.",
         "retry"},
        {"a third attempt",
         "Every=1h\nRetries=2\n",
         {.status = JOB_STATUS_PENDING, .retry = &third},
         {0},
         NOON + HOUR,
         "Run 9 failed (ended by its Timeout=): attempt 3 of 3 comes at 2026-11-21T12:01:00Z, in 1min.|Next: "
         "2026-11-21T13:00:00Z, "
         "in "
         "1h.",
         "retry"},
        {"no process",
         "Every=1h\n",
         {.status = JOB_STATUS_PENDING, .retry = &again},
         {0},
         NOON + HOUR,
         "Run 9 could not be started for lack of processes, memory or descriptors: it is tried again at 2026-11-21T12:00:04Z, "
         "in "
         "4s.|Next: 2026-11-21T13:00:00Z, in 1h.",
         "retry"},
        {"stopped",
         "Every=1h\nStopAfterFailures=3\n",
         {.status = JOB_STATUS_FAILED, .is_failed = true},
         {0},
         INT64_MAX,
         "It was stopped: it failed in 3 slots in a row, as many as StopAfterFailures= allows.|When the cause is gone: "
         "chimectl "
         "start backup",
         "failed"},
        {"overdue",
         "Every=1h\nExpectWithin=26h\n",
         {.status = JOB_STATUS_WAITING, .is_overdue = true, .good_rt_us = NOON - 30 * HOUR},
         {0},
         NOON + HOUR,
         "It is overdue: no good run since 2026-11-20T06:00:00Z, for 1d 6h, and ExpectWithin= says 1d 2h.|Next: "
         "2026-11-21T13:00:00Z, in 1h.",
         "overdue"},
        {"finished",
         "Every=1h\nMaxRuns=3\n",
         {.status = JOB_STATUS_FINISHED, .is_finished = true, .end = JOB_END_RUNS},
         {0},
         INT64_MAX,
         "Its schedule is over: it has had as many runs as MaxRuns=3 allows.|It will not run again until: chimectl start "
         "backup",
         "finished"},
        {"disabled",
         "Every=1h\nEnabled=no\n",
         {.status = JOB_STATUS_DISABLED},
         {0},
         INT64_MAX,
         "It never runs by itself: its definition says Enabled=no. Once, now: chimectl trigger --force backup",
         "disabled"},
        {"paused",
         "Every=1h\n",
         {.status = JOB_STATUS_PAUSED, .is_paused = true},
         {.hold = {.by = (char *)"ops", .reason = (char *)"disk full", .at_rt_us = NOON - HOUR, .until_rt_us = NOON + HOUR}},
         INT64_MAX,
         "It was paused by ops at 2026-11-21T11:00:00Z, until 2026-11-21T13:00:00Z: disk full.|It goes on with: chimectl "
         "resume "
         "backup",
         "paused"},
        {"cancelled",
         "Every=1h\n",
         {.status = JOB_STATUS_CANCELLED, .is_cancelled = true},
         {.hold = {.by = (char *)"root", .at_rt_us = NOON, .until_rt_us = INT64_MAX}},
         INT64_MAX,
         "It was cancelled by root at 2026-11-21T12:00:00Z.|It will not run again until: chimectl start backup",
         "cancelled"},
        {"missed",
         "Every=1h\n",
         {.status = JOB_STATUS_WAITING},
         {.last = &good, .last_good = &good, .recent = missed, .n_recent = 3},
         NOON + HOUR,
         "3 slots from 2026-11-21T03:00:00Z to 2026-11-21T05:00:00Z were missed: chimed was not running.|Nothing is wrong now. "
         "Next: 2026-11-21T13:00:00Z, in 1h.",
         NULL},
        {"failing",
         "Every=1h\n",
         {.status = JOB_STATUS_WAITING},
         {.last = &failed, .last_good = &good, .last_failure = &failed, .counts = {.failures_in_row = 2}},
         NOON + HOUR,
         "Run 9 failed at 2026-11-21T11:00:00Z: exit status 3.|It has failed 2 times in a row.|Next: 2026-11-21T13:00:00Z, in "
         "1h.",
         NULL},
        {"failed before",
         "Every=1h\n",
         {.status = JOB_STATUS_WAITING},
         {.last = &good, .last_good = &good, .last_failure = &killed},
         NOON + HOUR,
         "Run 7 failed at 2026-11-21T11:00:00Z: killed by SIGSEGV.|Run 8 after it was good.|Nothing is wrong now. Next: "
         "2026-11-21T13:00:00Z, in 1h.",
         NULL},
        {"did not start",
         "Every=1h\n",
         {.status = JOB_STATUS_WAITING},
         {.last = &no_start, .last_failure = &no_start, .counts = {.failures_in_row = 1}},
         NOON + HOUR,
         "Run 9 failed at 2026-11-21T11:00:00Z: could not start: working-directory: No such file or directory.|Next: "
         "2026-11-21T13:00:00Z, in "
         "1h.",
         NULL},
};

static void join(const struct words_answer *answer, char buf[static 4096]) {
        buf[0] = '\0';
        for (size_t i = 0; i < answer->n; i++) {
                strcat(buf, i > 0 ? "|" : "");
                strcat(buf, answer->sentences[i]);
        }
}

static const struct book_run skipped = {.run = {.run = 11, .slot_rt_us = NOON - HOUR},
                                        .end = {.result = RUN_RESULT_SKIPPED, .end_rt_us = NOON - HOUR}},
                             child = {.run = {.run = 12, .slot_rt_us = NOON - 2 * HOUR, .parent = {.run = 8}},
                                      .end = {.result = RUN_RESULT_SUCCESS, .end_rt_us = NOON - HOUR}};

static const struct {
        const char *what;
        uint32_t events;
        struct book_job parent, book;
        const char *sentences;
} followed[] = {
        {"nothing yet", 1 << RUN_EVENT_SUCCESS, {0}, {0}, "It follows dump: a slot comes of each good end."},
        {"it came",
         1 << RUN_EVENT_SUCCESS,
         {.last = &good},
         {.last = &child},
         "It follows dump: a slot comes of each good end.|Run 12 came of run 8 of dump."},
        {"it failed",
         1 << RUN_EVENT_SUCCESS,
         {.last = &failed},
         {.last = &child},
         "It follows dump: a slot comes of each good end.|Run 9 of dump ended at 2026-11-21T11:00:00Z: exit status 3; no run "
         "comes "
         "of "
         "that."},
        {"it was skipped",
         1 << RUN_EVENT_SUCCESS | 1 << RUN_EVENT_END,
         {.last = &skipped},
         {0},
         "It follows dump: a slot comes of each end.|Run 11 of dump ended at 2026-11-21T11:00:00Z: nothing to do "
         "(SkipExitStatus=); no run comes of that."},
        {"it is in flight",
         1 << RUN_EVENT_FAILURE,
         {.last = &flying},
         {0},
         "It follows dump: a slot comes of each failure.|Run 10 of dump is in flight: its end decides."},
        {"it was missed",
         1 << RUN_EVENT_SUCCESS,
         {.recent = &missed[1], .n_recent = 1},
         {0},
         "It follows dump: a slot comes of each good end.|The slot of dump of 2026-11-21T05:00:00Z was missed, so no run came "
         "of "
         "it: "
         "chimed was not running."},
};

START_TEST(why_says_what_has_come_of_a_parent) {
        static struct words_answer answer;
        char buf[4096];
        struct job_when when = parse("");
        struct words_facts facts = {.job = "copy",
                                    .now = {.rt_us = NOON, .bt_us = 100 * USEC_PER_SEC},
                                    .view = {.status = JOB_STATUS_WAITING},
                                    .when = &when,
                                    .book = &followed[_i].book,
                                    .next_slot_rt_us = INT64_MAX,
                                    .parents = {{"dump", followed[_i].events, &followed[_i].parent}},
                                    .n_parents = 1};
        words_why(&facts, &answer);
        join(&answer, buf);
        ck_assert_msg(strcmp(buf, followed[_i].sentences) == 0, "%s: %s", followed[_i].what, buf);
        job_when_done(&when);
}
END_TEST

START_TEST(why_says_how_a_job_stands) {
        static struct words_answer answer;
        char buf[4096];
        struct job_when when = parse(whys[_i].when);
        struct words_facts facts = {.job = "backup",
                                    .now = {.rt_us = NOON, .bt_us = 100 * USEC_PER_SEC},
                                    .view = whys[_i].view,
                                    .when = &when,
                                    .book = &whys[_i].book,
                                    .next_slot_rt_us = whys[_i].next_us};
        words_why(&facts, &answer);
        join(&answer, buf);
        ck_assert_msg(strcmp(buf, whys[_i].sentences) == 0, "%s: %s", whys[_i].what, buf);
        ck_assert_msg(!answer.reason == !whys[_i].reason && (!answer.reason || strcmp(answer.reason, whys[_i].reason) == 0),
                      "%s: %s", whys[_i].what, answer.reason ? answer.reason : "none");
        ck_assert_msg((answer.slots != NULL) == (whys[_i].book.n_recent > 0), "%s", whys[_i].what);
}
END_TEST

static const struct {
        int64_t slot_us;
        const char *sentence;
        const char *reason;
        uint64_t run;
} slots[] = {
        {NOON - 2 * HOUR, "Run 8 ran for it at its time; it ended at 2026-11-21T10:00:00.000005Z: success.", NULL, 8},
        {NOON - HOUR, "Run 9 ran for it at its time; it ended at 2026-11-21T11:00:00Z: exit status 3.", NULL, 9},
        {NOON - 20 * HOUR, "The slot of 2026-11-20T16:00:00Z was missed: the run before was still in flight.", "overlap", 0},
        {NOON - 8 * HOUR, "3 slots from 2026-11-21T03:00:00Z to 2026-11-21T05:00:00Z were missed: chimed was not running.",
         "down", 0},
        {NOON - 5 * HOUR, "2 slots from 2026-11-21T07:00:00Z to 2026-11-21T08:00:00Z went into run 8.", NULL, 0},
        {NOON - 30 * HOUR, "Nothing is known of that slot: chimed keeps the latest 8 ranges since it was started.", NULL, 0},
        {NOON + HOUR, "It has not come yet: it is the next slot.", NULL, 0},
        {NOON + 2 * HOUR, "2026-11-21T14:00:00Z has not come yet.", NULL, 0},
        {INT64_MIN, "Nothing is known of that slot: chimed keeps the latest 8 ranges since it was started.", NULL, 0},
};

static const struct {
        struct job_view view;
        struct words_place place;
        const char *sentences;
} places[] = {
        {{.status = JOB_STATUS_PENDING, .is_pending_slot = true},
         {{.group = "disk",
           .pool = {.max_running = 2, .n_running = 2, .n_waiting = 3},
           .is_full = true,
           .n_before = 2,
           .since_bt_us = 40 * USEC_PER_SEC,
           .until_bt_us = 700 * USEC_PER_SEC,
           .n_runners = 2},
          {"copy", "mirror"}},
         "A slot waits for a place in the group disk, where 2 of 2 places (MaxRunning=) are taken, by copy and mirror.|It is "
         "number 3 "
         "of "
         "those who wait, for 1min so far, and waits until 2026-11-21T12:10:00Z at most.|Next: 2026-11-21T13:00:00Z, in 1h."},
        {{.status = JOB_STATUS_PENDING},
         {{.pool = {.max_running = 5, .n_running = 5, .n_waiting = 1},
           .is_full = true,
           .since_bt_us = 40 * USEC_PER_SEC,
           .until_bt_us = INT64_MAX,
           .n_runners = 2},
          {"copy", "mirror"}},
         "A trigger waits for a place among all jobs, where 5 of 5 places (MaxRunning=) are taken, by copy, mirror and "
         "others.|Its "
         "turn is "
         "next; it has waited for 1min.|Next: 2026-11-21T13:00:00Z, in 1h."},
        {{.status = JOB_STATUS_PENDING, .retry = &second},
         {{.group = "disk",
           .pool = {.max_running = 2, .n_running = 1, .n_waiting = 2},
           .n_before = 1,
           .since_bt_us = 40 * USEC_PER_SEC,
           .until_bt_us = INT64_MAX,
           .n_runners = 1},
          {"copy"}},
         "An attempt waits for a place in the group disk, where 1 of 2 places (MaxRunning=) are taken, by copy.|The free place "
         "is "
         "kept "
         "for "
         "a job that is before it and needs one in another group, too.|It is number 2 of those who wait, for 1min so "
         "far.|Next: "
         "2026-11-21T13:00:00Z, in 1h."},
};

START_TEST(why_says_which_place_is_waited_for) {
        static struct words_answer answer;
        char buf[4096];
        struct job_when when = parse("Every=1h\n");
        struct words_facts facts = {.job = "backup",
                                    .now = {.rt_us = NOON, .bt_us = 100 * USEC_PER_SEC},
                                    .view = places[_i].view,
                                    .when = &when,
                                    .next_slot_rt_us = NOON + HOUR,
                                    .has_place = true,
                                    .place = places[_i].place};
        words_why(&facts, &answer);
        join(&answer, buf);
        ck_assert_str_eq(buf, places[_i].sentences);
        ck_assert_str_eq(answer.reason, "pool");
        job_when_done(&when);
}
END_TEST

START_TEST(why_says_what_became_of_a_slot) {
        static struct words_answer answer;
        char buf[4096];
        struct job_when when = parse("Every=1h\n");
        struct book_job book = {.last = &failed, .last_good = &good, .last_failure = &failed, .recent = missed, .n_recent = 3};
        struct words_facts facts = {
                .job = "backup", .now = {.rt_us = NOON}, .when = &when, .book = &book, .next_slot_rt_us = NOON + HOUR};
        words_why_slot(&facts, slots[_i].slot_us, &answer);
        join(&answer, buf);
        ck_assert_str_eq(buf, slots[_i].sentence);
        ck_assert_str_eq(answer.reason ? answer.reason : "", slots[_i].reason ? slots[_i].reason : "");
        ck_assert_uint_eq(answer.run ? answer.run->run.run : 0, slots[_i].run);
}
END_TEST

/* ---- a slot of the ledger ---- */

#define MINUTE (60 * USEC_PER_SEC)

static struct ledger_range slots_of(enum slot_outcome outcome, enum slot_reason reason, int64_t n, uint64_t run) {
        return (struct ledger_range){.outcome = outcome,
                                     .reason = reason,
                                     .n = (uint64_t)n,
                                     .first_rt_us = NOON - 9 * HOUR,
                                     .last_rt_us = NOON - (10 - n) * HOUR,
                                     .run = run};
}

static struct ledger_run run_of(enum run_cause cause, int64_t lag_us, enum run_result result) {
        struct ledger_run run = {.run = {.run = 12, .cause = cause, .lag_us = lag_us, .start_rt_us = NOON - 9 * HOUR + lag_us}};
        if (result != RUN_RESULT_NONE)
                run.end = (struct run_end){.result = result,
                                           .exit_code = 3,
                                           .start_rt_us = run.run.start_rt_us,
                                           .end_rt_us = run.run.start_rt_us + MINUTE};
        return run;
}

/* All of them are asked for NOON - 9 h, where the first slot of the row is. */
static const struct {
        const char *what;
        enum slot_outcome outcome;
        enum slot_reason reason;
        int n;
        int cause; /* of the run; -1: none is known */
        int64_t lag_us;
        enum run_result result;
        int clock; /* -1: none */
        bool is_booted;
        int n_merged;
        const char *sentences; /* between the first and the last one; joined by "|" */
        const char *reason_word;
} pasts[] = {
        {"ran", SLOT_RAN, 0, 1, RUN_CAUSE_SCHEDULE, 70, RUN_RESULT_SUCCESS, -1, false, 0,
         "2026-11-21T03:00:00Z ran at its time.|Run 12 began at 2026-11-21T03:00:00.00007Z: success.", NULL},
        {"is in flight", SLOT_RAN, 0, 1, RUN_CAUSE_SCHEDULE, 70, RUN_RESULT_NONE, -1, false, 0,
         "2026-11-21T03:00:00Z ran at its time.|Run 12 began at 2026-11-21T03:00:00.00007Z; it is in flight.", NULL},
        {"ran, and its run is trimmed", SLOT_RAN, 0, 1, -1, 0, 0, -1, false, 0, "2026-11-21T03:00:00Z ran at its time.", NULL},
        {"queued", SLOT_RAN, 0, 1, RUN_CAUSE_SCHEDULE, 3 * MINUTE, RUN_RESULT_FAILED, -1, false, 0,
         "2026-11-21T03:00:00Z did not run at its time.|It ran in run 12 at 2026-11-21T03:03:00Z, 3min late: exit status 3.",
         NULL},
        {"caught up", SLOT_RAN, 0, 1, RUN_CAUSE_CATCH_UP, 90 * MINUTE, RUN_RESULT_SUCCESS, LEDGER_CLOCK_START, false, 2,
         "2026-11-21T03:00:00Z did not run at its time.|chimed was last heard of at 2026-11-21T02:00:00Z and was back at "
         "2026-11-21T04:00:00Z (2h later).|It was caught up in run 12 at 2026-11-21T04:30:00Z, 1h 30min late: success.|2 slots "
         "before "
         "it, from 2026-11-21T03:00:00Z to 2026-11-21T04:00:00Z, went into the same run.",
         NULL},
        {"merged", SLOT_MERGED, SLOT_REASON_SUSPENDED, 3, RUN_CAUSE_CATCH_UP, 90 * MINUTE, RUN_RESULT_SUCCESS,
         LEDGER_CLOCK_RESUME, false, 0,
         "2026-11-21T03:00:00Z did not run at its time.|The machine slept from 2026-11-21T02:00:00Z to 2026-11-21T04:00:00Z "
         "(2h).|It "
         "was merged into run 12 at 2026-11-21T04:30:00Z: success.|So it was with all 3 slots from 2026-11-21T03:00:00Z to "
         "2026-11-21T05:00:00Z.",
         "suspended"},
        {"overlap", SLOT_MISSED, SLOT_REASON_OVERLAP, 1, RUN_CAUSE_SCHEDULE, -5 * MINUTE, RUN_RESULT_SUCCESS, -1, false, 0,
         "2026-11-21T03:00:00Z did not run at its time.|Run 12 was in flight, from 2026-11-21T02:55:00Z to "
         "2026-11-21T02:56:00Z.",
         "overlap"},
        {"still overlapped", SLOT_MISSED, SLOT_REASON_OVERLAP, 1, RUN_CAUSE_SCHEDULE, -5 * MINUTE, RUN_RESULT_NONE, -1, false,
         0, "2026-11-21T03:00:00Z did not run at its time.|Run 12 was in flight since 2026-11-21T02:55:00Z, and still is.",
         "overlap"},
        {"down over a boot", SLOT_MISSED, SLOT_REASON_DOWN, 1, -1, 0, 0, LEDGER_CLOCK_START, true, 0,
         "2026-11-21T03:00:00Z did not run at its time.|The machine was last heard of at 2026-11-21T02:00:00Z and came up at "
         "2026-11-21T03:50:00Z (1h 50min later).",
         "down"},
        {"down, and nothing is known of it", SLOT_MISSED, SLOT_REASON_DOWN, 1, -1, 0, 0, -1, false, 0,
         "2026-11-21T03:00:00Z did not run at its time.|The reason: chimed was not running.", "down"},
        {"a step of the clock", SLOT_MISSED, SLOT_REASON_CLOCK_STEP, 1, -1, 0, 0, LEDGER_CLOCK_STEP, false, 0,
         "2026-11-21T03:00:00Z did not run at its time.|The wall clock was set forward by 2h at 2026-11-21T02:00:00Z, over it.",
         "clock-step"},
        {"paused", SLOT_WITHHELD, SLOT_REASON_PAUSED, 2, -1, 0, 0, -1, false, 0,
         "2026-11-21T03:00:00Z did not run at its time.|The reason: the job or a group of it was paused.|So it was with all 2 "
         "slots from "
         "2026-11-21T03:00:00Z to 2026-11-21T04:00:00Z.",
         "paused"},
        {"interrupted", SLOT_INTERRUPTED, 0, 1, -1, 0, 0, LEDGER_CLOCK_START, false, 0,
         "Whether 2026-11-21T03:00:00Z ran is not known.|It was to start, and chimed and its runner died before the ledger had "
         "it.|chimed was last heard of at 2026-11-21T02:00:00Z and was back at 2026-11-21T04:00:00Z (2h later).",
         NULL},
};

START_TEST(the_ledger_says_what_became_of_a_slot) {
        static struct words_answer answer;
        char buf[4096], wanted[4096];
        struct job_when when = parse("Every=1h\n");
        struct words_facts facts = {.job = "backup", .now = {.rt_us = NOON}, .when = &when, .next_slot_rt_us = NOON + HOUR};
        struct ledger_range range = slots_of(pasts[_i].outcome, pasts[_i].reason, pasts[_i].n, 12);
        struct ledger_range merged = slots_of(SLOT_MERGED, 0, pasts[_i].n_merged, 12);
        struct ledger_run run = run_of((enum run_cause)pasts[_i].cause, pasts[_i].lag_us, pasts[_i].result);
        struct ledger_clock clock = {
                .kind = (enum ledger_clock_kind)pasts[_i].clock, .at = {.rt_us = NOON - 8 * HOUR}, .by_us = 2 * HOUR};
        struct words_past past = {
                .at_rt_us = NOON - 9 * HOUR + 5,
                .range = &range,
                .slot_rt_us = NOON - 9 * HOUR,
                .run = pasts[_i].cause < 0 ? NULL : &run,
                .clock = pasts[_i].clock < 0 ? NULL : &clock,
                .booted_rt_us = pasts[_i].is_booted ? NOON - 8 * HOUR - 10 * MINUTE : INT64_MAX,
                .merged = pasts[_i].n_merged > 0 ? &merged : NULL,
        };
        words_why_past(&facts, &past, &answer);
        join(&answer, buf);
        snprintf(wanted, sizeof(wanted), "%s|Nothing is wrong now. Next: 2026-11-21T13:00:00Z, in 1h.", pasts[_i].sentences);
        ck_assert_msg(strcmp(buf, wanted) == 0, "%s: %s", pasts[_i].what, buf);
        ck_assert_str_eq(answer.reason ? answer.reason : "", pasts[_i].reason_word ? pasts[_i].reason_word : "");
        past.at_rt_us += MINUTE; /* no slot is there: the last one before it is told */
        words_why_past(&facts, &past, &answer);
        ck_assert_str_eq(answer.sentences[0],
                         "The last slot before 2026-11-21T03:01:00.000005Z was that of 2026-11-21T03:00:00Z.");
        ck_assert(strncmp(answer.sentences[1], "It ", 3) == 0 || strncmp(answer.sentences[1], "Whether it ", 11) == 0);
}
END_TEST

START_TEST(a_hold_that_lasts_is_told_behind_the_last_slot) {
        static struct words_answer answer;
        char buf[4096];
        struct job_when when = parse("Every=1h\n");
        struct book_job book = {.hold = {.by = (char *)"ops", .at_rt_us = NOON - HOUR, .until_rt_us = INT64_MAX}};
        struct words_facts facts = {.job = "backup",
                                    .now = {.rt_us = NOON},
                                    .when = &when,
                                    .book = &book,
                                    .view = {.status = JOB_STATUS_PAUSED, .is_paused = true},
                                    .next_slot_rt_us = INT64_MAX};
        struct ledger_range range = slots_of(SLOT_RAN, 0, 1, 12);
        words_why_past(&facts, &(struct words_past){.at_rt_us = NOON, .range = &range, .slot_rt_us = NOON - 9 * HOUR}, &answer);
        join(&answer, buf);
        ck_assert_str_eq(
                buf, "The last slot before 2026-11-21T12:00:00Z was that of 2026-11-21T03:00:00Z.|It ran at its time.|It was "
                     "paused by ops at 2026-11-21T11:00:00Z.|It goes on with: chimectl resume backup");
        ck_assert_str_eq(answer.reason, "paused");
}
END_TEST

/* Who holds it: a group, and the job by itself beside. */
START_TEST(why_says_that_a_group_is_held) {
        static const struct {
                struct job_view view;
                int64_t until_bt_us;
                const char *sentences;
        } rows[] = {
                {{.status = JOB_STATUS_PAUSED, .is_paused = true},
                 INT64_MAX,
                 "Its group night was paused by ops at 2026-11-21T11:00:00Z: moving.\n"
                 "It goes on with: chimectl resume @night\n"},
                {{.status = JOB_STATUS_PAUSED, .is_paused = true},
                 HOUR,
                 "Its group night was paused by ops at 2026-11-21T11:00:00Z, until 2026-11-21T13:00:00Z: moving.\n"
                 "It goes on with: chimectl resume @night\n"},
                {{.status = JOB_STATUS_PAUSED, .is_paused = true, .is_held = true},
                 INT64_MAX,
                 "Its group night was paused by ops at 2026-11-21T11:00:00Z: moving.\n"
                 "That hold ends with: chimectl resume @night\n"
                 "It was paused by root at 2026-11-21T12:00:00Z.\n"
                 "It goes on with: chimectl resume job\n"},
        };
        struct book_job book = {.hold = {.by = (char *)"root", .at_rt_us = NOON, .until_rt_us = INT64_MAX}};
        struct group group = {.name = (char *)"night",
                              .hold = {.is_on = true,
                                       .by = (char *)"ops",
                                       .reason = (char *)"moving",
                                       .at_rt_us = NOON - HOUR,
                                       .until_bt_us = rows[_i].until_bt_us}};
        struct job_when when = parse("Every=1h\n");
        struct words_facts facts = {.job = "job",
                                    .now = {.rt_us = NOON, .bt_us = 0},
                                    .view = rows[_i].view,
                                    .when = &when,
                                    .book = &book,
                                    .group = &group,
                                    .next_slot_rt_us = INT64_MAX};
        struct words_answer answer;
        char text[1000] = "";
        words_why(&facts, &answer);
        for (size_t i = 0; i < answer.n; i++)
                snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\n", answer.sentences[i]);
        ck_assert_str_eq(text, rows[_i].sentences);
        ck_assert_str_eq(answer.reason, "paused");
}
END_TEST

START_TEST(nothing_is_known_of_what_was_before_the_ledger) {
        static struct words_answer answer;
        struct job_when when = parse("Every=1h\n");
        struct words_facts facts = {.job = "backup", .now = {.rt_us = NOON}, .when = &when, .next_slot_rt_us = INT64_MAX};
        words_why_past(&facts, &(struct words_past){.at_rt_us = NOON, .is_trimmed = _i}, &answer);
        ck_assert_uint_eq(answer.n, 1);
        ck_assert_str_eq(answer.sentences[0],
                         _i ? "Nothing is known of a slot at 2026-11-21T12:00:00Z or before it: the oldest are no longer kept."
                            : "Nothing is known of a slot at 2026-11-21T12:00:00Z or before it.");
}
END_TEST

/* ---- the next slot ---- */

static const struct job_waiting kept = {.is_slot = true, .awaits = JOB_AWAITS_CONDITION};

static const struct {
        const char *when;
        struct job_view view;
        const char *reason;
} nexts[] = {
        {"Every=1h\n", {.status = JOB_STATUS_WAITING, .next_slot_rt_us = NOON}, NULL},
        {"Every=1h\n",
         {.status = JOB_STATUS_WAITING, .next_slot_rt_us = NOON, .is_interval_set = true},
         "its interval was set by command"},
        {"Every=1h\n",
         {.status = JOB_STATUS_PAUSED, .is_paused = true, .is_held = true, .next_slot_rt_us = INT64_MAX},
         "paused"},
        {"Every=1h\n", {.status = JOB_STATUS_PAUSED, .is_paused = true, .next_slot_rt_us = INT64_MAX}, "its group is paused"},
        {"Every=1h\n", {.status = JOB_STATUS_RUNNING, .is_cancelled = true, .next_slot_rt_us = INT64_MAX}, "cancelled"},
        {"Every=1h\n",
         {.status = JOB_STATUS_DISABLED, .next_slot_rt_us = INT64_MAX},
         "disabled: its definition says Enabled=no"},
        {"Every=1h\n",
         {.status = JOB_STATUS_RUNNING, .run = &flying.run, .next_slot_rt_us = INT64_MAX},
         "counts from the end of the run in flight"},
        {"Every=1h\n",
         {.status = JOB_STATUS_PENDING, .run = &flying.run, .pending_run = 12},
         "run 12 waits for the end of the run in flight"},
        {"Every=1h\n",
         {.status = JOB_STATUS_PENDING, .run = &flying.run, .n_line = 2, .next_slot_rt_us = NOON},
         "a slot waits for the end of the run in flight"},
        {"Every=1h\n", {.status = JOB_STATUS_PENDING, .is_place_awaited = true}, "waits for a place in its groups"},
        {"Every=1h\n", {.status = JOB_STATUS_PENDING, .waiting = &kept}, "its last slot waits for its conditions"},
        {"Every=1h\n", {.status = JOB_STATUS_WAITING, .is_clock_awaited = true}, "waits for the clock to be synchronised"},
        {"Every=1h\n", {.status = JOB_STATUS_FINISHED, .end = JOB_END_UNTIL}, "finished: no slot is left before Until="},
        {"", {.status = JOB_STATUS_MANUAL, .next_slot_rt_us = INT64_MAX}, "on demand only"},
        {"OnBoot=yes\n", {.status = JOB_STATUS_WAITING, .next_slot_rt_us = INT64_MAX}, "at boot only"},
        {"OnBoot=1h\n", {.status = JOB_STATUS_WAITING, .next_slot_rt_us = NOON}, NULL},
};

START_TEST(what_keeps_the_next_slot_is_said) {
        char buf[WORDS_SCHEDULE_MAX];
        struct job_when when = parse(nexts[_i].when);
        const char *reason = words_next_reason(&nexts[_i].view, &when, buf);
        ck_assert_str_eq(reason ? reason : "", nexts[_i].reason ? nexts[_i].reason : "");
}
END_TEST

START_TEST(signals_have_names) {
        char buf[160];
        ck_assert_str_eq(words_signal(15, buf), "SIGTERM");
        ck_assert_str_eq(words_signal(SIGRTMIN + 3, buf), "SIGRTMIN+3");
        ck_assert_str_eq(words_signal(200, buf), "200");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("control words");
        TCase *tc = tcase_create("control words");
        tcase_add_loop_test(tc, a_schedule_has_words, 0, ARRAY_SIZE(schedules));
        tcase_add_test(tc, what_is_longer_than_the_room_ends_with_an_ellipsis);
        tcase_add_loop_test(tc, why_says_what_has_come_of_a_parent, 0, ARRAY_SIZE(followed));
        tcase_add_loop_test(tc, why_says_how_a_job_stands, 0, ARRAY_SIZE(whys));
        tcase_add_loop_test(tc, why_says_what_became_of_a_slot, 0, ARRAY_SIZE(slots));
        tcase_add_loop_test(tc, why_says_which_place_is_waited_for, 0, ARRAY_SIZE(places));
        tcase_add_loop_test(tc, the_ledger_says_what_became_of_a_slot, 0, ARRAY_SIZE(pasts));
        tcase_add_test(tc, a_hold_that_lasts_is_told_behind_the_last_slot);
        tcase_add_loop_test(tc, nothing_is_known_of_what_was_before_the_ledger, 0, 2);
        tcase_add_loop_test(tc, why_says_that_a_group_is_held, 0, 3);
        tcase_add_loop_test(tc, what_keeps_the_next_slot_is_said, 0, ARRAY_SIZE(nexts));
        tcase_add_test(tc, signals_have_names);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
