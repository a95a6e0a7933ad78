// SPDX-License-Identifier: MIT
// pattern: the walk over civil time. It jumps: from year to year and month to month by bits, and a month's days are one word, so the
// rarest pattern (February 29 on one weekday: up to 40 years apart) costs a word for each month that could hold it.

#include "config/pattern.h"

#include <stdlib.h>

#include "config/civil.h"

#define USEC_PER_SEC    INT64_C(1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR   (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY    (24 * USEC_PER_HOUR)
#define DAYS_PER_WEEK   7
#define SUNDAY          0
#define SATURDAY        6

struct pattern *pattern_free(struct pattern *p) {
        if (p) {
                free(p->runs);
                free(p->text);
                free(p->zone);
                free(p->warning);
                free(p);
        }
        return NULL;
}

/* The lowest bit of set at or above from, or -1. */
static int bit_find(uint64_t set, int from) {
        uint64_t rest = from < 64 ? set >> from : 0;
        return rest ? from + __builtin_ctzll(rest) : -1;
}

/* ---- the days of a month ---- */

struct month {
        int64_t first_day; /* since 1970-01-01 */
        int length, first_weekday;
        uint32_t all; /* bit d: day d exists */
};

static struct month month_of(int64_t year, int number) {
        struct month m = {.first_day = civil_days(year, number, 1), .length = civil_month_days(year, number)};

        m.first_weekday = civil_weekday(m.first_day);
        m.all = (uint32_t)((UINT64_C(2) << m.length) - 2);
        return m;
}

/* The days of the month that fall on weekdays of the set. */
static uint32_t days_on(const struct month *m, uint8_t weekdays) {
        const uint64_t weeks = 1 | 1 << 7 | 1 << 14 | 1 << 21 | UINT64_C(1) << 28;
        uint64_t week = (weekdays | (uint64_t)weekdays << DAYS_PER_WEEK) >> m->first_weekday & 0x7f;

        return (uint32_t)(week * weeks << 1) & m->all;
}

static uint32_t days_of_nth(const struct month *m, const struct pattern_days *d) {
        uint32_t days = 0;

        for (int n = 0; n < PATTERN_NTH_MAX; n++)
                if (d->nth[n])
                        days |= days_on(m, d->nth[n]) & (uint32_t)(UINT64_C(0xfe) << n * DAYS_PER_WEEK);
        if (d->last)
                days |= days_on(m, d->last) & (uint32_t)(UINT64_C(0xfe) << (m->length - DAYS_PER_WEEK));
        return days;
}

static uint32_t days_nearest(const struct month *m, uint32_t wanted) {
        uint32_t days = 0;

        if (wanted & 1)
                wanted |= UINT32_C(1) << m->length;
        wanted &= m->all;
        for (int day = bit_find(wanted, 1); day > 0; day = bit_find(wanted, day + 1)) {
                int weekday = (m->first_weekday + day - 1) % DAYS_PER_WEEK, moved = day;
                if (weekday == SATURDAY)
                        moved += day > 1 ? -1 : 2;
                else if (weekday == SUNDAY)
                        moved += day < m->length ? 1 : -2;
                days |= UINT32_C(1) << moved;
        }
        return days;
}

static uint32_t days_from_end(const struct month *m, uint32_t wanted) {
        uint32_t days = 0;

        for (int n = bit_find(wanted, 1); n > 0; n = bit_find(wanted, n + 1))
                days |= n <= m->length ? UINT32_C(1) << (m->length + 1 - n) : 0;
        return days;
}

static uint32_t days_of(const struct pattern_days *d, const struct month *m) {
        uint32_t of_month = d->of_month & m->all, of_week = days_on(m, d->of_week) | days_of_nth(m, d);

        if (d->from_end)
                of_month |= days_from_end(m, d->from_end);
        if (d->nearest)
                of_month |= days_nearest(m, d->nearest);
        return d->is_either ? of_month | of_week : of_month & of_week;
}

/* ---- the walk ---- */

/* The first second of a minute at or after from_us, or -1. */
static int64_t second_find(const struct pattern *p, int64_t from_us) {
        int64_t found = -1;

        for (size_t i = 0; i < p->n_runs; i++) {
                const struct pattern_run *run = &p->runs[i];
                int64_t at = run->first_us;
                if (from_us > at)
                        at += (from_us - at + run->step_us - 1) / run->step_us * run->step_us;
                if (at <= run->last_us && (found < 0 || at < found))
                        found = at;
        }
        return found;
}

