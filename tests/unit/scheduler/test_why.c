// SPDX-License-Identifier: MIT
// What `why` says of everything that can become of a job, of a slot and of a run, as one text to be read: tests/data/why/said.txt. An enum
// value without a row fails. With WHY_OUT=FILE the text is written there.

#include <errno.h>
#include <stdlib.h>

#include "daemon/core/util.h"
#include "daemon/scheduler/control_words.h"
#include "daemon/varlink/api.h"
#include "tests/sim/calendars.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

#define HOURLY "Every=1h\nMode=fixed-rate\nAlign=1970-01-01 00:00:00 UTC\n"

static struct words_answer answer;

static void print(FILE *out, const char *what) {
        fprintf(out, "== %s%s%s%s\n", what, answer.reason ? " [" : "", answer.reason ? answer.reason : "",
                answer.reason ? "]" : "");
        ck_assert_msg(answer.n > 0, "%s: nothing is said", what);
        for (size_t i = 0; i < answer.n; i++) {
                const char *s = answer.sentences[i];
                fprintf(out, "%s\n", s);
                ck_assert_msg(!strstr(s, "(null)") && !strstr(s, "invalid") && s[strlen(s) - 1] != ' ', "%s: %s", what, s);
                for (size_t k = 0; k < i; k++)
                        ck_assert_msg(strcmp(s, answer.sentences[k]) != 0, "%s: said twice: %s", what, s);
        }
        fputc('\n', out);
}

/* ---- how a job stands ---- */

static int exit_code, error;

/* The job "job" runs for run_us and ends with run_result; all others run for an hour. */
static void run_of(void *userdata, struct world *world, struct world_job *job, int64_t *ret_duration_us,
                   struct run_end *ret_end) {
        bool is_job = strcmp(job->name, "job") == 0;
        (void)userdata;
        *ret_duration_us = is_job ? run_us : HOUR;
        ret_end->result = is_job ? run_result : RUN_RESULT_SUCCESS;
        ret_end->exit_code = is_job && run_result == RUN_RESULT_FAILED ? exit_code : -1;
        ret_end->start_rt_us = world->now.rt_us;
        ret_end->start_bt_us = world->now.bt_us;
        ret_end->error = is_job ? error : 0;
        ret_end->step = ret_end->error ? RUN_STEP_CLONE : RUN_STEP_NONE;
}

static void define_text(const char *text) {
        define(sim_when(text));
}

static void trigger(const char *name) {
        uint64_t run;
        ck_assert_int_ge(world_trigger(&w, name, &(struct engine_trigger){.if_running = TRIGGER_QUEUE}, &run), 0);
}

static void sign(const char *by, const char *reason, int64_t until_us) {
        ck_assert_int_eq(book_sign(w.book, engine_find_job(w.engine, "job"), w.now, by, reason, until_us), 0);
}

static void waits(void) {
        define_text(HOURLY);
        run_to(12, 20, 0);
}

static void waits_for_boot(void) {
        define_text("OnBoot=yes\nOnWake=yes\n");
        run_to(12, 20, 0);
}

static void waits_for_clock(void) {
        world_done(&w);
        begin_at(12, 0, 0);
        w.hello.is_synchronised = false;
        w.sync_wait_us = BOOTED + HOUR;
        world_begin_ledger(&w);
        world_power_cut(&w, 10 * MIN, true);
        define_text(HOURLY);
}

static void is_left_out(void) {
        define_text(HOURLY "Except=friday: Fri\nTimeZone=UTC\n");
        run_to(12, 20, 0);
}

static void never_opens(void) {
        define_text(HOURLY "Only=none: 2020-01-01\nTimeZone=UTC\n");
        run_to(12, 20, 0);
}

static void follows(void) {
        struct job_when dump = sim_when("");
        world_define(&w, "dump", &dump);
        define_text("OnSuccessOf=dump\n");
}

static void runs(void) {
        run_us = 30 * MIN;
        define_text(HOURLY);
        run_to(12, 10, 0);
}

