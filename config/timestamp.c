// SPDX-License-Identifier: MIT
// timestamp: points in time for Align= and the tools.
// Only times without an offset ask the C library, for the local zone.

#include "config/timestamp.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "config/civil.h"

#define USEC_PER_SEC INT64_C(1000000)
#define YEAR_FIRST   1970
#define YEAR_LAST    2262
#define SECONDS_LAST INT64_C(9246182399) /* the last one of that year */

static const char why_form[] = "not a time; write 2026-01-05, \"2026-01-05 09:00\", 2026-01-05T09:00:00Z or @SECONDS";
static const char why_range[] = "the years 1970 to 2262 are possible";
static const char why_day[] = "there is no such day";
static const char why_clock[] = "hours are 00..23, minutes and seconds 00..59";
static const char why_gap[] = "that time does not exist in the local time zone (the clock is set forward)";

/* Reads exactly n digits at *text and moves it behind; -1 if they are not there. */
static int digits(const char **text, int n) {
        int v = 0;

        for (int i = 0; i < n; i++, (*text)++) {
                if (**text < '0' || **text > '9')
                        return -1;
                v = v * 10 + (**text - '0');
        }
        return v;
}

static bool accept(const char **text, char c) {
        if (**text != c)
                return false;
        (*text)++;
        return true;
}

/* Reads ".ffffff" if it is there; finer digits are cut. */
static bool fraction_parse(const char **text, int64_t *ret_us) {
        int64_t us = 0, scale = USEC_PER_SEC / 10;
        const char *p = *text;

        *ret_us = 0;
        if (*p != '.')
                return true;
        for (p++; *p >= '0' && *p <= '9'; p++, scale /= 10)
                us += (*p - '0') * scale;
        if (p == *text + 1)
                return false;
        *text = p;
        *ret_us = us;
        return true;
}

static int epoch_parse(const char *p, int64_t *ret_rt_us, const char **ret_why) {
        int64_t seconds = 0, us;
        const char *first = p;

        for (; *p >= '0' && *p <= '9'; p++) {
                seconds = seconds * 10 + (*p - '0');
                if (seconds > SECONDS_LAST) {
                        *ret_why = why_range;
                        return -EINVAL;
                }
        }
        if (p == first || !fraction_parse(&p, &us) || *p) {
                *ret_why = why_form;
                return -EINVAL;
        }
        *ret_rt_us = seconds * USEC_PER_SEC + us;
        return 0;
}

static const char *date_parse(const char **text, struct civil *t) {
        t->year = digits(text, 4);
        if (t->year < 0 || !accept(text, '-'))
                return why_form;
        t->month = digits(text, 2);
        if (t->month < 0 || !accept(text, '-'))
                return why_form;
        t->day = digits(text, 2);
        if (t->day < 0)
                return why_form;
        if (t->year < YEAR_FIRST || t->year > YEAR_LAST)
                return why_range;
        if (t->month < 1 || t->month > 12 || t->day < 1 || t->day > civil_month_days(t->year, t->month))
                return why_day;
        return NULL;
}

static const char *clock_parse(const char **text, struct civil *t, int64_t *ret_us) {
        t->hour = digits(text, 2);
        if (t->hour < 0 || !accept(text, ':'))
                return why_form;
        t->minute = digits(text, 2);
        if (t->minute < 0)
                return why_form;
        if (accept(text, ':')) {
                t->second = digits(text, 2);
                if (t->second < 0 || !fraction_parse(text, ret_us))
                        return why_form;
        }
        return t->hour > 23 || t->minute > 59 || t->second > 59 ? why_clock : NULL;
}

/* Reads "Z", " UTC", "+HH:MM" or nothing. */
static const char *zone_parse(const char *p, bool *ret_is_local, int *ret_offset_s) {
        *ret_is_local = *p == 0;
        *ret_offset_s = 0;
        if (*p == 0 || strcmp(p, "Z") == 0 || strcmp(p, " UTC") == 0)
                return NULL;
        if (*p != '+' && *p != '-')
                return why_form;
        int sign = *p++ == '-' ? -1 : 1;
        int hours = digits(&p, 2);
        bool has_colon = accept(&p, ':');
        int minutes = digits(&p, 2);
        if (hours < 0 || !has_colon || minutes < 0 || *p)
                return why_form;
        if (hours > 23 || minutes > 59)
                return why_clock;
        *ret_offset_s = sign * (hours * 3600 + minutes * 60);
        return NULL;
}

