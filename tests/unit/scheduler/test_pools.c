// SPDX-License-Identifier: MIT
// MaxRunning= of groups and of all jobs: who waits for a place, how long, and what becomes of its slot.

#include <check.h>

#include "tests/sim/calendars.h"
#include "tests/sim/pools.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/scheduler/timeline.h"

/* How long the runs of each job take; the others' take run_us. */
static struct {
        const char *name;
        int64_t us;
} lengths[8];

static void run_by_name(void *userdata, struct world *world, struct world_job *job, int64_t *ret_duration_us,
                        struct run_end *ret_end) {
        (void)userdata;
        (void)world;
        *ret_duration_us = run_us;
        ret_end->result = RUN_RESULT_SUCCESS;
        for (size_t i = 0; i < 8 && lengths[i].name; i++)
                if (strcmp(lengths[i].name, job->name) == 0)
                        *ret_duration_us = lengths[i].us;
}

static void takes(const char *name, int64_t us) {
        size_t i = 0;
        while (lengths[i].name && strcmp(lengths[i].name, name) != 0)
                i++;
        lengths[i].name = name;
        lengths[i].us = us;
}

/* Noon, and a group "heavy" with one place. */
static void begin(void) {
        begin_at(12, 0, 0);
        memset(lengths, 0, sizeof(lengths));
        w.run_of = run_by_name;
        run_us = 1 * MIN;
        world_group(&w, "heavy", 1);
}

static struct job_when member(struct job_when when, const char *groups) {
        sim_join(&when, groups);
        return when;
}

static struct job_when on_demand(const char *groups) {
        struct job_when when;
        job_when_init(&when);
        return member(when, groups);
}