static void runs_a_delay(void) {
        run_us = 30 * MIN;
        define_text("Every=1h\n");
        run_to(12, 10, 0);
}

static void runs_in_parallel(void) {
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_PARALLEL;
        when.max_parallel = 4;
        run_us = HOUR;
        define(when);
        run_to(12, 25, 0);
}

static void queue(uint32_t max) {
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.overlap = JOB_OVERLAP_QUEUE;
        when.queue_max = max;
        run_us = HOUR;
        define(when);
}

static void has_one_in_line(void) {
        queue(1);
        run_to(12, 15, 0);
}

static void has_three_in_line(void) {
        queue(3);
        run_to(12, 35, 0);
}

static void has_a_trigger_in_line(void) {
        run_us = 30 * MIN;
        define_text(HOURLY);
        run_to(12, 10, 0);
        trigger("job");
}

static void fails(enum run_result result, const char *text) {
        char when[200];
        run_result = result;
        exit_code = 3;
        snprintf(when, sizeof(when), HOURLY "%s", text);
        define_text(when);
        run_to(12, 0, 1);
}

static void is_tried_again(void) {
        fails(RUN_RESULT_FAILED, "Retries=3\nRetryDelay=5min\n");
}

static void is_tried_again_after_a_timeout(void) {
        fails(RUN_RESULT_TIMEOUT, "Retries=3\nRetryDelay=5min\n");
}

static void lacks_resources(void) {
        error = EAGAIN;
        fails(RUN_RESULT_START_FAILED, "");
        run_result = RUN_RESULT_SUCCESS;
}

static void has_failed_in_a_row(void) {
        fails(RUN_RESULT_FAILED, "");
        run_to(13, 10, 0);
}

static void is_stopped(void) {
        fails(RUN_RESULT_FAILED, "StopAfterFailures=2\n");
        run_to(13, 10, 0);
}

static void is_overdue(void) {
        fails(RUN_RESULT_FAILED, "ExpectWithin=2h\n");
        run_to(14, 30, 0);
}

/* Another member has the only place. */
static void waits_for_place(void) {
        struct job_when other = sim_when(""), when = sim_when(HOURLY "StartDeadline=30min\n");
        world_group(&w, "heavy", 1);
        sim_join(&other, "heavy");
        sim_join(&when, "heavy");
        world_define(&w, "mirror", &other);
        define(when);
        trigger("mirror");
        run_to(12, 10, 0);
}

static void ask_conditions(int64_t wait_us) {
        struct job_when when = sim_when(HOURLY);
        when.has_conditions = true;
        when.condition_wait_us = wait_us;
        run_result = RUN_RESULT_CONDITION;
        define(when);
        run_to(12, 10, 20);
}

static void waits_for_conditions(void) {
        ask_conditions(30 * MIN);
}

static void is_withheld_by_conditions(void) {
        ask_conditions(0);
}

static void is_paused(void) {
        waits();
        sign("ops", "the disk is full", w.now.rt_us + HOUR);
        ck_assert_int_eq(world_pause(&w, "job", w.now.bt_us + HOUR), 1);
}

static void is_paused_by_group(void) {
        struct job_when when = sim_when(HOURLY);
        world_group(&w, "night", 0);
        sim_join(&when, "night");
        define(when);
        run_to(12, 20, 0);
        uint32_t group = engine_find_group(w.engine, "night");
        ck_assert_int_eq(engine_pause_group(w.engine, w.now, group, "ops", "moving house", INT64_MAX), 1);
}

static void is_cancelled(void) {
        waits();
        sign("root", NULL, INT64_MAX);
        ck_assert_int_eq(world_cancel(&w, "job", false), 1);
}

static void has_had_its_runs(void) {
        define_text(HOURLY "MaxRuns=2\n");
        run_to(14, 0, 0);
}

static void is_done_for_good(void) {
        run_result = RUN_RESULT_FINISHED;
        run_us = MIN;
        define_text(HOURLY);
        run_to(12, 10, 0);
}

static void is_behind_until(void) {
        define_text(HOURLY "Until=2026-03-20 13:30 UTC\n");
        run_to(14, 0, 0);
}

