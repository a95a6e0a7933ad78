// SPDX-License-Identifier: MIT
// duration: spans read as systemd reads them, and print so that they read back.

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "tests/unit/run_suite.h"

#define REFUSED INT64_C(-1)

static const struct {
        const char *text;
        int64_t us;
        const char *why; /* part of it */
} spans[] = {
        {"0", 0, NULL},
        {"5s", 5000000, NULL},
        {"90", 90000000, NULL},
        {"1h 30min", 5400000000, NULL},
        {"1h30min", 5400000000, NULL},
        {" 2 h ", 7200000000, NULL},
        {"1.5 days", 129600000000, NULL},
        {".5s", 500000, NULL},
        {"0.1ms", 100, NULL},
        {"1us", 1, NULL},
        {"7µs", 7, NULL},
        {"7μs", 7, NULL},
        {"1w 1d 1hr 1m 1sec 1msec 1usec", 694861001001, NULL},
        {"2 weeks 3 days 4 hours 5 minutes 6 seconds", 1483506000000, NULL},
        {"5 5", 10000000, NULL},
        {"infinity", DURATION_INFINITY, NULL},
        {" infinity ", DURATION_INFINITY, NULL},
        {"0.0000009s", 0, NULL},
        {"0.9999999999999999999999s", 999999, NULL},
        {"36525d", DURATION_MAX, NULL},
        {"36525d 1us", REFUSED, "100 years"},
        {"99999999999999999999", REFUSED, "100 years"},
        {"5218w", REFUSED, "100 years"},
        {"", REFUSED, "not a time span"},
        {" ", REFUSED, "not a time span"},
        {"s", REFUSED, "not a time span"},
        {"5x", REFUSED, "unknown unit"},
        {"5 S", REFUSED, "unknown unit"},
        {"5ns", REFUSED, "unknown unit"},
        {"-5s", REFUSED, "negative"},
        {"5s -5s", REFUSED, "negative"},
        {"+5s", REFUSED, "not a time span"},
        {"5.s", REFUSED, "not a time span"},
        {"1.2.3s", REFUSED, "not a time span"},
        {". 5s", REFUSED, "not a time span"},
        {"1M", REFUSED, "months"},
        {"2 months", REFUSED, "months"},
        {"1y", REFUSED, "months"},
        {"infinity 5s", REFUSED, "not a time span"},
        {"infinit", REFUSED, "not a time span"},
        {"5\xff", REFUSED, "unknown unit"},
};

START_TEST(span_reads_as_expected) {
        const char *why = NULL;
        int64_t us = REFUSED;
        int r = duration_parse(spans[_i].text, &us, &why);

        ck_assert_msg(us == spans[_i].us, "\"%s\": %lld", spans[_i].text, (long long)us);
        ck_assert_msg((r < 0) == (spans[_i].why != NULL), "\"%s\": %d", spans[_i].text, r);
        if (spans[_i].why)
                ck_assert_msg(why && strstr(why, spans[_i].why), "\"%s\": %s", spans[_i].text, why);
        ck_assert_int_eq(duration_parse(spans[_i].text, &us, NULL), r);
}
END_TEST

static const struct {
        int64_t us;
        const char *text;
} prints[] = {
        {0, "0"},
        {1, "1us"},
        {1500, "1ms 500us"},
        {5400000000, "1h 30min"},
        {DURATION_INFINITY, "infinity"},
        {DURATION_MAX, "5217w 6d"},
        {604800000000, "1w"},
        {-1500000, "-1s 500ms"},
        {INT64_MIN, "-15250284w 3d 4h 54s 775ms 808us"},
};

START_TEST(span_prints_as_expected) {
        char buf[96];
        ck_assert_msg(strcmp(duration_print(prints[_i].us, buf), prints[_i].text) == 0, "%lld: %s instead of %s",
                      (long long)prints[_i].us, buf, prints[_i].text);
}
END_TEST

START_TEST(what_is_printed_reads_back) {
        uint64_t state = 1;

        for (int i = 0; i < 20000; i++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                int64_t us = (int64_t)((state >> 1) % (uint64_t)DURATION_MAX) >> (i % 52), back;
                char buf[96];
                ck_assert_msg(duration_parse(duration_print(us, buf), &back, NULL) == 0 && back == us, "%lld: %s",
                              (long long)us, buf);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("duration");
        TCase *tcase = tcase_create("duration");

        tcase_add_loop_test(tcase, span_reads_as_expected, 0, sizeof(spans) / sizeof(spans[0]));
        tcase_add_loop_test(tcase, span_prints_as_expected, 0, sizeof(prints) / sizeof(prints[0]));
        tcase_add_test(tcase, what_is_printed_reads_back);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
