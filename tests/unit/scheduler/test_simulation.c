// SPDX-License-Identifier: MIT
// simulation: a copy of an engine goes on exactly as the engine itself does, from any state; the world says what that one did.

#include <errno.h>

#include "daemon/scheduler/simulation.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

#define COUNT(a)     (int)(sizeof(a) / sizeof((a)[0]))
#define MEMORIES_MAX 2000

/* What a job did, by the world or by the simulation, in the same words. */
struct memory {
        char text[96];
};

static struct memory real[MEMORIES_MAX], simulated[MEMORIES_MAX];
static size_t n_real, n_simulated;

static void remember(struct memory *list, size_t *n, enum slot_outcome outcome, enum slot_reason reason, int64_t first_us,
                     int64_t last_us, uint64_t slots, int64_t start_us) {
        if (*n == MEMORIES_MAX)
                ck_abort_msg("too much happens");
        snprintf(list[(*n)++].text, sizeof(list->text), "%lld %s %s %lld..%lld %llu",
                 outcome == SLOT_RAN ? (long long)start_us : (long long)last_us, slot_outcome_to_string(outcome),
                 slot_reason_to_string(reason), (long long)first_us, (long long)last_us, (unsigned long long)slots);
}

static int compare(const void *a, const void *b) {
        return strcmp(((const struct memory *)a)->text, ((const struct memory *)b)->text);
}

/* Runs that began before the copy are known to the world already. */
static int take_row(void *userdata, const struct simulation_row *row) {
        int64_t began_us = *(const int64_t *)userdata;
        ck_assert_str_eq(row->job, "job");
        if (row->outcome == SLOT_RAN && row->start_us > began_us && row->cause != RUN_CAUSE_TRIGGER)
                remember(simulated, &n_simulated, SLOT_RAN, SLOT_REASON_NONE, row->slot_us, row->slot_us, 1, row->start_us);
        else if (row->outcome != SLOT_RAN)
                remember(simulated, &n_simulated, row->outcome, row->reason, row->first_us, row->last_us, row->n, 0);
        return 0;
}

static void note_world(size_t from) {
        for (size_t i = from; i < w.n_entries; i++)
                remember(real, &n_real, w.entries[i].outcome, w.entries[i].reason, w.entries[i].first_rt_us,
                         w.entries[i].last_rt_us, w.entries[i].n, w.entries[i].start_rt_us);
}

/* Simulates a copy of the world's engine as it stands. */
static void simulate_copy(int64_t to_rt_us) {
        struct simulation *s;
        struct engine *copy;
        uint32_t number;
        int64_t began_us = w.now.rt_us;
        int r;

        ck_assert_int_eq(engine_new_copy(w.engine, &copy), 0);
        ck_assert_int_eq(engine_copy_job(w.engine, engine_find_job(w.engine, "job"), copy, &number), 0);
        ck_assert_int_eq(simulation_new(copy, w.now, to_rt_us, take_row, &began_us, &s), 0);
        ck_assert_int_eq(simulation_add(s, number, run_us, INT64_MAX), 0);
        do
                r = simulation_step(s);
        while (r == 1);
        ck_assert_int_eq(r, 0);
        simulation_free(s);
}

static const struct {
        const char *name;
        int64_t every_us;
        enum job_mode mode;
        bool is_wall, is_queue;
        enum job_catch_up catch_up;
        int64_t delay_us, run_us;
        uint32_t jitter_ppm, max_runs;
        int64_t for_us; /* Until= so long after the beginning */
        bool is_delay_fixed, is_on_wake;
} jobs[] = {
        {"a grid", 10 * SEC, JOB_MODE_FIXED_RATE, .run_us = 3 * SEC},
        {"slots under runs", 10 * SEC, JOB_MODE_FIXED_RATE, .run_us = 25 * SEC},
        {"a slot that waits", 10 * SEC, JOB_MODE_FIXED_RATE, .is_queue = true, .run_us = 12 * SEC},
        {"drawn delays", 10 * SEC, JOB_MODE_FIXED_RATE, .delay_us = 4 * SEC, .run_us = 2 * SEC},
        {"a fixed delay", 10 * SEC, JOB_MODE_FIXED_DELAY, .run_us = 3 * SEC},
        {"a fixed delay with jitter", 10 * SEC, JOB_MODE_FIXED_DELAY, .jitter_ppm = 300000, .run_us = 3 * SEC},
        {"a grid on the wall", MIN, JOB_MODE_FIXED_RATE, .is_wall = true, .run_us = 90 * SEC},
        {"catching up one by one", 10 * SEC, JOB_MODE_FIXED_RATE, .catch_up = JOB_CATCH_UP_ALL, .run_us = 7 * SEC},
        {"catching up the latest", 10 * SEC, JOB_MODE_FIXED_RATE, .catch_up = JOB_CATCH_UP_ONE, .run_us = 31 * SEC},
        {"so many runs", 10 * SEC, JOB_MODE_FIXED_RATE, .run_us = 3 * SEC, .max_runs = 15},
        {"an end", 10 * SEC, JOB_MODE_FIXED_DELAY, .run_us = 3 * SEC, .for_us = 4 * MIN},
        {"delays that stay", 30 * SEC, JOB_MODE_FIXED_RATE, .is_delay_fixed = true, .delay_us = 20 * SEC, .run_us = 2 * SEC},
        {"slots of resumes", 50 * SEC, JOB_MODE_FIXED_DELAY, .is_on_wake = true, .run_us = 2 * SEC},
};