static void is_behind_its_calendar(void) {
        define_text("OnCalendar=2026-03-20 12:10 UTC\n");
        run_to(13, 0, 0);
}

static void is_manual(void) {
        define_text("");
}

static void is_disabled(void) {
        define_text(HOURLY "Enabled=no\n");
}

/* status, awaits and end are what the row stands for; -1: nothing of that kind. */
static const struct {
        const char *what;
        void (*bring)(void);
        enum job_status status;
        int awaits;
        enum job_end end;
} states[] = {
        {"waiting", waits, JOB_STATUS_WAITING, -1, 0},
        {"waiting for a boot or a wake", waits_for_boot, JOB_STATUS_WAITING, -1, 0},
        {"waiting for the clock", waits_for_clock, JOB_STATUS_WAITING, -1, 0},
        {"waiting, and the day is left out", is_left_out, JOB_STATUS_WAITING, -1, 0},
        {"waiting, and all days are left out", never_opens, JOB_STATUS_WAITING, -1, 0},
        {"waiting for another job", follows, JOB_STATUS_WAITING, -1, 0},
        {"waiting after two failures", has_failed_in_a_row, JOB_STATUS_WAITING, -1, 0},
        {"overdue", is_overdue, JOB_STATUS_WAITING, -1, 0},
        {"running", runs, JOB_STATUS_RUNNING, -1, 0},
        {"running, a fixed delay", runs_a_delay, JOB_STATUS_RUNNING, -1, 0},
        {"running, three at a time", runs_in_parallel, JOB_STATUS_RUNNING, -1, 0},
        {"pending: one slot in line", has_one_in_line, JOB_STATUS_PENDING, JOB_AWAITS_RUN, 0},
        {"pending: three slots in line", has_three_in_line, JOB_STATUS_PENDING, JOB_AWAITS_RUN, 0},
        {"pending: a trigger in line", has_a_trigger_in_line, JOB_STATUS_PENDING, JOB_AWAITS_RUN, 0},
        {"pending: the next attempt", is_tried_again, JOB_STATUS_PENDING, JOB_AWAITS_RETRY, 0},
        {"pending: the next attempt after a time-out", is_tried_again_after_a_timeout, JOB_STATUS_PENDING, JOB_AWAITS_RETRY, 0},
        {"pending: no process could be made", lacks_resources, JOB_STATUS_PENDING, JOB_AWAITS_RETRY, 0},
        {"pending: a place in a group", waits_for_place, JOB_STATUS_PENDING, JOB_AWAITS_POOL, 0},
        {"pending: its conditions", waits_for_conditions, JOB_STATUS_PENDING, JOB_AWAITS_CONDITION, 0},
        {"waiting after its conditions did not hold", is_withheld_by_conditions, JOB_STATUS_WAITING, -1, 0},
        {"paused", is_paused, JOB_STATUS_PAUSED, -1, 0},
        {"paused with its group", is_paused_by_group, JOB_STATUS_PAUSED, -1, 0},
        {"cancelled", is_cancelled, JOB_STATUS_CANCELLED, -1, 0},
        {"finished: MaxRuns=", has_had_its_runs, JOB_STATUS_FINISHED, -1, JOB_END_RUNS},
        {"finished: by a run", is_done_for_good, JOB_STATUS_FINISHED, -1, JOB_END_RUN},
        {"finished: Until=", is_behind_until, JOB_STATUS_FINISHED, -1, JOB_END_UNTIL},
        {"finished: its calendar", is_behind_its_calendar, JOB_STATUS_FINISHED, -1, JOB_END_CALENDAR},
        {"failed", is_stopped, JOB_STATUS_FAILED, -1, 0},
        {"manual", is_manual, JOB_STATUS_MANUAL, -1, 0},
        {"disabled", is_disabled, JOB_STATUS_DISABLED, -1, 0},
};

static bool is_reason_seen[WORDS_REASONS];

