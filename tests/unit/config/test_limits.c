// SPDX-License-Identifier: MIT
// Limits as systemd.exec(5) writes them.

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "config/limits.h"
#include "tests/unit/run_suite.h"

#define INF LIMIT_INFINITY

static const struct {
        const char *key, *text;
        struct limit limit;
} good[] = {
        {"LimitCPU", "90", {90, 90}},
        {"LimitCPU", "1min 30s", {90, 90}},
        {"LimitCPU", "1ms:1h", {1, 3600}}, /* rounded up */
        {"LimitCPU", "infinity", {INF, INF}},
        {"LimitFSIZE", "0", {0, 0}},
        {"LimitFSIZE", "1G:infinity", {UINT64_C(1) << 30, INF}},
        {"LimitDATA", "4096", {4096, 4096}},
        {"LimitSTACK", "8M:1P", {UINT64_C(8) << 20, UINT64_C(1) << 50}},
        {"LimitNOFILE", "1024:524288", {1024, 524288}},
        {"LimitNPROC", "0:infinity", {0, INF}},
        {"LimitNICE", "+19", {1, 1}},
        {"LimitNICE", "-20", {40, 40}},
        {"LimitNICE", "+0", {20, 20}},
        {"LimitNICE", "40", {40, 40}},
        {"LimitNICE", "+5:-5", {15, 25}},
        {"LimitRTPRIO", "99", {99, 99}},
        {"LimitRTTIME", "500", {500, 500}},
        {"LimitRTTIME", "500ms:1s", {500000, 1000000}},
};

START_TEST(a_limit_is_read) {
        const struct limit_row *row = limit_find(good[_i].key);
        struct limit limit = {7, 7};
        const char *why;
        size_t at;

        ck_assert_ptr_nonnull(row);
        ck_assert_msg(limit_parse(row, good[_i].text, &limit, &why, &at) == 0, "%s=%s: %s", row->key, good[_i].text, why);
        ck_assert_uint_eq(limit.soft, good[_i].limit.soft);
        ck_assert_uint_eq(limit.hard, good[_i].limit.hard);
}
END_TEST

static const struct {
        const char *key, *text, *why;
        size_t at;
} bad[] = {
        {"LimitCPU", "", "write seconds", 0},
        {"LimitCPU", "-1", "write seconds", 0},
        {"LimitCPU", "1 fortnight", "write seconds", 0},
        {"LimitCPU", "18446744073709551616", "write seconds", 0},
        {"LimitCPU", "2:1", "before the colon", 2},
        {"LimitCPU", "infinity:1", "before the colon", 9},
        {"LimitAS", "1K:", "write bytes", 3},
        {"LimitAS", ":1K", "write bytes", 0},
        {"LimitAS", "1:2:3", "write bytes", 2},
        {"LimitAS", "8E", "write bytes", 0},
        {"LimitNOFILE", "1K", "write a number", 0},
        {"LimitNOFILE", "0000000000000000000000000000000000000000000000000000000000000000000001", "write a number", 0},
        {"LimitNICE", "41", "0 to 40", 0},
        {"LimitNICE", "-21", "0 to 40", 0},
        {"LimitNICE", "+", "0 to 40", 0},
        {"LimitRTTIME", "1 month", "write microseconds", 0},
};

START_TEST(what_is_no_limit_is_told) {
        struct limit limit = {7, 7};
        const char *why = "";
        size_t at = 99;

        ck_assert_int_eq(limit_parse(limit_find(bad[_i].key), bad[_i].text, &limit, &why, &at), -EINVAL);
        ck_assert_msg(strstr(why, bad[_i].why), "%s=%s: %s", bad[_i].key, bad[_i].text, why);
        ck_assert_uint_eq(at, bad[_i].at);
        ck_assert_uint_eq(limit.soft, 7);
}
END_TEST

START_TEST(each_limit_of_the_kernel_has_one_row) {
        size_t n;
        const struct limit_row *rows = limit_rows(&n);
        uint32_t seen = 0;

        for (size_t i = 0; i < n; i++) {
                ck_assert_msg(!(seen >> rows[i].resource & 1), "%s", rows[i].key);
                seen |= UINT32_C(1) << rows[i].resource;
                ck_assert_ptr_eq(limit_find(rows[i].key), &rows[i]);
        }
        ck_assert_uint_eq(seen, (UINT32_C(1) << RLIM_NLIMITS) - 1);
        ck_assert_ptr_null(limit_find("LimitX"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("limits");
        TCase *tc = tcase_create("limits");
        tcase_add_loop_test(tc, a_limit_is_read, 0, sizeof(good) / sizeof(good[0]));
        tcase_add_loop_test(tc, what_is_no_limit_is_told, 0, sizeof(bad) / sizeof(bad[0]));
        tcase_add_test(tc, each_limit_of_the_kernel_has_one_row);
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
