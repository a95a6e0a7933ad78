// SPDX-License-Identifier: MIT
// The scheduler's tables against slow models of themselves, and the arithmetic of slots by table.

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "daemon/scheduler/index.h"
#include "daemon/scheduler/plan.h"
#include "daemon/scheduler/registry.h"
#include "daemon/scheduler/schedule.h"
#include "tests/unit/run_suite.h"

#define IDS 200

static uint64_t state = 1;

static uint32_t below(uint32_t n) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(state >> 33) % n;
}

START_TEST(the_queue_gives_the_earliest_whatever_was_set_moved_and_removed) {
        struct schedule s = {0};
        int64_t model[IDS];
        for (int i = 0; i < IDS; i++) {
                model[i] = INT64_MAX;
                ck_assert_int_eq(schedule_reserve(&s, (uint32_t)i), 0);
        }
        for (int step = 0; step < 50000; step++) {
                uint32_t id = below(IDS);
                if (below(3) == 0) {
                        schedule_remove(&s, id);
                        model[id] = INT64_MAX;
                } else {
                        model[id] = (int64_t)below(1000);
                        schedule_set(&s, id, model[id]);
                }
                int64_t least = INT64_MAX;
                for (int i = 0; i < IDS; i++)
                        if (model[i] < least)
                                least = model[i];
                const struct schedule_entry *first = schedule_first(&s);
                ck_assert_int_eq(first ? first->at_us : INT64_MAX, least);
                ck_assert_int_eq(schedule_has(&s, id), model[id] != INT64_MAX);
                if (schedule_has(&s, id))
                        ck_assert_int_eq(schedule_at(&s, id), model[id]);
        }
        schedule_done(&s);
}
END_TEST

static uint64_t id_hash(const void *table, uint32_t row) {
        (void)table;
        return row % 17; /* long chains, so that removal has work to do */
}

static bool id_equal(const void *table, uint32_t row, const void *wanted) {
        (void)table;
        return row == *(const uint32_t *)wanted;
}

START_TEST(the_index_finds_what_was_added_and_not_removed) {
        struct index x = {0};
        bool model[IDS] = {0};
        for (int step = 0; step < 50000; step++) {
                uint32_t id = below(IDS);
                if (model[id])
                        index_remove(&x, id_hash(NULL, id), id, id_hash, NULL);
                else
                        ck_assert_int_eq(index_add(&x, id_hash(NULL, id), id, id_hash, NULL), 0);
                model[id] = !model[id];
                uint32_t probe = below(IDS);
                uint32_t found = index_find(&x, id_hash(NULL, probe), id_equal, NULL, &probe);
                ck_assert_uint_eq(found, model[probe] ? probe : INDEX_NONE);
        }
        index_done(&x);
}
END_TEST

START_TEST(names_and_policies_survive_churn_and_equal_policies_are_one) {
        struct registry g;
        registry_init(&g);
        bool model[IDS] = {0};
        char descriptions[IDS][32];
        struct job_when when;
        job_when_init(&when);
        for (int step = 0; step < 20000; step++) {
                char name[32];
                uint32_t id = below(IDS), row, policy;
                snprintf(name, sizeof(name), "a-job-of-some-length-%u", id);
                ck_assert_int_eq(registry_find(&g, name) != INDEX_NONE, model[id]);
                if (model[id] && step % 3 == 0) {
                        snprintf(descriptions[id], sizeof(descriptions[id]), "%s", step % 2 ? "" : name + step % 20);
                        ck_assert_int_eq(
                                registry_describe(&g, registry_find(&g, name), descriptions[id], id % 2 ? "FROM TO" : NULL), 0);
                        continue;
                }
                if (model[id])
                        registry_drop(&g, registry_find(&g, name));
                else {
                        descriptions[id][0] = '\0';
                        when.every_us = (int64_t)(id % 5 + 1) * USEC_PER_SEC;
                        ck_assert_int_eq(registry_add(&g, name, &row), 0);
                        ck_assert_int_eq(registry_intern(&g, &when, &policy), 0);
                        g.rows[row].when = policy;
                        if (id % 3 == 0)
                                ck_assert_ptr_nonnull(registry_warm(&g, &g.rows[row]));
                }
                model[id] = !model[id];
        }
        size_t live = 0;
        for (uint32_t id = 0; id < IDS; id++) {
                char name[32];
                snprintf(name, sizeof(name), "a-job-of-some-length-%u", id);
                uint32_t row = registry_find(&g, name);
                if (row == INDEX_NONE)
                        continue;
                live++;
                ck_assert_str_eq(registry_name(&g, &g.rows[row]), name);
                ck_assert_str_eq(registry_description(&g, &g.rows[row]), descriptions[id]);
                ck_assert_int_eq(registry_when(&g, g.rows[row].when)->every_us, (int64_t)(id % 5 + 1) * USEC_PER_SEC);
        }
        ck_assert_uint_eq(g.n_jobs, live);
        ck_assert_uint_le(g.n_policies, 6);
        ck_assert_uint_le(g.texts_size, 2 * IDS * 2 * 26 + 8192);
        registry_done(&g);
}
END_TEST

static const uint8_t seed[16] = "a seed of words";