static struct job_when make(int i) {
        struct job_when when = every(jobs[i].every_us, jobs[i].mode);
        if (jobs[i].is_wall)
                when = wall_grid(jobs[i].every_us, 0);
        when.overlap = jobs[i].is_queue ? JOB_OVERLAP_QUEUE : JOB_OVERLAP_SKIP;
        if (jobs[i].catch_up != 0)
                when.catch_up = jobs[i].catch_up;
        when.random_delay_us = jobs[i].delay_us;
        when.jitter_ppm = jobs[i].jitter_ppm;
        when.max_runs = jobs[i].max_runs;
        if (jobs[i].for_us > 0)
                when.until_us = w.now.rt_us + jobs[i].for_us;
        when.is_delay_fixed = jobs[i].is_delay_fixed;
        when.is_on_wake = jobs[i].is_on_wake;
        return when;
}

/* What is done before the copy, at its instant: each makes another state. */
enum deed { NOTHING, PAUSE, PAUSE_AND_RESUME, CANCEL, TRIGGER_QUEUED_RUN, INTERVAL, CRASH, SUSPEND, DEED_MAX };

static void do_deed(enum deed deed, int64_t after_us) {
        struct engine_trigger trigger = {.if_running = TRIGGER_QUEUE};
        uint64_t run;

        world_run_to(&w, w.now.bt_us + after_us);
        switch (deed) {
        case NOTHING:
        case DEED_MAX:
                break;
        case PAUSE:
        case PAUSE_AND_RESUME:
                world_pause(&w, "job", deed == PAUSE ? w.now.bt_us + 45 * SEC : INT64_MAX);
                world_run_to(&w, w.now.bt_us + 17 * SEC);
                if (deed == PAUSE_AND_RESUME)
                        world_resume(&w, "job");
                break;
        case CANCEL:
                world_cancel(&w, "job", false);
                break;
        case TRIGGER_QUEUED_RUN:
                world_trigger(&w, "job", &trigger, &run);
                break;
        case INTERVAL:
                world_set_interval(&w, "job", 13 * SEC);
                break;
        case CRASH:
                world_crash(&w, 35 * SEC);
                break;
        case SUSPEND:
                for (int i = 0; w.jobs[0].is_running && i < 60; i++) /* a run would sleep, too, and end later */
                        world_run_to(&w, w.now.bt_us + SEC);
                if (!w.jobs[0].is_running)
                        world_suspend(&w, 35 * SEC);
                break;
        }
        ck_assert_msg(!w.error[0], "%s", w.error);
}

/* At many instants, which lie between those of slots and ends. */
START_TEST(a_copy_goes_on_as_the_engine_does) {
        for (int deed = 0; deed < DEED_MAX; deed++)
                for (int64_t after_us = 500000; after_us < 70 * SEC; after_us += 5300000) {
                        begin_at(12, 0, 0);
                        n_real = n_simulated = 0;
                        run_us = jobs[_i].run_us;
                        define(make(_i));
                        do_deed((enum deed)deed, after_us);
                        size_t from = w.n_entries;
                        int64_t to_us = w.now.rt_us + 10 * MIN + 500000;
                        simulate_copy(to_us);
                        world_run_to(&w, w.now.bt_us + to_us - w.now.rt_us);
                        ck_assert_msg(!w.error[0], "%s", w.error);
                        note_world(from);
                        world_done(&w);
                        qsort(real, n_real, sizeof(*real), compare);
                        qsort(simulated, n_simulated, sizeof(*simulated), compare);
                        for (size_t i = 0; i < n_real || i < n_simulated; i++) {
                                const char *is = i < n_simulated ? simulated[i].text : "nothing";
                                const char *should_be = i < n_real ? real[i].text : "nothing";
                                if (strcmp(is, should_be) != 0)
                                        ck_abort_msg("%s, deed %d after %lld us, %zu: %s, not %s", jobs[_i].name, deed,
                                                     (long long)after_us, i, is, should_be);
                        }
                        if (deed != CANCEL && n_real < 5 && jobs[_i].max_runs == 0 && jobs[_i].for_us == 0)
                                ck_abort_msg("%s, deed %d: nothing happened", jobs[_i].name, deed);
                }
}
END_TEST

static int count_rows(void *userdata, const struct simulation_row *row) {
        (void)row;
        return ++*(int *)userdata == 5 ? -E2BIG : 0;
}

START_TEST(it_ends_when_nobody_wants_more) {
        struct simulation *s;
        struct engine *copy;
        uint32_t number;
        int n = 0, r;

        begin_at(12, 0, 0);
        run_us = 1 * SEC;
        define(every(10 * SEC, JOB_MODE_FIXED_RATE));
        ck_assert_int_eq(engine_new_copy(w.engine, &copy), 0);
        ck_assert_int_eq(engine_copy_job(w.engine, 0, copy, &number), 0);
        ck_assert_int_eq(simulation_new(copy, w.now, w.now.rt_us + HOUR, count_rows, &n, &s), 0);
        ck_assert_int_eq(simulation_add(s, number, 10 * MIN, 2 * SEC), 0);
        do
                r = simulation_step(s);
        while (r == 1);
        ck_assert_int_eq(r, -E2BIG);
        ck_assert_int_eq(n, 5);
        simulation_free(s);
        world_done(&w);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("simulation");
        TCase *tcase = tcase_create("copy");
        tcase_add_loop_test(tcase, a_copy_goes_on_as_the_engine_does, 0, COUNT(jobs));
        tcase_add_test(tcase, it_ends_when_nobody_wants_more);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
