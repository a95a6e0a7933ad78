// SPDX-License-Identifier: MIT
// Sizes as people write them.

#include <check.h>
#include <errno.h>

#include "config/size.h"
#include "tests/unit/run_suite.h"

static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t bytes;
} rows[] = {
        {"0", UINT64_MAX, 0, 0},
        {"4096", UINT64_MAX, 0, 4096},
        {"16K", UINT64_MAX, 0, 16384},
        {"200M", UINT64_MAX, 0, UINT64_C(200) << 20},
        {"1T", UINT64_MAX, 0, UINT64_C(1) << 40},
        {"2P", UINT64_MAX, 0, UINT64_C(1) << 51},
        {"7E", UINT64_MAX, 0, UINT64_C(7) << 60},
        {"8E", UINT64_MAX, -ERANGE, 0},
        {"64K", 65536, 0, 65536},
        {"65537", 65536, -ERANGE, 0},
        {"65K", 65536, -ERANGE, 0},
        {"9223372036854775807", UINT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999999", UINT64_MAX, -ERANGE, 0},
        {"9007199254740992K", UINT64_MAX, -ERANGE, 0},
        {"", UINT64_MAX, -EINVAL, 0},
        {"K", UINT64_MAX, -EINVAL, 0},
        {"-1", UINT64_MAX, -EINVAL, 0},
        {" 1", UINT64_MAX, -EINVAL, 0},
        {"1k", UINT64_MAX, -EINVAL, 0},
        {"1KB", UINT64_MAX, -EINVAL, 0},
        {"1.5G", UINT64_MAX, -EINVAL, 0},
};

START_TEST(size_is_read) {
        uint64_t bytes = 7;
        int r = size_parse(rows[_i].text, rows[_i].max, &bytes);
        ck_assert_msg(r == rows[_i].result, "%s: %d", rows[_i].text, r);
        ck_assert_uint_eq(bytes, r < 0 ? 7 : rows[_i].bytes);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("size");
        TCase *tc = tcase_create("size");
        tcase_add_loop_test(tc, size_is_read, 0, sizeof(rows) / sizeof(rows[0]));
        suite_add_tcase(suite, tc);
        return run_suite(suite);
}
