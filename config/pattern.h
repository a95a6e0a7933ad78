// SPDX-License-Identifier: MIT
// pattern: what OnCalendar= and Cron= compile to, and the one walk over it: the next civil time that matches.
// Pure, and blind to zones: civil times are microseconds since 1970-01-01 00:00 as if the wall clock were UTC.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATTERN_NEVER      INT64_MAX
#define PATTERN_YEAR_FIRST 1970
#define PATTERN_YEAR_LAST  2199 /* systemd's; after it nothing matches any more */
#define PATTERN_YEAR_WORDS 4
#define PATTERN_TEXT_MAX   1000 /* bytes of an expression, without the end */
#define PATTERN_NTH_MAX    5    /* of one weekday in a month */

/* Which days of a month match: a day of the month by one of the first three, and (or) a day of the week by one of the others. */
struct pattern_days {
        uint32_t of_month; /* bit d: day d */
        uint32_t from_end; /* bit n: the n-th last day, 1 is the last one */
        uint32_t nearest;  /* bit d: the working day (Mon..Fri of the same month) nearest to day d; bit 0: to the last */
        uint8_t of_week;   /* bit 0 is Sunday, as below */
        uint8_t nth[PATTERN_NTH_MAX]; /* the first ones of a month at [0] */
        uint8_t last;                 /* the last of a month */
        bool is_either;               /* one of the two suffices; else both must match */
};

/* Seconds of a minute: first, first + step, ... last; step > 0. */
struct pattern_run {
        int32_t first_us, last_us, step_us;
};

struct pattern {
        uint64_t years[PATTERN_YEAR_WORDS]; /* bit 0: PATTERN_YEAR_FIRST */
        uint64_t minutes;
        uint32_t hours;
        uint16_t months; /* bit 1 is January */
        struct pattern_days days;
        size_t n_runs; /* at least 1 */
        struct pattern_run *runs;
        bool is_fixed;    /* neither hour nor minute holds "*" or "/": Gap= and Fold= apply */
        int64_t first_us; /* the first match of a day, from its 00:00; pattern_finish() sets it */
        char *text;       /* canonical: reads back as the same pattern; at most PATTERN_TEXT_MAX bytes */
        char *zone;       /* the zone that stands in the text, not looked up; NULL: none */
        char *warning;    /* what may surprise, one line; NULL: nothing */
};

#define PATTERN_ERROR_MAX 200 /* bytes with the end */

struct pattern_error {
        size_t at; /* byte of the expression where it was noticed, from 0 */
        char text[PATTERN_ERROR_MAX];
};

/* Takes NULL and half-built ones, returns NULL. */
struct pattern *pattern_free(struct pattern *p);
/* For the parsers, once the sets are filled: makes it ready for the walk. False if it can never match. */
bool pattern_finish(struct pattern *p);
/* The first civil time at or after from_us that matches, or PATTERN_NEVER. */
int64_t pattern_next_civil(const struct pattern *p, int64_t from_us);
/* How many times of a day match, on a day that does. */
int64_t pattern_count_times(const struct pattern *p);
/* How many of the days from `from` (since 1970-01-01) to before `to` match; both in one month of PATTERN_YEAR_FIRST..LAST, or to is
 * the first of the next one. */
int pattern_count_days(const struct pattern *p, int64_t from, int64_t to);