/* The one word is among all that hold; and where none is said nothing holds but what passes by itself. */
static void check_reasons(const char *what, const struct words_facts *facts) {
        const char *words[WORDS_REASONS];
        size_t n = words_reasons(facts, words);
        bool is_there = false;
        for (size_t i = 0; i < n; i++) {
                bool passes = strcmp(words[i], "run") == 0 || strcmp(words[i], "ledger") == 0;
                ck_assert_msg(answer.reason || passes, "%s: %s, and no reason is said", what, words[i]);
                bool is_of_group =
                        strcmp(words[i], "group-paused") == 0 && answer.reason && strcmp(answer.reason, "paused") == 0;
                is_there = is_there || is_of_group || (answer.reason && strcmp(words[i], answer.reason) == 0);
                for (size_t k = 0; k < WORDS_REASONS; k++)
                        is_reason_seen[k] = is_reason_seen[k] || words[i] == words_reason_name(k);
        }
        ck_assert_msg(is_there || !answer.reason, "%s: %s is not among the reasons", what, answer.reason);
}

/* Each word is of some state here, and in the interface. */
static void check_all_reasons(void) {
        const struct api_row *why = api_method_find("Why");
        const char *help = NULL;
        for (size_t i = 0; i < why->n_out; i++)
                help = strcmp(why->out[i].name, "reasons") == 0 ? why->out[i].help : help;
        ck_assert_ptr_nonnull(help);
        for (size_t k = 0; k < WORDS_REASONS; k++) {
                bool is_passing = strcmp(words_reason_name(k), "ledger") == 0; /* the disk of this world takes no time */
                ck_assert_msg(is_reason_seen[k] || is_passing, "no state with the reason %s", words_reason_name(k));
                ck_assert_msg(strstr(help, words_reason_name(k)) != NULL, "the interface does not tell of %s",
                              words_reason_name(k));
        }
        ck_assert_ptr_null(words_reason_name(WORDS_REASONS));
}

static void print_states(FILE *out) {
        for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
                begin_at(11, 59, 0);
                w.run_of = run_of;
                exit_code = error = 0;
                world_begin_ledger(&w);
                states[i].bring();
                uint32_t job = engine_find_job(w.engine, "job");
                ck_assert_msg(job != INDEX_NONE, "%s", states[i].what);
                struct words_facts facts = words_find_facts(w.engine, w.book, w.now, job);
                ck_assert_msg(facts.view.status == states[i].status && facts.view.end == states[i].end, "%s: it is %s, end %d",
                              states[i].what, job_status_to_string(facts.view.status), facts.view.end);
                words_why(&facts, &answer);
                check_reasons(states[i].what, &facts);
                print(out, states[i].what);
                world_done(&w);
        }
        check_all_reasons();
}

START_TEST(each_state_has_a_row) {
        for (int status = 0; status < JOB_STATUS_MAX; status++) {
                size_t n = 0;
                for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                        n += (int)states[i].status == status;
                ck_assert_msg(n > 0, "no row for %s", job_status_to_string((enum job_status)status));
        }
        for (int awaits = 0; awaits < JOB_AWAITS_MAX; awaits++) {
                size_t n = 0;
                for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                        n += states[i].awaits == awaits;
                ck_assert_msg(n > 0, "no row for what it awaits, %d", awaits);
        }
        for (int end = JOB_END_NONE; end < JOB_END_MAX; end++) {
                size_t n = 0;
                for (size_t i = 0; i < ARRAY_SIZE(states); i++)
                        n += (int)states[i].end == end;
                ck_assert_msg(n > 0, "no row for the end %d", end);
        }
}
END_TEST

/* ---- what became of a slot ---- */

static struct job_when when;

static struct words_facts facts_of(const struct book_job *book) {
        return (struct words_facts){
                .job = "job",
                .now = {.rt_us = NOON, .bt_us = BOOTED},
                .view = {.status = JOB_STATUS_WAITING, .group = INDEX_NONE},
                .when = &when,
                .book = book,
                .next_slot_rt_us = NOON + HOUR,
        };
}

