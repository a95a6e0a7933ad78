// SPDX-License-Identifier: MIT
// How much a job may have: (text, is it a size, what it is), and what a share comes to.

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "config/amount.h"
#include "tests/unit/run_suite.h"

static const struct {
        const char *text;
        bool is_size;
        int result;
        struct amount amount;
} rows[] = {
        {"1", false, 0, {1, false}},
        {"4194304", false, 0, {4194304, false}},
        {"512M", true, 0, {UINT64_C(512) << 20, false}},
        {"8E", true, -ERANGE, {}},
        {"7E", true, 0, {UINT64_C(7) << 60, false}},
        {"1K", false, -EINVAL, {}},
        {"infinity", true, 0, {}},
        {"infinity", false, 0, {}},
        {"50%", true, 0, {5000, true}},
        {"100%", false, 0, {10000, true}},
        {"0.01%", false, 0, {1, true}},
        {"12.5%", false, 0, {1250, true}},
        {"12.50%", false, 0, {1250, true}},
        {"99.99%", false, 0, {9999, true}},
        {"100.01%", false, -ERANGE, {}},
        {"0.001%", false, -EINVAL, {}},
        {"12.%", false, -EINVAL, {}},
        {".5%", false, -EINVAL, {}},
        {"1.2.3%", false, -EINVAL, {}},
        {"50 %", false, -EINVAL, {}},
        {"%", false, -EINVAL, {}},
        {"99999999999999999999999999%", false, -ERANGE, {}},
        {"0", false, -ERANGE, {}},
        {"0", true, -ERANGE, {}},
        {"0%", false, -ERANGE, {}},
        {"0.00%", false, -ERANGE, {}},
        {"-1", false, -EINVAL, {}},
        {"", true, -EINVAL, {}},
        {"512MB", true, -EINVAL, {}},
        {"99999999999999999999", false, -ERANGE, {}},
        {"Infinity", false, -EINVAL, {}},
};

START_TEST(it_is_a_number_a_share_or_no_limit) {
        struct amount got = {77, true};
        int r = amount_parse(rows[_i].text, rows[_i].is_size, &got);

        ck_assert_msg(r == rows[_i].result, "%s: %d", rows[_i].text, r);
        ck_assert_msg(r < 0 ? got.n == 77 && got.is_share
                            : got.n == rows[_i].amount.n && (got.n == 0 || got.is_share == rows[_i].amount.is_share),
                      "%s: %llu", rows[_i].text, (unsigned long long)got.n);
}
END_TEST

START_TEST(a_share_is_of_the_whole) {
        ck_assert_uint_eq(amount_of(&(struct amount){5000, true}, 1000), 500);
        ck_assert_uint_eq(amount_of(&(struct amount){10000, true}, UINT64_MAX), UINT64_MAX);
        ck_assert_uint_eq(amount_of(&(struct amount){1, true}, 5), 1);
        ck_assert_uint_eq(amount_of(&(struct amount){}, 5), 0);
        ck_assert_uint_eq(amount_of(&(struct amount){0, true}, 5), 0);
        ck_assert_uint_eq(amount_of(&(struct amount){5000, false}, 5), 5000);
}
END_TEST

START_TEST(more_than_one_processor_is_more_than_the_whole) {
        uint64_t parts = 0;

        ck_assert_int_eq(amount_parse_share("250%", 1000000, &parts), 0);
        ck_assert_uint_eq(parts, 25000);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("amount");
        TCase *tcase = tcase_create("amounts");
        tcase_add_loop_test(tcase, it_is_a_number_a_share_or_no_limit, 0, (int)(sizeof(rows) / sizeof(rows[0])));
        tcase_add_test(tcase, a_share_is_of_the_whole);
        tcase_add_test(tcase, more_than_one_processor_is_more_than_the_whole);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
