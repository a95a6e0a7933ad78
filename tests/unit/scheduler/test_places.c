// SPDX-License-Identifier: MIT
// Whose turn it is where places are few: by priority, then by arrival, all places at once.

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scheduler/places.h"
#include "tests/unit/run_suite.h"

static struct places p;
static uint32_t waiters[8];

/* Pools A (1), B (2), C (3) of so many places each. */
static void begin(uint32_t a, uint32_t b, uint32_t c) {
        places_done(&p);
        ck_assert_int_eq(places_reserve(&p, 4), 0);
        p.pools[1].max = a;
        p.pools[2].max = b;
        p.pools[3].max = c;
}

static size_t pools_of(const char *letters, uint32_t pools[static PLACES_POOLS_MAX]) {
        size_t n = 0;
        for (; letters[n]; n++)
                pools[n] = (uint32_t)(letters[n] - 'A') + 1;
        return n;
}

static void wait_for(uint32_t job, const char *letters, int32_t priority) {
        uint32_t pools[PLACES_POOLS_MAX];
        size_t n = pools_of(letters, pools);
        ck_assert_int_eq(places_wait(&p, job, pools, n, priority, 0, &waiters[job]), 0);
}

static void run(const char *letters) {
        uint32_t pools[PLACES_POOLS_MAX];
        size_t n = pools_of(letters, pools);
        places_take(&p, pools, n);
}

static void end(const char *letters) {
        uint32_t pools[PLACES_POOLS_MAX];
        size_t n = pools_of(letters, pools);
        places_give(&p, pools, n);
}

/* Who is granted places now, in their order. */
static void expect_granted(const char *jobs) {
        for (; *jobs; jobs++) {
                uint32_t waiter = places_grant(&p);
                ck_assert_msg(waiter != INDEX_NONE, "nobody's turn, not that of job %c", *jobs);
                ck_assert_uint_eq(p.waiters[waiter].job, (uint32_t)(*jobs - '0'));
                places_leave(&p, waiter);
        }
        ck_assert_uint_eq(places_grant(&p), INDEX_NONE);
}

START_TEST(the_more_urgent_go_first_and_then_who_came_first) {
        begin(1, 0, 0);
        run("A");
        wait_for(0, "A", 0);
        wait_for(1, "A", 0);
        wait_for(2, "A", 5);
        wait_for(3, "A", -5);
        wait_for(4, "A", 5);
        ck_assert_uint_eq(places_count_before(&p, waiters[3]), 4);
        ck_assert_uint_eq(places_count_waiting(&p, 1), 5);
        expect_granted("");
        for (const char *next = "24013"; *next; next++) {
                char one[2] = {*next, 0};
                end("A");
                expect_granted(one);
        }
        ck_assert_uint_eq(p.n_used, 0);
        places_done(&p);
}
END_TEST

START_TEST(all_places_are_taken_at_once_or_none) {
        begin(1, 1, 0);
        run("A");
        wait_for(0, "AB", 0);
        expect_granted("");
        ck_assert_uint_eq(p.pools[2].n_taken, 0);
        end("A");
        expect_granted("0");
        ck_assert_uint_eq(p.pools[1].n_taken, 1);
        ck_assert_uint_eq(p.pools[2].n_taken, 1);
        places_done(&p);
}
END_TEST

START_TEST(who_is_first_everywhere_keeps_one_place_in_each_pool_and_no_more) {
        begin(3, 1, 0);
        run("AAA");
        run("B");
        wait_for(0, "AB", 0);
        wait_for(1, "A", 0);
        wait_for(2, "A", 0);
        end("A");
        expect_granted(""); /* that one is kept */
        end("A");
        expect_granted("1");
        end("B");
        expect_granted("0");
        end("A");
        expect_granted("2");
        places_done(&p);
}
END_TEST

START_TEST(who_is_not_first_everywhere_keeps_nothing) {
        begin(1, 1, 0);
        run("A");
        run("B");
        wait_for(0, "B", 9); /* and more like it may come for ever */
        wait_for(1, "AB", 0);
        wait_for(2, "A", 0);
        end("A");
        expect_granted("2");
        end("B");
        expect_granted("0");
        end("A");
        expect_granted(""); /* its turn has come in both */
        wait_for(3, "A", 0);
        expect_granted("");
        end("B");
        expect_granted("1");
        places_done(&p);
}
END_TEST

