// SPDX-License-Identifier: MIT
// The groups: their table.

#include <check.h>
#include <stdio.h>

#include "daemon/scheduler/groups.h"
#include "tests/unit/run_suite.h"

START_TEST(a_group_is_what_the_latest_list_says) {
        struct groups g = {0};
        ck_assert_int_eq(groups_announce(&g, "a", "first", 2), 0);
        ck_assert_int_eq(groups_announce(&g, "b", NULL, 0), 0);
        ck_assert_int_eq(groups_announce(&g, "a", "second", 3), 0);
        uint32_t a = groups_find(&g, "a"), b = groups_find(&g, "b");
        ck_assert_uint_ne(a, INDEX_NONE);
        ck_assert(!g.list[a].is_defined);
        groups_commit(&g);
        ck_assert(g.list[a].is_defined && g.list[b].is_defined);
        ck_assert_str_eq(g.list[a].description, "second");
        ck_assert_uint_eq(g.list[a].max_running, 3);

        ck_assert_int_eq(groups_announce(&g, "a", NULL, 1), 0);
        ck_assert_uint_eq(g.list[a].max_running, 3); /* until the commit */
        groups_commit(&g);
        ck_assert_uint_eq(groups_find(&g, "a"), a);
        ck_assert_uint_eq(g.list[a].max_running, 1);
        ck_assert_ptr_null(g.list[a].description);
        ck_assert_uint_eq(groups_find(&g, "b"), INDEX_NONE);
        groups_done(&g);
}
END_TEST

START_TEST(a_hold_belongs_to_the_name) {
        struct groups g = {0};
        uint32_t a;
        ck_assert_int_eq(groups_announce(&g, "a", NULL, 0), 0);
        groups_commit(&g);
        ck_assert_int_eq(groups_add(&g, "a", &a), 0);
        ck_assert_int_eq(groups_hold(&g, a, "root", "why not", 5, INT64_MAX, 9), 0);
        ck_assert_int_eq(groups_hold(&g, a, "ops", NULL, 6, 70, 10), 0);
        ck_assert_uint_eq(g.n_held, 1);
        groups_commit(&g); /* its definition has gone */
        ck_assert_uint_eq(groups_find(&g, "a"), a);
        ck_assert(!g.list[a].is_defined && g.list[a].hold.is_on);
        ck_assert_str_eq(g.list[a].hold.by, "ops");
        ck_assert_int_eq(groups_announce(&g, "a", NULL, 0), 0);
        groups_commit(&g);
        ck_assert(g.list[a].is_defined && g.list[a].hold.is_on);
        groups_commit(&g);
        groups_release(&g, a);
        ck_assert_uint_eq(groups_find(&g, "a"), INDEX_NONE);
        ck_assert_uint_eq(g.n_held, 0);
        groups_done(&g);
}
END_TEST

START_TEST(holds_of_names_that_are_gone_are_bounded_and_their_numbers_used_again) {
        struct groups g = {0};
        char name[16];
        uint32_t number;
        for (int i = 0; i < GROUPS_HELD_MAX + 100; i++) {
                snprintf(name, sizeof(name), "g%d", i);
                ck_assert_int_eq(groups_add(&g, name, &number), 0);
                ck_assert_int_eq(groups_hold(&g, number, "root", NULL, 1, INT64_MAX, 1), 0);
        }
        groups_commit(&g);
        ck_assert_uint_eq(g.n_held, GROUPS_HELD_MAX);
        ck_assert_uint_eq(groups_find(&g, name), INDEX_NONE);
        size_t n = g.n;
        for (int i = 0; i < 100; i++) {
                snprintf(name, sizeof(name), "h%d", i);
                ck_assert_int_eq(groups_announce(&g, name, NULL, 1), 0);
        }
        ck_assert_uint_eq(g.n, n);
        groups_done(&g);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("groups");
        TCase *tc = tcase_create("table");
        tcase_add_test(tc, a_group_is_what_the_latest_list_says);
        tcase_add_test(tc, a_hold_belongs_to_the_name);
        tcase_add_test(tc, holds_of_names_that_are_gone_are_bounded_and_their_numbers_used_again);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