static const struct {
        int64_t anchor, every, at, last, first_after;
} grids[] = {
        {0, 10, 0, 0, 1},
        {0, 10, 9, 0, 1},
        {0, 10, 10, 1, 2},
        {0, 10, -1, -1, 0},
        {0, 10, -10, -1, 0},
        {5, 10, 4, -1, 0},
        {5, 10, 5, 0, 1},
        {5, 10, 25, 2, 3},
        {100, 7, 99, -1, 0},
        {100, 7, 93, -1, 0},
        {100, 7, 92, -2, -1},
        {3, 1, 3, 0, 1},
        {3, 1, 1000003, 1000000, 1000001},
        {-5, 10, 0, 0, 1},
};

START_TEST(keys_are_counted_by_division_on_both_sides_of_the_anchor) {
        struct plan_grid g = {.grid = {.anchor_us = grids[_i].anchor, .every_us = grids[_i].every}, .until_us = INT64_MAX};
        ck_assert_msg(plan_last_due(&g, grids[_i].at) == grids[_i].last, "row %d: last due %" PRId64, _i,
                      plan_last_due(&g, grids[_i].at));
        ck_assert_msg(plan_first_after(&g, grids[_i].at) == grids[_i].first_after, "row %d: first after %" PRId64, _i,
                      plan_first_after(&g, grids[_i].at));
}
END_TEST

START_TEST(a_drawn_delay_stays_below_the_next_slot_and_is_spread_evenly) {
        struct plan_grid g = {
                .grid = {.every_us = 1000}, .draw_bound_us = 999, .seed = seed, .stream = 3, .until_us = INT64_MAX};
        uint32_t tenths[10] = {0};
        for (int64_t key = 0; key < 10000; key++) {
                int64_t late = plan_due(&g, key) - plan_nominal(&g, key);
                ck_assert_int_ge(late, 0);
                ck_assert_int_lt(late, 1000);
                ck_assert_int_eq(late, plan_due(&g, key) - plan_nominal(&g, key));
                tenths[late / 100]++;
                /* the last due slot at its own due instant is itself, a moment before it is the one before */
                ck_assert_int_eq(plan_last_due(&g, plan_due(&g, key)), key);
                if (late > 0)
                        ck_assert_int_eq(plan_last_due(&g, plan_due(&g, key) - 1), key - 1);
        }
        for (int i = 0; i < 10; i++)
                ck_assert_msg(tenths[i] > 850 && tenths[i] < 1150, "tenth %d: %u of 10000", i, tenths[i]);
        struct plan_grid other = g;
        other.stream = 4;
        int same = 0;
        for (int64_t key = 0; key < 1000; key++)
                same += plan_due(&g, key) == plan_due(&other, key);
        ck_assert_int_lt(same, 20);
}
END_TEST

START_TEST(jitter_spreads_the_wait_around_every) {
        struct job_when when;
        job_when_init(&when);
        when.every_us = 10000;
        ck_assert_int_eq(plan_wait(&when, seed, 1, 5), 10000);
        when.jitter_ppm = 100000;
        int64_t sum = 0;
        for (int64_t key = 0; key < 10000; key++) {
                int64_t wait = plan_wait(&when, seed, 1, key);
                ck_assert_int_ge(wait, 9000);
                ck_assert_int_le(wait, 11000);
                sum += wait;
        }
        ck_assert_int_gt(sum, INT64_C(99500000));
        ck_assert_int_lt(sum, INT64_C(100500000));
}
END_TEST

START_TEST(a_policy_keeps_its_calendars) {
        static const char text[] = "OnCalendar=02:30\nExcept=holidays: Sat\nTimeZone=UTC\n";
        struct zones zones = {};
        struct agendas agendas = {.find_zone = zones_find_for_agendas, .userdata = &zones};
        struct registry g = {};
        struct job_when when;
        char *description;
        uint32_t policy, same;

        ck_assert_int_eq(job_when_parse(text, strlen(text), &agendas, &when, &description), 0);
        ck_assert_int_eq(registry_intern(&g, &when, &policy), 0);
        ck_assert_int_eq(registry_intern(&g, &when, &same), 0);
        ck_assert_uint_eq(policy, same);
        job_when_done(&when);
        registry_release(&g, policy);
        ck_assert_uint_eq(agendas.table.n, 1);
        ck_assert_uint_eq(agendas.days.n, 1);
        ck_assert_str_eq(days_words(registry_when(&g, policy)->days), "not on holidays");
        registry_release(&g, policy);
        ck_assert_uint_eq(agendas.table.n, 0);
        ck_assert_uint_eq(agendas.days.n, 0);
        registry_done(&g);
        agendas_done(&agendas);
        zones_done(&zones);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("tables");
        TCase *tc = tcase_create("tables");
        tcase_add_test(tc, the_queue_gives_the_earliest_whatever_was_set_moved_and_removed);
        tcase_add_test(tc, the_index_finds_what_was_added_and_not_removed);
        tcase_add_test(tc, names_and_policies_survive_churn_and_equal_policies_are_one);
        tcase_add_loop_test(tc, keys_are_counted_by_division_on_both_sides_of_the_anchor, 0, sizeof(grids) / sizeof(grids[0]));
        tcase_add_test(tc, a_drawn_delay_stays_below_the_next_slot_and_is_spread_evenly);
        tcase_add_test(tc, jitter_spreads_the_wait_around_every);
        tcase_add_test(tc, a_policy_keeps_its_calendars);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
