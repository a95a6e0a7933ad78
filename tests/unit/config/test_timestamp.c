// SPDX-License-Identifier: MIT
// timestamp: points in time in each form, in UTC, with offsets and in a local zone with daylight saving time.

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/timestamp.h"
#include "tests/unit/run_suite.h"

#define REFUSED INT64_C(-1)

/* The zone is CET-1CEST,M3.5.0,M10.5.0/3, spelled out so that no zone data are needed. */
static const struct {
        const char *text;
        int64_t us;
        const char *why;
} times[] = {
        {"@0", 0, NULL},
        {"@1.5", 1500000, NULL},
        {"@9246182399", INT64_C(9246182399000000), NULL},
        {"1970-01-01T00:00:00Z", 0, NULL},
        {"2000-02-29T12:00:00Z", INT64_C(951825600000000), NULL},
        {"2026-11-21T02:30:00Z", INT64_C(1795228200000000), NULL},
        {"2026-11-21T03:30:00+01:00", INT64_C(1795228200000000), NULL},
        {"2026-11-20T22:00:00.25-04:30", INT64_C(1795228200250000), NULL},
        {"2026-11-21 02:30 UTC", INT64_C(1795228200000000), NULL},
        {"2026-11-21 02:30:00.123456 UTC", INT64_C(1795228200123456), NULL},
        {"2026-11-21 UTC", INT64_C(1795219200000000), NULL},
        {"2026-11-21 03:30", INT64_C(1795228200000000), NULL},
        {"2026-11-21", INT64_C(1795215600000000), NULL},
        {"2026-07-01 00:00", INT64_C(1782856800000000), NULL},
        {"2262-12-31T23:59:59Z", INT64_C(9246182399000000), NULL},
        {"2026-03-29 02:30", REFUSED, "does not exist"},
        {"2026-02-29", REFUSED, "no such day"},
        {"2026-13-01", REFUSED, "no such day"},
        {"2026-00-01", REFUSED, "no such day"},
        {"2026-01-00", REFUSED, "no such day"},
        {"1969-12-31T00:00:00Z", REFUSED, "1970"},
        {"1970-01-01 00:30", REFUSED, "1970"},
        {"2263-01-01", REFUSED, "1970"},
        {"2262-12-31T23:59:59-00:01", REFUSED, "1970"},
        {"@9246182400", REFUSED, "1970"},
        {"@99999999999999999999", REFUSED, "1970"},
        {"2026-01-01 24:00", REFUSED, "hours"},
        {"2026-01-01 12:60", REFUSED, "hours"},
        {"2026-01-01 12:00:60", REFUSED, "hours"},
        {"2026-01-01T12:00:00+24:00", REFUSED, "hours"},
        {"", REFUSED, "not a time"},
        {"@", REFUSED, "not a time"},
        {"@-1", REFUSED, "not a time"},
        {"@1x", REFUSED, "not a time"},
        {"26-1-1", REFUSED, "not a time"},
        {"2026-01-01x", REFUSED, "not a time"},
        {"2026-01-01T", REFUSED, "not a time"},
        {"2026-01-01 12:00:", REFUSED, "not a time"},
        {"2026-01-01 12:00:00.", REFUSED, "not a time"},
        {"2026-01-01T12:00:00+0100", REFUSED, "not a time"},
        {"2026-01-01 12:00 Europe/Berlin", REFUSED, "not a time"},
        {"tomorrow", REFUSED, "not a time"},
};

static void set_zone(void) {
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
}

START_TEST(time_reads_as_expected) {
        const char *why = NULL;
        int64_t us = REFUSED;
        int r = timestamp_parse(times[_i].text, &us, &why);

        ck_assert_msg(us == times[_i].us, "\"%s\": %lld", times[_i].text, (long long)us);
        ck_assert_msg((r < 0) == (times[_i].why != NULL), "\"%s\": %d", times[_i].text, r);
        if (times[_i].why)
                ck_assert_msg(why && strstr(why, times[_i].why), "\"%s\": %s", times[_i].text, why);
}
END_TEST

static const struct {
        const char *text;
        struct timestamp t;
} unresolved[] = {
        {"2026-03-29 02:30", {INT64_C(1774751400000000), true, true}}, /* no zone is asked */
        {"2026-03-29", {INT64_C(1774742400000000), true, false}},
        {"2026-03-29 UTC", {INT64_C(1774742400000000), false, false}},
        {"2026-03-29T02:30:00+02:00", {INT64_C(1774744200000000), false, true}},
        {"@1.5", {1500000, false, true}},
};

START_TEST(what_was_written_is_told_from_what_the_zone_makes_of_it) {
        struct timestamp t = {};
        const char *why;

        ck_assert_int_eq(timestamp_read(unresolved[_i].text, &t, &why), 0);
        ck_assert_int_eq(t.us, unresolved[_i].t.us);
        ck_assert_int_eq(t.is_civil, unresolved[_i].t.is_civil);
        ck_assert_int_eq(t.has_clock, unresolved[_i].t.has_clock);
}
END_TEST

START_TEST(prints_what_the_c_library_prints_and_reads_it_back) {
        uint64_t state = 1;

        for (int i = 0; i < 20000; i++) {
                state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
                int64_t us = (int64_t)((state >> 1) % UINT64_C(9246182400000000)), back;
                time_t seconds = us / 1000000;
                struct tm tm;
                const char *why;
                char buf[40], expected[40];
                timestamp_print_utc(us, buf);
                strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
                ck_assert_msg(strncmp(buf, expected, strlen(expected)) == 0, "%lld: %s, not %s", (long long)us, buf, expected);
                ck_assert_msg(timestamp_parse(buf, &back, &why) == 0 && back == us, "%lld: %s", (long long)us, buf);
        }
}
END_TEST

START_TEST(prints_the_fraction_only_where_there_is_one) {
        char buf[40];

        ck_assert_str_eq(timestamp_print_utc(0, buf), "1970-01-01T00:00:00Z");
        ck_assert_str_eq(timestamp_print_utc(1500000, buf), "1970-01-01T00:00:01.5Z");
        ck_assert_str_eq(timestamp_print_utc(1, buf), "1970-01-01T00:00:00.000001Z");
        ck_assert_str_eq(timestamp_print_utc(-1, buf), "1969-12-31T23:59:59.999999Z");
        ck_assert_str_eq(timestamp_print_civil(0, buf), "1970-01-01 00:00");
        ck_assert_str_eq(timestamp_print_civil(90000000, buf), "1970-01-01 00:01:30");
        ck_assert_str_eq(timestamp_print_civil(500000, buf), "1970-01-01 00:00:00.5");
        ck_assert_uint_lt(strlen(timestamp_print_civil(INT64_MIN, buf)), 40);
        ck_assert_uint_lt(strlen(timestamp_print_utc(INT64_MAX, buf)), 40);
        ck_assert_uint_lt(strlen(timestamp_print_utc(INT64_MIN, buf)), 40);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("timestamp");
        TCase *tcase = tcase_create("timestamp");

        tcase_add_unchecked_fixture(tcase, set_zone, NULL);
        tcase_add_loop_test(tcase, time_reads_as_expected, 0, sizeof(times) / sizeof(times[0]));
        tcase_add_loop_test(tcase, what_was_written_is_told_from_what_the_zone_makes_of_it, 0,
                            sizeof(unresolved) / sizeof(unresolved[0]));
        tcase_add_test(tcase, prints_what_the_c_library_prints_and_reads_it_back);
        tcase_add_test(tcase, prints_the_fraction_only_where_there_is_one);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