/* The first match of a day at or after from_us of it, or -1. */
static int64_t time_find(const struct pattern *p, int64_t from_us) {
        int hour = (int)(from_us / USEC_PER_HOUR), minute = (int)(from_us / USEC_PER_MINUTE % 60);
        int64_t second_us = -1;

        if (!(p->hours >> hour & 1))
                minute = -1;
        else if (p->minutes >> minute & 1)
                second_us = second_find(p, from_us % USEC_PER_MINUTE);
        if (second_us < 0) {
                second_us = second_find(p, 0);
                if (minute >= 0)
                        minute = bit_find(p->minutes, minute + 1);
                if (minute < 0) {
                        hour = bit_find(p->hours, hour + 1);
                        minute = bit_find(p->minutes, 0);
                }
        }
        return hour < 0 ? -1 : hour * USEC_PER_HOUR + minute * USEC_PER_MINUTE + second_us;
}

/* The first year of the set at or after one, or -1. */
static int year_find(const struct pattern *p, int year) {
        int bit = year - PATTERN_YEAR_FIRST;

        for (int word = bit / 64; word < PATTERN_YEAR_WORDS; word++, bit = word * 64) {
                int found = bit_find(p->years[word], bit % 64);
                if (found >= 0)
                        return PATTERN_YEAR_FIRST + word * 64 + found;
        }
        return -1;
}

/* Moves to the first month of the sets at or after the one given (which may be the 13th); false: there is none. */
static bool month_find(const struct pattern *p, int *year, int *month) {
        int found_year = year_find(p, *year);
        int found = found_year == *year ? bit_find(p->months, *month) : -1;

        if (found < 0) {
                found_year = year_find(p, found_year == *year ? *year + 1 : *year);
                found = bit_find(p->months, 1);
        }
        *year = found_year;
        *month = found;
        return found_year >= 0;
}

int64_t pattern_next_civil(const struct pattern *p, int64_t from_us) {
        if (from_us < 0)
                from_us = 0;
        if (from_us >= civil_days(PATTERN_YEAR_LAST + 1, 1, 1) * USEC_PER_DAY)
                return PATTERN_NEVER;
        int64_t today = from_us / USEC_PER_DAY;
        struct civil date = civil_of_days(today);
        int year = (int)date.year, month = date.month;

        while (month_find(p, &year, &month)) {
                struct month m = month_of(year, month);
                uint32_t days = days_of(&p->days, &m);
                if (m.first_day <= today) {
                        if (days >> date.day & 1) {
                                int64_t time_us = time_find(p, from_us % USEC_PER_DAY);
                                if (time_us >= 0)
                                        return today * USEC_PER_DAY + time_us;
                        }
                        days &= (uint32_t)(~UINT64_C(1) << date.day);
                }
                if (days)
                        return (m.first_day + __builtin_ctz(days) - 1) * USEC_PER_DAY + p->first_us;
                month++;
        }
        return PATTERN_NEVER;
}

int64_t pattern_count_times(const struct pattern *p) {
        const struct pattern_run *run = p->runs;
        int64_t n = 0;

        if (p->n_runs == 1)
                n = (run->last_us - run->first_us) / run->step_us + 1;
        else
                for (int64_t at = second_find(p, 0); at >= 0; at = second_find(p, at + 1))
                        n++;
        return n * __builtin_popcountll(p->minutes) * __builtin_popcount(p->hours);
}

int pattern_count_days(const struct pattern *p, int64_t from, int64_t to) {
        struct civil date = civil_of_days(from);
        int year = (int)date.year, month = date.month;

        if (!month_find(p, &year, &month) || year != date.year || month != date.month)
                return 0;
        struct month m = month_of(year, month);
        uint64_t wanted = (UINT64_C(1) << (to - m.first_day + 1)) - (UINT64_C(1) << date.day);
        return __builtin_popcountll(days_of(&p->days, &m) & wanted);
}

bool pattern_finish(struct pattern *p) {
        p->first_us = time_find(p, 0);
        return pattern_next_civil(p, 0) != PATTERN_NEVER;
}