static void print_slot(FILE *out, enum slot_outcome outcome, enum slot_reason reason, size_t n) {
        char what[80];
        struct words_facts facts = facts_of(NULL);
        int64_t last_us = NOON - 2 * HOUR + ((int64_t)n - 1) * 10 * MIN;
        struct ledger_range range = {
                .outcome = outcome, .reason = reason, .n = n, .first_rt_us = NOON - 2 * HOUR, .last_rt_us = last_us, .run = 12};
        struct words_past past = {
                .at_rt_us = NOON - 2 * HOUR, .range = &range, .slot_rt_us = NOON - 2 * HOUR, .booted_rt_us = INT64_MAX};
        words_why_past(&facts, &past, &answer);
        snprintf(what, sizeof(what), "%zu %s%s%s, from the ledger", n, slot_outcome_to_string(outcome), reason ? ", " : "",
                 slot_reason_to_string(reason));
        print(out, what);
        if (outcome == SLOT_RAN || outcome == SLOT_INTERRUPTED)
                return;
        struct book_range recent = {
                .outcome = outcome, .reason = reason, .n = n, .first_rt_us = NOON - 2 * HOUR, .last_rt_us = last_us, .run = 12};
        struct book_job book = {.recent = &recent, .n_recent = 1};
        facts = facts_of(&book);
        words_why_slot(&facts, NOON - 2 * HOUR, &answer);
        snprintf(what, sizeof(what), "%zu %s%s%s, from memory", n, slot_outcome_to_string(outcome), reason ? ", " : "",
                 slot_reason_to_string(reason));
        print(out, what);
}

static void print_slots(FILE *out) {
        print_slot(out, SLOT_RAN, SLOT_REASON_NONE, 1);
        print_slot(out, SLOT_INTERRUPTED, SLOT_REASON_NONE, 1);
        print_slot(out, SLOT_MERGED, SLOT_REASON_DOWN, 1);
        print_slot(out, SLOT_MERGED, SLOT_REASON_SUSPENDED, 3);
        print_slot(out, SLOT_MISSED, SLOT_REASON_OVERLAP, 3);
        for (int reason = SLOT_REASON_NONE + 1; reason < SLOT_REASON_MAX; reason++)
                print_slot(out, slot_outcome_of((enum slot_reason)reason), (enum slot_reason)reason, 1);
}

static struct book_run run_that(enum run_result result, uint16_t attempt) {
        bool has_begun = result != RUN_RESULT_START_FAILED && result != RUN_RESULT_CONDITION;
        return (struct book_run){
                .run = {.run = 12, .slot_rt_us = NOON - 2 * HOUR, .attempt = attempt, .lag_us = attempt > 1 ? 10 * MIN : 70},
                .end = {.result = result,
                        .exit_code = 3,
                        .signal = result == RUN_RESULT_SIGNAL ? 11 : 0,
                        .step = has_begun ? RUN_STEP_NONE : RUN_STEP_WORKING_DIRECTORY,
                        .error = has_begun ? 0 : ENOENT,
                        .start_rt_us = has_begun ? NOON - 2 * HOUR : 0,
                        .start_bt_us = has_begun ? BOOTED - 2 * HOUR : 0,
                        .end_rt_us = NOON - HOUR,
                        .end_bt_us = BOOTED - HOUR},
        };
}

static void print_run(FILE *out, const struct book_run *run, const char *more) {
        char what[80];
        struct book_job book = {.last = run};
        struct words_facts facts = facts_of(&book);
        words_why_slot(&facts, NOON - 2 * HOUR, &answer);
        snprintf(what, sizeof(what), "a run that ended: %s%s", run_result_to_string(run->end.result), more);
        print(out, what);
}

static void print_runs(FILE *out) {
        for (int result = RUN_RESULT_NONE; result < RUN_RESULT_MAX; result++) {
                struct book_run run = run_that((enum run_result)result, 1);
                print_run(out, &run, "");
        }
        struct book_run third = run_that(RUN_RESULT_SUCCESS, 3), stopped = run_that(RUN_RESULT_FINISHED, 1);
        stopped.end.start_rt_us = stopped.end.start_bt_us = 0;
        print_run(out, &third, ", third attempt");
        print_run(out, &stopped, ", by StopWhenPathExists=");
}

