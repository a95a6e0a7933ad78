// SPDX-License-Identifier: MIT
// axis: ticks are counted in civil time and turned into instants one by one, so that they stay at full hours and days whatever the
// clock is set to between them.

#include "daemon/ctl/axis.h"

#include <time.h>

#include "config/duration.h"
#include "daemon/core/util.h"

#define MONTH_US (30 * USEC_PER_DAY)
#define YEAR_US  (365 * USEC_PER_DAY)

enum unit { SECONDS, DAYS, WEEKS, MONTHS, YEARS };

/* Steps of n units, which take about so long. */
static const struct step {
        enum unit unit;
        int n;
        int64_t us;
} steps[] = {
        {SECONDS, 1, USEC_PER_SEC},
        {SECONDS, 5, 5 * USEC_PER_SEC},
        {SECONDS, 15, 15 * USEC_PER_SEC},
        {SECONDS, 30, 30 * USEC_PER_SEC},
        {SECONDS, 60, USEC_PER_MINUTE},
        {SECONDS, 300, 5 * USEC_PER_MINUTE},
        {SECONDS, 600, 10 * USEC_PER_MINUTE},
        {SECONDS, 900, 15 * USEC_PER_MINUTE},
        {SECONDS, 1800, 30 * USEC_PER_MINUTE},
        {SECONDS, 3600, USEC_PER_HOUR},
        {SECONDS, 2 * 3600, 2 * USEC_PER_HOUR},
        {SECONDS, 3 * 3600, 3 * USEC_PER_HOUR},
        {SECONDS, 6 * 3600, 6 * USEC_PER_HOUR},
        {SECONDS, 12 * 3600, 12 * USEC_PER_HOUR},
        {DAYS, 1, USEC_PER_DAY},
        {DAYS, 2, 2 * USEC_PER_DAY},
        {WEEKS, 1, 7 * USEC_PER_DAY},
        {WEEKS, 2, 14 * USEC_PER_DAY},
        {MONTHS, 1, MONTH_US},
        {MONTHS, 3, 3 * MONTH_US},
        {MONTHS, 6, 6 * MONTH_US},
        {YEARS, 1, YEAR_US},
        {YEARS, 2, 2 * YEAR_US},
        {YEARS, 5, 5 * YEAR_US},
        {YEARS, 10, 10 * YEAR_US},
        {YEARS, 50, 50 * YEAR_US},
        {YEARS, 500, 500 * YEAR_US},
};

/* The shortest that has no more ticks than max; one that begins and ends with a tick has one more than it has steps. */
static const struct step *find_step(int64_t span_us, size_t max) {
        size_t i = 0;

        while (i + 1 < ARRAY_SIZE(steps) && span_us / steps[i].us + 1 > (int64_t)max)
                i++;
        return &steps[i];
}

static int second_of_day(const struct tm *tm) {
        return tm->tm_hour * 3600 + tm->tm_min * 60 + tm->tm_sec;
}

/* The last round time of the step before an instant whose local time is given. */
static struct tm begin(const struct step *step, const struct tm *local) {
        struct tm tm = {.tm_year = local->tm_year, .tm_mon = local->tm_mon, .tm_mday = local->tm_mday};

        switch (step->unit) {
        case SECONDS:
                tm.tm_sec = second_of_day(local) / step->n * step->n;
                break;
        case DAYS:
                break;
        case WEEKS:
                tm.tm_mday -= (local->tm_wday + 6) % 7; /* Mondays */
                break;
        case MONTHS:
                tm.tm_mday = 1;
                tm.tm_mon -= local->tm_mon % step->n;
                break;
        case YEARS:
                tm.tm_mday = 1;
                tm.tm_mon = 0;
                tm.tm_year -= (local->tm_year + 1900) % step->n;
                break;
        }
        return tm;
}

static void advance(const struct step *step, struct tm *tm) {
        tm->tm_sec += step->unit == SECONDS ? step->n : 0;
        tm->tm_mday += step->unit == DAYS ? step->n : step->unit == WEEKS ? 7 * step->n : 0;
        tm->tm_mon += step->unit == MONTHS ? step->n : 0;
        tm->tm_year += step->unit == YEARS ? step->n : 0;
}

/* Seconds since midnight as hours and days: mktime() takes what is over a minute for real seconds, whatever the clock does. */
static struct tm in_fields(const struct tm *wanted) {
        struct tm tm = *wanted;

        tm.tm_mday += wanted->tm_sec / 86400;
        tm.tm_hour = wanted->tm_sec % 86400 / 3600;
        tm.tm_min = wanted->tm_sec % 3600 / 60;
        tm.tm_sec = wanted->tm_sec % 60;
        tm.tm_isdst = -1;
        return tm;
}

static void print(const struct step *step, const struct tm *tm, char label[static AXIS_LABEL]) {
        bool is_day = step->unit == SECONDS && second_of_day(tm) == 0, is_year = step->unit == MONTHS && tm->tm_mon == 0;

        strftime(label, AXIS_LABEL,
                 step->unit == YEARS || is_year ? "%Y"
                 : step->unit == MONTHS         ? "%b"
                 : step->unit != SECONDS        ? "%b %e"
                 : is_day                       ? "%a %e"
                 : tm->tm_sec > 0               ? "%H:%M:%S"
                                                : "%H:%M",
                 tm);
}

size_t axis_ticks(int64_t from_us, int64_t to_us, size_t max, struct axis_tick ret[static AXIS_TICKS_MAX]) {
        const struct step *step = find_step(to_us - from_us, max);
        time_t from = from_us / USEC_PER_SEC, last = from - 1;
        struct tm local, wanted;
        size_t n = 0;

        if (!localtime_r(&from, &local))
                return 0;
        wanted = begin(step, &local);
        /* one step may be left out by a change of the clock, one lies before the period */
        for (size_t i = 0; i < 2 * max + 2 && n < max; i++, advance(step, &wanted)) {
                struct tm tm = in_fields(&wanted);
                int second = second_of_day(&tm);
                time_t at = mktime(&tm);
                if (at > to_us / USEC_PER_SEC)
                        break;
                if ((step->unit == SECONDS && second_of_day(&tm) != second) || at <= last || at * USEC_PER_SEC < from_us)
                        continue;
                ret[n].us = at * USEC_PER_SEC;
                print(step, &tm, ret[n++].label);
                last = at;
        }
        return n;
}
