// SPDX-License-Identifier: MIT
// civil: the proleptic Gregorian calendar: days since 1970-01-01 from dates and back, weekdays, lengths of months.
// Pure, without zones and leap seconds: "seconds" count as if the wall clock were UTC. Exact for the years 1 to 9999 and far beyond.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define CIVIL_DAY_S INT64_C(86400)

struct civil {
        int64_t year;
        int month, day; /* 1..12, 1..31 */
        int hour, minute, second;
};

/* Days from 1970-01-01 to a date of month 1..12; the day may lie outside its month ("January 32" is February 1). */
int64_t civil_days(int64_t year, int month, int64_t day);
/* The date of a day since 1970-01-01, at 00:00:00. */
struct civil civil_of_days(int64_t days);
/* Seconds since 1970-01-01 00:00:00, and back. */
int64_t civil_seconds(const struct civil *c);
struct civil civil_of_seconds(int64_t seconds);
/* The day since 1970-01-01 in which a second lies; also before 1970. */
int64_t civil_day_of_seconds(int64_t seconds);
/* 0 is Sunday, 6 Saturday. */
int civil_weekday(int64_t days);
bool civil_is_leap(int64_t year);
/* 28..31; month 1..12. */
int civil_month_days(int64_t year, int month);
