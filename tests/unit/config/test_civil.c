// SPDX-License-Identifier: MIT
// civil: known days, and every day of the years 1 to 9999 counted one by one.

#include <check.h>

#include "config/civil.h"
#include "tests/unit/run_suite.h"

static const struct {
        int64_t year;
        int month, day;
        int64_t days;
        int weekday;
} known[] = {
        {1970, 1, 1, 0, 4},       {1969, 12, 31, -1, 3},      {2000, 2, 29, 11016, 2},
        {2026, 11, 21, 20778, 6}, {1, 1, 1, -719162, 1},      {0, 3, 1, -719468, 3},
        {0, 2, 29, -719469, 2},   {9999, 12, 31, 2932896, 5}, {-400, 3, 1, -865565, 3},
};

START_TEST(day_is_known) {
        struct civil c = civil_of_days(known[_i].days);

        ck_assert_int_eq(civil_days(known[_i].year, known[_i].month, known[_i].day), known[_i].days);
        ck_assert_int_eq(c.year, known[_i].year);
        ck_assert_int_eq(c.month, known[_i].month);
        ck_assert_int_eq(c.day, known[_i].day);
        ck_assert_int_eq(civil_weekday(known[_i].days), known[_i].weekday);
}
END_TEST

START_TEST(counting_the_days_of_9999_years_gives_the_same) {
        static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
        int64_t days = -719162;

        for (int64_t year = 1; year <= 9999; year++) {
                bool is_leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
                for (int month = 1; month <= 12; month++) {
                        int length = lengths[month - 1] + (month == 2 && is_leap);
                        if (civil_month_days(year, month) != length || civil_is_leap(year) != is_leap)
                                ck_abort_msg("%lld-%02d has %d days", (long long)year, month, civil_month_days(year, month));
                        for (int day = 1; day <= length; day++, days++) {
                                struct civil c = civil_of_days(days);
                                if (civil_days(year, month, day) != days || c.year != year || c.month != month ||
                                    c.day != day || civil_weekday(days + 1) != (civil_weekday(days) + 1) % 7)
                                        ck_abort_msg("%lld-%02d-%02d", (long long)year, month, day);
                        }
                }
        }
}
END_TEST

START_TEST(seconds_split_downwards) {
        static const int64_t seconds[] = {-86401, -86400, -1, 0, 1, 86399, 86400, INT64_C(253402300799), -INT64_C(62135596800)};

        for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
                struct civil c = civil_of_seconds(seconds[i]);
                ck_assert_int_eq(civil_seconds(&c), seconds[i]);
                ck_assert(c.hour >= 0 && c.hour < 24 && c.minute >= 0 && c.minute < 60 && c.second >= 0 && c.second < 60);
        }
        struct civil last = civil_of_seconds(-1);
        ck_assert_int_eq(last.year, 1969);
        ck_assert_int_eq(last.hour, 23);
        ck_assert_int_eq(civil_day_of_seconds(-1), -1);
        ck_assert_int_eq(civil_day_of_seconds(86399), 0);
}
END_TEST

START_TEST(days_outside_their_month_count_on) {
        ck_assert_int_eq(civil_days(2026, 1, 32), civil_days(2026, 2, 1));
        ck_assert_int_eq(civil_days(2026, 1, 366), civil_days(2027, 1, 1));
        ck_assert_int_eq(civil_days(2026, 3, 0), civil_days(2026, 2, 28));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("civil");
        TCase *tcase = tcase_create("civil");

        tcase_add_loop_test(tcase, day_is_known, 0, sizeof(known) / sizeof(known[0]));
        tcase_add_test(tcase, counting_the_days_of_9999_years_gives_the_same);
        tcase_add_test(tcase, seconds_split_downwards);
        tcase_add_test(tcase, days_outside_their_month_count_on);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