START_TEST(a_newcomer_passes_only_those_who_want_something_else) {
        uint32_t pools[PLACES_POOLS_MAX];
        begin(1, 2, 1);
        run("A");
        wait_for(0, "AB", 0);
        ck_assert(!places_are_free(&p, pools, pools_of("A", pools)));
        ck_assert(!places_are_free(&p, pools, pools_of("B", pools))); /* it has to queue, */
        ck_assert(places_are_free(&p, pools, pools_of("C", pools)));
        wait_for(1, "B", 0);
        expect_granted("1"); /* and is granted its place at once */
        places_done(&p);
}
END_TEST

START_TEST(who_leaves_gives_way) {
        begin(1, 1, 0);
        run("B");
        wait_for(0, "AB", 0);
        wait_for(1, "A", 0);
        expect_granted("");
        places_leave(&p, waiters[0]);
        expect_granted("1");
        places_done(&p);
}
END_TEST

START_TEST(a_limit_that_was_lowered_holds_for_those_who_come) {
        begin(3, 0, 0);
        run("AAA");
        p.pools[1].max = 1;
        wait_for(0, "A", 0);
        end("AA");
        expect_granted("");
        end("A");
        expect_granted("0");
        places_done(&p);
}
END_TEST

START_TEST(other_pools_and_priorities_keep_the_arrival) {
        uint32_t pools[PLACES_POOLS_MAX];
        begin(1, 1, 0);
        run("AB");
        wait_for(0, "A", 0);
        wait_for(1, "A", 0);
        wait_for(2, "B", 0);
        ck_assert_int_eq(places_move(&p, waiters[0], pools, pools_of("B", pools), 0), 0);
        ck_assert_int_eq(places_move(&p, waiters[1], pools, pools_of("A", pools), 3), 0);
        end("AB");
        expect_granted("10");
        ck_assert_int_eq(places_move(&p, waiters[2], pools, 0, 0), 0); /* of no pool any more */
        expect_granted("2");
        places_done(&p);
}
END_TEST

/* The order is that of a plain search through all. */
START_TEST(heaps_say_what_a_search_says) {
        struct {
                int32_t priority;
                bool is_in;
        } list[200] = {0};
        uint32_t pool = 1, numbers[200];
        unsigned seed = 1;
        begin(1, 0, 0);
        run("A");
        for (int step = 0; step < 4000; step++) {
                seed = seed * 1103515245 + 12345;
                size_t at = (seed >> 16) % 200;
                if (!list[at].is_in) {
                        list[at].priority = (int32_t)((seed >> 8) % 7);
                        list[at].is_in = true;
                        ck_assert_int_eq(places_wait(&p, (uint32_t)at, &pool, 1, list[at].priority, (int64_t)at, &numbers[at]),
                                         0);
                        continue;
                }
                if (seed & 4096) {
                        places_leave(&p, numbers[at]);
                        list[at].is_in = false;
                        continue;
                }
                size_t best = 200;
                for (size_t i = 0; i < 200; i++)
                        if (list[i].is_in && (best == 200 || list[i].priority > list[best].priority))
                                best = i;
                end("A");
                uint32_t waiter = places_grant(&p);
                ck_assert_uint_eq(p.waiters[waiter].job, (uint32_t)best);
                places_leave(&p, waiter);
                list[best].is_in = false;
        }
        places_done(&p);
}
END_TEST

int main(void) {
        Suite *s = suite_create("places");
        TCase *t = tcase_create("places");
        tcase_add_test(t, the_more_urgent_go_first_and_then_who_came_first);
        tcase_add_test(t, all_places_are_taken_at_once_or_none);
        tcase_add_test(t, who_is_first_everywhere_keeps_one_place_in_each_pool_and_no_more);
        tcase_add_test(t, who_is_not_first_everywhere_keeps_nothing);
        tcase_add_test(t, a_newcomer_passes_only_those_who_want_something_else);
        tcase_add_test(t, who_leaves_gives_way);
        tcase_add_test(t, a_limit_that_was_lowered_holds_for_those_who_come);
        tcase_add_test(t, other_pools_and_priorities_keep_the_arrival);
        tcase_add_test(t, heaps_say_what_a_search_says);
        suite_add_tcase(s, t);
        return run_suite(s);
}
