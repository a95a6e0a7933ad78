// SPDX-License-Identifier: MIT
// Which numbers a START may have: rows of numbers in the order they are used in, and a table that is compared with a list of all.

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "daemon/runner/run_numbers.h"
#include "tests/unit/run_suite.h"

/* The last of the numbers is refused or not; 0 ends the row. */
static const struct {
        uint64_t numbers[8];
        int last;
} rows[] = {
        {{1}, 0},
        {{1, 2, 3}, 0},
        {{1, 1}, -EPROTO},
        {{1, 2, 3, 2}, -EPROTO},
        {{2, 1}, 0},
        {{2, 1, 1}, -EPROTO},
        {{5, 2, 4, 1, 3}, 0},
        {{5, 3, 3}, -EPROTO},
        {{5, 1, 4, 4}, -EPROTO},
        {{3, 9, 2, 5, 8, 4}, 0},
        {{3, 9, 3}, -EPROTO},
        {{1 + (UINT64_C(1) << 32)}, 0},
        {{2 + (UINT64_C(1) << 32)}, -EPROTO},
        {{UINT64_MAX}, -EPROTO},
        {{1, UINT64_MAX - 1, 2}, 0},
};

START_TEST(a_number_is_used_once_and_a_skipped_one_later) {
        struct run_numbers n = {.next = 1};
        int r = 0;

        for (size_t i = 0; i < 8 && rows[_i].numbers[i] > 0; i++)
                r = run_numbers_use(&n, rows[_i].numbers[i]);
        ck_assert_msg(r == rows[_i].last, "row %d: %d", _i, r);
        run_numbers_done(&n);
}
END_TEST

START_TEST(any_order_is_as_a_list_of_all_says) {
        enum { N = 400 };
        struct run_numbers n = {.next = 1};
        static bool used[N + 1];

        for (int i = 0; i < 4000; i++) {
                uint64_t number = 1 + (uint64_t)(random() % (i / 10 + 1));
                int r = run_numbers_use(&n, number);
                ck_assert_msg(r == (used[number] ? -EPROTO : 0), "step %d: number %d gives %d", i, (int)number, r);
                used[number] = true;
        }
        run_numbers_forget_skipped(&n);
        for (uint64_t number = 1; number < n.next; number++)
                ck_assert_int_eq(run_numbers_use(&n, number), -EPROTO);
        run_numbers_done(&n);
}
END_TEST

START_TEST(more_than_the_bound_is_forgotten_from_below) {
        struct run_numbers n = {.next = 1};
        uint64_t last = 4 * RUN_NUMBERS_RANGES_MAX;

        for (uint64_t number = 2; number <= last; number += 2)
                ck_assert_int_eq(run_numbers_use(&n, number), 0);
        ck_assert_uint_le(n.allocated_skipped, RUN_NUMBERS_RANGES_MAX);
        ck_assert_int_eq(run_numbers_use(&n, 1), -EPROTO);
        ck_assert_int_eq(run_numbers_use(&n, last - 1), 0);
        ck_assert_int_eq(run_numbers_use(&n, last + 1000), 0);
        ck_assert_int_eq(run_numbers_use(&n, last + 500), 0);
        ck_assert_int_eq(run_numbers_use(&n, last + 500), -EPROTO);
        ck_assert_int_eq(run_numbers_use(&n, last + 501), 0);
        run_numbers_done(&n);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("run_numbers");
        TCase *tcase = tcase_create("numbers");
        tcase_add_loop_test(tcase, a_number_is_used_once_and_a_skipped_one_later, 0, (int)(sizeof(rows) / sizeof(rows[0])));
        tcase_add_test(tcase, any_order_is_as_a_list_of_all_says);
        tcase_add_test(tcase, more_than_the_bound_is_forgotten_from_below);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