/* ---- what came of a parent ---- */

static void print_parent(FILE *out, uint32_t events, const struct book_job *parent, const char *what) {
        struct words_facts facts = facts_of(NULL);
        facts.parents[0] = (struct words_parent){"dump", events, parent};
        facts.n_parents = 1;
        facts.next_slot_rt_us = INT64_MAX;
        words_why(&facts, &answer);
        print(out, what);
}

static void print_parents(FILE *out) {
        char what[80];
        struct book_job nothing = {0};
        for (int event = RUN_EVENT_NONE + 1; event < RUN_EVENT_MAX; event++) {
                snprintf(what, sizeof(what), "follows: %s", run_event_to_string((enum run_event)event));
                print_parent(out, 1U << event, &nothing, what);
        }
        print_parent(out, 1U << RUN_EVENT_FAILURE | 1U << RUN_EVENT_MISSED | 1U << RUN_EVENT_OVERDUE, &nothing,
                     "follows: failure, missed, overdue");
        for (int result = RUN_RESULT_NONE; result < RUN_RESULT_MAX; result++) {
                struct book_run run = run_that((enum run_result)result, 1);
                struct book_job parent = {.last = &run};
                bool is_failure = run_result_is_failure(run.end.result);
                snprintf(what, sizeof(what), "no run came of a parent's run: %s", run_result_to_string(run.end.result));
                print_parent(out, 1U << (is_failure ? RUN_EVENT_SUCCESS : RUN_EVENT_FAILURE), &parent, what);
        }
        for (int reason = SLOT_REASON_NONE + 1; reason < SLOT_REASON_MAX; reason++) {
                struct book_range recent = {.outcome = slot_outcome_of((enum slot_reason)reason),
                                            .reason = (enum slot_reason)reason,
                                            .n = 1,
                                            .first_rt_us = NOON - HOUR,
                                            .last_rt_us = NOON - HOUR};
                struct book_job parent = {.recent = &recent, .n_recent = 1};
                snprintf(what, sizeof(what), "no run came of a parent's slot: %s %s", slot_outcome_to_string(recent.outcome),
                         slot_reason_to_string(recent.reason));
                print_parent(out, 1U << RUN_EVENT_SUCCESS, &parent, what);
        }
}

/* ---- all of it ---- */

static char *read_said(void) {
        FILE *in = fopen(TEST_DATA "/why/said.txt", "re");
        char *text = calloc(1, 200000);
        ck_assert(text);
        if (in) {
                ck_assert_uint_lt(fread(text, 1, 199999, in), 199999);
                fclose(in);
        }
        return text;
}

START_TEST(all_that_is_said_is_what_was_read_and_found_good) {
        char *said = NULL, *wanted = read_said();
        size_t size = 0, line = 1;
        FILE *out = open_memstream(&said, &size);
        ck_assert(out);
        when = sim_when(HOURLY);
        print_states(out);
        print_slots(out);
        print_runs(out);
        print_parents(out);
        fclose(out);
        const char *path = getenv("WHY_OUT");
        FILE *file = path ? fopen(path, "we") : NULL;
        if (file) {
                fputs(said, file);
                fclose(file);
        }
        const char *a = said, *b = wanted;
        while (*a && strcspn(a, "\n") == strcspn(b, "\n") && memcmp(a, b, strcspn(a, "\n") + 1) == 0) {
                a += strcspn(a, "\n") + 1;
                b += strcspn(b, "\n") + 1;
                line++;
        }
        ck_assert_msg(!*a && !*b, "said.txt:%zu: said is: %.*s", line, (int)strcspn(a, "\n"), a);
        free(said);
        free(wanted);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("why");
        TCase *tc = tcase_create("why");
        tcase_add_test(tc, each_state_has_a_row);
        tcase_add_test(tc, all_that_is_said_is_what_was_read_and_found_good);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
