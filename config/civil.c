// SPDX-License-Identifier: MIT
// civil: the proleptic Gregorian calendar. A year is counted from March, so that the leap day is its last, and 400 years are an era
// of always 146097 days: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil and civil_from_days.

#include "config/civil.h"

#define DAYS_PER_ERA 146097
#define DAYS_TO_1970 719468 /* from 0000-03-01 */

static int64_t floor_divide(int64_t a, int64_t b) {
        return a / b - (a % b < 0);
}

int64_t civil_days(int64_t year, int month, int64_t day) {
        year -= month <= 2;
        int64_t era = floor_divide(year, 400), year_of_era = year - era * 400;
        int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

        return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - DAYS_TO_1970;
}

struct civil civil_of_days(int64_t days) {
        days += DAYS_TO_1970;
        int64_t era = floor_divide(days, DAYS_PER_ERA);
        int day_of_era = (int)(days - era * DAYS_PER_ERA);
        int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        int month_from_march = (5 * day_of_year + 2) / 153;
        int month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

        return (struct civil){.year = year_of_era + era * 400 + (month <= 2),
                              .month = month,
                              .day = day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

int64_t civil_seconds(const struct civil *c) {
        return civil_days(c->year, c->month, c->day) * CIVIL_DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
}

int64_t civil_day_of_seconds(int64_t seconds) {
        return floor_divide(seconds, CIVIL_DAY_S);
}

struct civil civil_of_seconds(int64_t seconds) {
        int64_t days = civil_day_of_seconds(seconds);
        int rest = (int)(seconds - days * CIVIL_DAY_S);
        struct civil c = civil_of_days(days);

        c.hour = rest / 3600;
        c.minute = rest / 60 % 60;
        c.second = rest % 60;
        return c;
}

int civil_weekday(int64_t days) {
        return (int)(days + 4 - floor_divide(days + 4, 7) * 7); /* 1970-01-01 was a Thursday */
}

bool civil_is_leap(int64_t year) {
        return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int civil_month_days(int64_t year, int month) {
        return month == 2 ? 28 + civil_is_leap(year) : 30 + ((month + month / 8) & 1);
}