static const char *civil_parse(const char *p, struct timestamp *ret) {
        struct civil t = {};
        bool is_local, has_clock = false;
        int offset_s;
        int64_t us = 0;

        const char *why = date_parse(&p, &t);
        if (why)
                return why;
        if (*p == 'T' || (*p == ' ' && p[1] >= '0' && p[1] <= '9')) {
                p++;
                has_clock = true;
                why = clock_parse(&p, &t, &us);
                if (why)
                        return why;
        }
        why = zone_parse(p, &is_local, &offset_s);
        if (why)
                return why;
        int64_t seconds = civil_seconds(&t) - offset_s;
        if (seconds < 0 || seconds > SECONDS_LAST)
                return why_range;
        *ret = (struct timestamp){.us = seconds * USEC_PER_SEC + us, .is_civil = is_local, .has_clock = has_clock};
        return NULL;
}

int timestamp_read(const char *text, struct timestamp *ret, const char **ret_why) {
        if (*text == '@') {
                int64_t us;
                int r = epoch_parse(text + 1, &us, ret_why);
                if (r == 0)
                        *ret = (struct timestamp){.us = us, .has_clock = true};
                return r;
        }
        const char *why = civil_parse(text, ret);
        if (!why)
                return 0;
        *ret_why = why;
        return -EINVAL;
}

/* From civil seconds to an instant of the calling process's zone. */
static const char *local_resolve(int64_t civil_s, int64_t *ret_seconds) {
        struct civil t = civil_of_seconds(civil_s);
        struct tm tm = {
                .tm_year = (int)t.year - 1900,
                .tm_mon = t.month - 1,
                .tm_mday = t.day,
                .tm_hour = t.hour,
                .tm_min = t.minute,
                .tm_sec = t.second,
                .tm_isdst = -1,
        };
        *ret_seconds = mktime(&tm);
        /* mktime() moves a time that the zone skips */
        if (tm.tm_hour != t.hour || tm.tm_min != t.minute || tm.tm_mday != t.day)
                return why_gap;
        return *ret_seconds < 0 || *ret_seconds > SECONDS_LAST ? why_range : NULL;
}

int timestamp_parse(const char *text, int64_t *ret_rt_us, const char **ret_why) {
        struct timestamp t;
        int r = timestamp_read(text, &t, ret_why);
        if (r == 0 && t.is_civil) {
                int64_t seconds, us = t.us % USEC_PER_SEC;
                const char *why = local_resolve(t.us / USEC_PER_SEC, &seconds);
                if (why) {
                        *ret_why = why;
                        return -EINVAL;
                }
                t.us = seconds * USEC_PER_SEC + us;
        }
        if (r == 0)
                *ret_rt_us = t.us;
        return r;
}

/* ".5", or "" where there is none. */
static char *fraction_print(int64_t us, char buf[static 12]) {
        buf[0] = 0;
        if (us > 0) {
                int n = snprintf(buf, 12, ".%06d", (int)us);
                while (n > 1 && buf[n - 1] == '0')
                        buf[--n] = 0;
        }
        return buf;
}

static struct civil split(int64_t rt_us, int64_t *ret_us) {
        int64_t us = rt_us % USEC_PER_SEC, seconds = rt_us / USEC_PER_SEC;

        if (us < 0) {
                us += USEC_PER_SEC;
                seconds--;
        }
        *ret_us = us;
        return civil_of_seconds(seconds);
}

char *timestamp_print_utc(int64_t rt_us, char buf[static 40]) {
        int64_t us;
        struct civil c = split(rt_us, &us);
        char fraction[12];

        snprintf(buf, 40, "%04lld-%02d-%02dT%02d:%02d:%02d%sZ", (long long)c.year, c.month, c.day, c.hour, c.minute, c.second,
                 fraction_print(us, fraction));
        return buf;
}

char *timestamp_print_civil(int64_t civil_us, char buf[static 40]) {
        int64_t us;
        struct civil c = split(civil_us, &us);
        char fraction[12], seconds[20] = "";

        if (c.second > 0 || us > 0)
                snprintf(seconds, sizeof(seconds), ":%02d%s", c.second, fraction_print(us, fraction));
        snprintf(buf, 40, "%04lld-%02d-%02d %02d:%02d%s", (long long)c.year, c.month, c.day, c.hour, c.minute, seconds);
        return buf;
}