static void define_as(const char *name, struct job_when when) {
        world_define(&w, name, &when);
        world_commit(&w);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

static uint64_t trigger(const char *name, int outcome) {
        uint64_t run;
        ck_assert_int_eq(world_trigger(&w, name, &(struct engine_trigger){0}, &run), outcome);
        ck_assert_msg(!w.error[0], "%s", w.error);
        return run;
}

/* A run of a job of its own takes a place of groups for so long from now on. */
static void keep_busy(const char *groups, int64_t us) {
        takes(groups, us);
        define_as(groups, on_demand(groups));
        trigger(groups, TRIGGER_STARTED);
}

static bool is_running(const char *name) {
        return world_find(&w, name)->is_running;
}

static uint64_t n_started(const char *name) {
        return world_find(&w, name)->totals.started;
}

static enum job_status status_of(const char *name) {
        struct job_view view;
        engine_view(w.engine, w.now, engine_find_job(w.engine, name), &view);
        return view.status;
}

START_TEST(a_slot_waits_for_a_place_and_runs_late) {
        begin();
        keep_busy("heavy", 7 * MIN);
        define(member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy"));
        ck_assert_uint_eq(w.n_entries, 0);
        ck_assert_int_eq(status_of("job"), JOB_STATUS_PENDING);
        struct engine_place place;
        ck_assert(engine_view_place(w.engine, engine_find_job(w.engine, "job"), &place));
        ck_assert_str_eq(place.group, "heavy");
        ck_assert(place.is_full);
        ck_assert_uint_eq(place.pool.n_running, 1);
        ck_assert_uint_eq(place.pool.n_waiting, 1);
        ck_assert_uint_eq(place.n_before, 0);
        ck_assert_uint_eq(place.n_runners, 1);
        ck_assert_str_eq(engine_job_name(w.engine, place.runners[0]), "heavy");
        ck_assert_int_eq(place.until_bt_us, w.now.bt_us + HOUR);
        run_to(12, 30, 0);
        expect_ran(0, at(12, 0, 0), 7 * MIN);
        ck_assert_uint_eq(w.n_entries, 1);
}
END_TEST

START_TEST(without_a_deadline_the_next_slot_takes_over) {
        begin();
        keep_busy("heavy", 25 * MIN);
        define(member(every(10 * MIN, JOB_MODE_FIXED_RATE), "heavy"));
        run_to(12, 28, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_POOL, at(12, 0, 0), at(12, 0, 0), 1);
        expect(1, SLOT_MISSED, SLOT_REASON_POOL, at(12, 10, 0), at(12, 10, 0), 1);
        expect_ran(2, at(12, 20, 0), 5 * MIN);
        expect_next_at(12, 30, 0);
}
END_TEST

/* A slot a second behind a long run: they are told once a minute, not one by one. */
START_TEST(slots_that_come_often_are_missed_as_ranges) {
        begin();
        keep_busy("heavy", 3 * MIN + 30 * SEC);
        run_us = 0;
        define(member(every(1 * SEC, JOB_MODE_FIXED_RATE), "heavy"));
        run_to(12, 3, 30);
        uint64_t n = 0;
        for (size_t i = 0; i < w.n_entries && w.entries[i].outcome == SLOT_MISSED; i++) {
                ck_assert_int_eq(w.entries[i].reason, SLOT_REASON_POOL);
                n += w.entries[i].n;
        }
        ck_assert_uint_eq(n, 210);
        ck_assert_uint_eq(w.n_entries, 5); /* three minutes, the rest, and the one that runs */
        expect_ran(4, at(12, 3, 30), 0);
}
END_TEST

START_TEST(a_deadline_counts_from_the_instant) {
        begin();
        keep_busy("heavy", 25 * MIN);
        struct job_when when = member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy");
        when.start_deadline_us = 20 * MIN;
        define(when);
        run_to(13, 30, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_DEADLINE, at(12, 0, 0), at(12, 0, 0), 1);
        expect_ran(1, at(13, 0, 0), 0);
}
END_TEST

START_TEST(slots_that_come_while_an_older_one_waits_are_missed_for_the_pool) {
        begin();
        keep_busy("heavy", 25 * MIN);
        struct job_when when = member(every(10 * MIN, JOB_MODE_FIXED_RATE), "heavy");
        when.start_deadline_us = HOUR;
        define(when);
        run_to(12, 26, 0);
        expect(0, SLOT_MISSED, SLOT_REASON_POOL, at(12, 10, 0), at(12, 20, 0), 2);
        expect_ran(1, at(12, 0, 0), 25 * MIN);
        ck_assert_uint_eq(w.n_entries, 2);
}
END_TEST

START_TEST(a_line_waits_without_limit) {
        begin();
        keep_busy("heavy", 25 * MIN);
        struct job_when when = member(every(10 * MIN, JOB_MODE_FIXED_RATE), "heavy");
        when.overlap = JOB_OVERLAP_QUEUE;
        when.queue_max = 5;
        define(when);
        run_to(12, 29, 0);
        expect_ran(0, at(12, 0, 0), 25 * MIN);
        expect_ran(1, at(12, 10, 0), 16 * MIN);
        expect_ran(2, at(12, 20, 0), 7 * MIN);
        expect_next_at(12, 30, 0);
}
END_TEST

START_TEST(all_that_was_passed_is_caught_up_one_by_one_as_places_come) {
        begin();
        world_begin_ledger(&w);
        struct job_when when = member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy");
        when.catch_up = JOB_CATCH_UP_ALL;
        when.is_catch_up_set = true;
        define(when);
        define_as("heavy", on_demand("heavy"));
        takes("heavy", 4 * HOUR + 30 * MIN);
        run_to(12, 30, 0);
        trigger("heavy", TRIGGER_STARTED);
        world_crash(&w, 3 * HOUR); /* 13, 14, 15 pass */
        run_to(18, 10, 0);
        expect_ran(0, at(12, 0, 0), 0);
        expect_ran(1, at(13, 0, 0), 4 * HOUR);
        expect_ran(2, at(14, 0, 0), 3 * HOUR + 1 * MIN);
        expect_ran(3, at(15, 0, 0), 2 * HOUR + 2 * MIN);
        expect_ran(4, at(16, 0, 0), HOUR + 3 * MIN);
        ck_assert_int_eq(w.entries[1].cause, RUN_CAUSE_CATCH_UP);
        expect_ran(5, at(17, 0, 0), 4 * MIN);
        expect_ran(6, at(18, 0, 0), 0);
        ck_assert_uint_eq(w.n_entries, 7);
}
END_TEST

START_TEST(a_fixed_delay_waits_and_counts_from_its_end) {
        begin();
        keep_busy("heavy", 25 * MIN);
        define(member(every(10 * MIN, JOB_MODE_FIXED_DELAY), "heavy"));
        run_to(12, 27, 0);
        expect_ran(0, at(12, 0, 0), 25 * MIN);
        expect_next_at(12, 36, 0);
        trigger("heavy", TRIGGER_QUEUED);
        run_to(12, 37, 30);
        ck_assert(is_running("heavy"));
        run_to(12, 47, 30); /* due at 12:47 */
        ck_assert_int_eq(world_cancel(&w, "job", true), 1);
        expect(2, SLOT_WITHHELD, SLOT_REASON_CANCELLED, at(12, 47, 0), at(12, 47, 0), 1);
        ck_assert_int_eq(world_cancel(&w, "heavy", true), 1);
        expect_next_at(12, 57, 30);
}
END_TEST

START_TEST(a_trigger_waits_and_keeps_its_promise) {
        begin();
        keep_busy("heavy", 5 * MIN);
        define_as("asked", on_demand("heavy"));
        uint64_t run = trigger("asked", TRIGGER_QUEUED);
        ck_assert_uint_eq(trigger("asked", TRIGGER_QUEUED), run);
        ck_assert_int_eq(status_of("asked"), JOB_STATUS_PENDING);
        run_to(12, 5, 30);
        ck_assert(is_running("asked"));
        ck_assert_uint_eq(world_find(&w, "asked")->start.run, run);
        run_to(13, 0, 0);
        ck_assert_uint_eq(n_started("asked"), 1);
}
END_TEST

START_TEST(a_trigger_joins_the_slot_that_waits) {
        begin();
        keep_busy("heavy", 5 * MIN);
        define(member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy"));
        uint64_t run = trigger("job", TRIGGER_QUEUED);
        run_to(12, 6, 0);
        ck_assert_uint_eq(expect(0, SLOT_RAN, SLOT_REASON_NONE, at(12, 0, 0), at(12, 0, 0), 1)->run, run);
        ck_assert_uint_eq(n_started("job"), 1);
}
END_TEST

START_TEST(a_trigger_that_waits_is_cancelled) {
        begin();
        keep_busy("heavy", 5 * MIN);
        define_as("asked", on_demand("heavy"));
        trigger("asked", TRIGGER_QUEUED);
        ck_assert_int_eq(world_cancel(&w, "asked", true), 1);
        run_to(13, 0, 0);
        ck_assert_uint_eq(n_started("asked"), 0);
}
END_TEST

/* Four wait, and start in the order of their priority and arrival, one as soon as the other ends. */
START_TEST(the_more_urgent_go_first_and_then_who_came_first) {
        static const char *const names[] = {"c", "b", "d", "a"}; /* in the order of arrival */
        static const int order[] = {2, 0, 1, 3};
        begin();
        keep_busy("heavy", 5 * MIN);
        for (int i = 0; i < 4; i++) {
                struct job_when when = on_demand("heavy");
                when.priority = i == 2 ? 7 : i == 3 ? -1 : 0;
                define_as(names[i], when);
                trigger(names[i], TRIGGER_QUEUED);
        }
        for (int i = 0; i < 4; i++) {
                run_to(12, 5 + i, 0);
                ck_assert_msg(is_running(names[order[i]]), "%s does not run as number %d", names[order[i]], i);
        }
}
END_TEST

START_TEST(one_that_needs_two_pools_takes_both_at_once) {
        begin();
        world_group(&w, "disk", 2);
        keep_busy("heavy", 5 * MIN);
        takes("both", 10 * MIN);
        define_as("both", on_demand("disk heavy"));
        trigger("both", TRIGGER_QUEUED);
        define_as("one", on_demand("disk")); /* the other place is kept */
        define_as("two", on_demand("disk"));
        trigger("one", TRIGGER_STARTED);
        trigger("two", TRIGGER_QUEUED);
        run_to(12, 4, 59);
        ck_assert(!is_running("two") || !is_running("both"));
        run_to(12, 5, 0);
        ck_assert(is_running("both"));
        run_to(12, 6, 0);
        ck_assert_uint_eq(n_started("two"), 1);
}
END_TEST

START_TEST(all_jobs_together_may_have_a_limit) {
        begin();
        w.next_max_running = 2;
        struct job_when none = on_demand("heavy");
        none.ties = NULL;
        for (int i = 0; i < 3; i++) {
                char name[2] = {(char)('a' + i), 0};
                define_as(name, none);
                trigger(name, i < 2 ? TRIGGER_STARTED : TRIGGER_QUEUED);
        }
        struct engine_place place;
        ck_assert(engine_view_place(w.engine, engine_find_job(w.engine, "c"), &place));
        ck_assert_ptr_null(place.group);
        ck_assert_uint_eq(place.n_runners, 2);
        run_to(12, 1, 0);
        ck_assert(is_running("c"));
}
END_TEST

START_TEST(a_lowered_limit_kills_nobody_and_a_raised_one_starts_who_waits) {
        begin();
        world_group(&w, "heavy", 2);
        run_us = 10 * MIN;
        for (int i = 0; i < 4; i++) {
                char name[2] = {(char)('a' + i), 0};
                define_as(name, on_demand("heavy"));
                trigger(name, i < 2 ? TRIGGER_STARTED : TRIGGER_QUEUED);
        }
        world_group(&w, "heavy", 1);
        world_commit(&w);
        run_to(12, 5, 0);
        ck_assert(is_running("a") && is_running("b") && !is_running("c"));
        world_group(&w, "heavy", 0); /* no limit any more */
        world_commit(&w);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert(is_running("c") && is_running("d"));
}
END_TEST

START_TEST(who_leaves_the_group_goes_on_at_once) {
        begin();
        keep_busy("heavy", 10 * MIN);
        define(member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy"));
        run_to(12, 5, 0);
        define(every(HOUR, JOB_MODE_FIXED_RATE));
        expect_ran(0, at(12, 0, 0), 5 * MIN);
        run_to(12, 5, 30);
        define_as("heavy", on_demand("other")); /* and its run with it: the place is free */
        define_as("asked", on_demand("heavy"));
        trigger("asked", TRIGGER_STARTED);
}
END_TEST

START_TEST(a_pause_withholds_what_waits_and_gives_its_turn_away) {
        begin();
        keep_busy("heavy", 10 * MIN);
        define(member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy"));
        define_as("asked", on_demand("heavy"));
        trigger("asked", TRIGGER_QUEUED);
        run_to(12, 5, 0);
        ck_assert_int_eq(world_pause(&w, "job", INT64_MAX), 1);
        expect(0, SLOT_WITHHELD, SLOT_REASON_PAUSED, at(12, 0, 0), at(12, 0, 0), 1);
        run_to(12, 10, 0);
        ck_assert(is_running("asked"));
}
END_TEST

START_TEST(a_removed_job_gives_its_turn_away) {
        begin();
        keep_busy("heavy", 10 * MIN);
        define(member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy"));
        define_as("asked", on_demand("heavy"));
        trigger("asked", TRIGGER_QUEUED);
        world_remove(&w, "job");
        world_commit(&w);
        expect(0, SLOT_WITHHELD, SLOT_REASON_REMOVED, at(12, 0, 0), at(12, 0, 0), 1);
        run_to(12, 10, 0);
        ck_assert(is_running("asked"));
}
END_TEST

/* What waits outlives the scheduler, in the order of its slots; so do runs, above the limit if need be. */
START_TEST(what_waits_outlives_the_scheduler) {
        begin();
        world_begin_ledger(&w);
        run_us = 10 * MIN;
        world_group(&w, "heavy", 2);
        for (int i = 0; i < 2; i++) {
                char name[2] = {(char)('a' + i), 0};
                define_as(name, on_demand("heavy"));
                trigger(name, TRIGGER_STARTED);
        }
        struct job_when first = member(every(HOUR, JOB_MODE_FIXED_RATE), "heavy");
        first.is_catch_up_set = true;
        first.catch_up = _i > 0 ? JOB_CATCH_UP_NONE : JOB_CATCH_UP_ONE; /* which is about slots that pass meanwhile */
        define_as("later", member(wall_grid(HOUR, 1 * MIN), "heavy"));
        define(first);
        run_to(12, 2, 0);
        ck_assert_int_eq(status_of("job"), JOB_STATUS_PENDING);
        ck_assert_int_eq(status_of("later"), JOB_STATUS_PENDING);
        world_group(&w, "heavy", 1);
        world_crash(&w, MIN);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert(is_running("a") && is_running("b"));
        ck_assert_int_eq(status_of("job"), JOB_STATUS_PENDING);
        ck_assert_int_eq(status_of("later"), JOB_STATUS_PENDING);
        run_to(12, 11, 0);
        expect_ran(0, at(12, 0, 0), 10 * MIN);
        ck_assert_int_eq(status_of("later"), JOB_STATUS_PENDING);
        run_to(12, 21, 0);
        ck_assert_uint_eq(n_started("later"), 1);
}
END_TEST

/* But for a trigger: whoever asked is told that nothing comes of it, and its number is nobody else's. */
START_TEST(a_trigger_that_waits_ends_with_the_scheduler_and_is_told) {
        begin();
        world_begin_ledger(&w);
        keep_busy("heavy", 5 * MIN);
        define_as("asked", on_demand("heavy"));
        uint64_t run = trigger("asked", TRIGGER_QUEUED);
        run_to(12, 1, 0);
        world_crash(&w, 10 * SEC);
        ck_assert_msg(!w.error[0], "%s", w.error);
        ck_assert_uint_eq(world_find(&w, "asked")->totals.dropped, 1);
        ck_assert_uint_gt(trigger("asked", TRIGGER_QUEUED), run);
        run_to(12, 6, 0);
        ck_assert_uint_eq(n_started("asked"), 1);
        world_crash(&w, 10 * SEC);
        ck_assert_uint_eq(world_find(&w, "asked")->totals.dropped, 1);
}
END_TEST

/* What waits is claimed when its turn has come, and is not said to have done without. */
START_TEST(what_starts_late_is_claimed_before) {
        begin();
        world_begin_ledger(&w);
        keep_busy("heavy", 5 * MIN);
        struct job_when when = every(10 * MIN, JOB_MODE_FIXED_RATE);
        when.catch_up = JOB_CATCH_UP_ONE;
        when.is_catch_up_set = true;
        when.overlap = JOB_OVERLAP_QUEUE;
        run_us = 12 * MIN;
        define(member(when, "heavy"));
        for (int m = 5; m < 60; m++) {
                const struct registry *g = engine_registry(w.engine);
                run_to(12, m, 30);
                const struct job_cold *cold = registry_cold(g, &g->rows[registry_find(g, "job")]);
                ck_assert_msg(cold->run.run == 0 || !cold->run.is_unclaimed, "12:%02d: run %llu", m,
                              (unsigned long long)cold->run.run);
        }
        ck_assert_uint_ge(n_started("job"), 4);
}
END_TEST

/* A place that was granted while the ledger hears of the start is free again when the slot is cancelled meanwhile. */
START_TEST(a_cancelled_start_gives_its_place_back) {
        begin();
        world_begin_ledger(&w);
        keep_busy("heavy", 5 * MIN);
        struct job_when when = every(HOUR, JOB_MODE_FIXED_RATE);
        when.catch_up = JOB_CATCH_UP_ONE;
        define(member(when, "heavy"));
        run_to(12, 4, 0);
        world_slow_disk(&w, 1000);
        run_to(12, 5, 1);
        ck_assert(!is_running("job") && !pools_are_awaited(&w, "job")); /* it waits for the ledger only */
        ck_assert_int_eq(world_cancel(&w, "job", false), 1);
        ck_assert_uint_eq(trigger("heavy", TRIGGER_STARTED) > 0, true);
}
END_TEST

/* The pool is busy from 02:00 to 03:40; the slot of 02:30 of a daily job. */
START_TEST(v12_a_slot_waits_for_its_pool) {
        uint64_t run;
        begin();
        run_to(26, 0, 0);
        keep_busy("heavy", HOUR + 40 * MIN);
        define(member(sim_when("OnCalendar=02:30\nTimeZone=UTC\n"), "heavy"));
        run_to(27, 0, 0);
        ck_assert_int_eq(world_trigger(&w, "job", &(struct engine_trigger){.is_forced = _i}, &run), TRIGGER_QUEUED);
        run_to(27, 39, 59);
        ck_assert_uint_eq(w.n_entries, 0);
        run_to(28, 0, 0);
        expect_ran(0, at(26, 30, 0), HOUR + 10 * MIN);
        ck_assert_uint_eq(w.entries[0].run, run);
        ck_assert_uint_eq(n_started("job"), 1);
}
END_TEST

int main(void) {
        Suite *s = suite_create("pools");
        TCase *t = tcase_create("pools");
        tcase_add_test(t, a_slot_waits_for_a_place_and_runs_late);
        tcase_add_test(t, without_a_deadline_the_next_slot_takes_over);
        tcase_add_test(t, slots_that_come_often_are_missed_as_ranges);
        tcase_add_test(t, a_deadline_counts_from_the_instant);
        tcase_add_test(t, slots_that_come_while_an_older_one_waits_are_missed_for_the_pool);
        tcase_add_test(t, a_line_waits_without_limit);
        tcase_add_test(t, all_that_was_passed_is_caught_up_one_by_one_as_places_come);
        tcase_add_test(t, a_fixed_delay_waits_and_counts_from_its_end);
        tcase_add_test(t, a_trigger_waits_and_keeps_its_promise);
        tcase_add_test(t, a_trigger_joins_the_slot_that_waits);
        tcase_add_test(t, a_trigger_that_waits_is_cancelled);
        tcase_add_test(t, the_more_urgent_go_first_and_then_who_came_first);
        tcase_add_test(t, one_that_needs_two_pools_takes_both_at_once);
        tcase_add_test(t, all_jobs_together_may_have_a_limit);
        tcase_add_test(t, a_lowered_limit_kills_nobody_and_a_raised_one_starts_who_waits);
        tcase_add_test(t, who_leaves_the_group_goes_on_at_once);
        tcase_add_test(t, a_pause_withholds_what_waits_and_gives_its_turn_away);
        tcase_add_test(t, a_removed_job_gives_its_turn_away);
        tcase_add_loop_test(t, what_waits_outlives_the_scheduler, 0, 2);
        tcase_add_test(t, a_trigger_that_waits_ends_with_the_scheduler_and_is_told);
        tcase_add_test(t, what_starts_late_is_claimed_before);
        tcase_add_test(t, a_cancelled_start_gives_its_place_back);
        tcase_add_loop_test(t, v12_a_slot_waits_for_its_pool, 0, 2);
        suite_add_tcase(s, t);
        return run_suite(s);
}
