// SPDX-License-Identifier: MIT
// times: instants in local time and spans, as the screens have them.

#include "daemon/ctl/times.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "config/civil.h"
#include "config/duration.h"
#include "config/timestamp.h"
#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"

#define NEAR_US (6 * USEC_PER_DAY) /* within it a weekday says which day is meant */

/* The local time of an instant; false where there is none. */
static bool find_local(int64_t us, struct tm *ret) {
        time_t seconds = us / USEC_PER_SEC;

        return us >= 0 && us != INT64_MAX && localtime_r(&seconds, ret);
}

char *times_short(int64_t now_us, int64_t us, char buf[static TIMES_SIZE]) {
        bool is_near = us > now_us ? us - now_us < NEAR_US : now_us - us < NEAR_US;
        struct tm tm;

        if (!find_local(us, &tm))
                return strcpy(buf, "-");
        if (is_near)
                strftime(buf, TIMES_SIZE, "%a %H:%M:%S", &tm);
        else
                strftime(buf, TIMES_SIZE, "%Y-%m-%d %H:%M", &tm);
        return buf;
}

/* With three digits of the second's fraction, where it has one and is_exact. */
static char *print_full(int64_t us, bool is_exact, char buf[static TIMES_SIZE]) {
        char day[TIMES_SIZE], zone[TIMES_SIZE], fraction[16] = "";
        int64_t rest_ms = us % USEC_PER_SEC / USEC_PER_MSEC;
        struct tm tm;

        if (!find_local(us, &tm))
                return strcpy(buf, "-");
        if (is_exact && rest_ms > 0)
                snprintf(fraction, sizeof(fraction), ".%03d", (int)rest_ms);
        strftime(day, sizeof(day), "%a %Y-%m-%d %H:%M:%S", &tm);
        strftime(zone, sizeof(zone), "%Z", &tm);
        snprintf(buf, TIMES_SIZE, "%.40s%s %.10s", day, fraction, zone);
        return buf;
}

char *times_full(int64_t us, char buf[static TIMES_SIZE]) {
        return print_full(us, false, buf);
}

char *times_exact(int64_t us, char buf[static TIMES_SIZE]) {
        return print_full(us, true, buf);
}

char *times_among(int64_t us, int64_t apart_us, char buf[static TIMES_SIZE]) {
        struct tm tm;

        if (!find_local(us, &tm))
                return strcpy(buf, "-");
        strftime(buf, TIMES_SIZE,
                 apart_us >= 7 * USEC_PER_DAY     ? "%Y-%m-%d"
                 : apart_us >= 23 * USEC_PER_HOUR ? "%a"
                 : apart_us >= USEC_PER_MINUTE    ? "%H:%M"
                                                  : "%H:%M:%S",
                 &tm);
        return buf;
}

static const struct unit {
        int64_t us;
        const char *name;
} units[] = {
        {USEC_PER_DAY, "d"}, {USEC_PER_HOUR, "h"},  {USEC_PER_MINUTE, "min"},
        {USEC_PER_SEC, "s"}, {USEC_PER_MSEC, "ms"}, {1, "us"},
};

/* The largest unit that us has at least one of; of 0 the seconds. */
static size_t largest(int64_t us) {
        size_t i = 0;

        while (i + 1 < ARRAY_SIZE(units) && us < units[i].us)
                i++;
        return us > 0 ? i : 3;
}

/* Two units from the largest on, but none below a second beside one from seconds on. */
static char *print_units(int64_t us, bool has_second, char buf[static TIMES_SIZE]) {
        size_t i = largest(us);
        int n = snprintf(buf, TIMES_SIZE, "%lld%s", (long long)(us / units[i].us), units[i].name);
        bool is_fine = units[i].us <= USEC_PER_SEC;

        if (has_second && !is_fine && us % units[i].us >= units[i + 1].us)
                snprintf(buf + n, TIMES_SIZE - (size_t)n, " %lld%s", (long long)(us % units[i].us / units[i + 1].us),
                         units[i + 1].name);
        return buf;
}

char *times_span(int64_t us, char buf[static TIMES_SIZE]) {
        us = us < 0 ? 0 : us;
        if (us >= USEC_PER_SEC && us < 10 * USEC_PER_SEC && us % USEC_PER_SEC >= USEC_PER_MSEC * 100) {
                snprintf(buf, TIMES_SIZE, "%lld.%llds", (long long)(us / USEC_PER_SEC),
                         (long long)(us % USEC_PER_SEC / (100 * USEC_PER_MSEC)));
                return buf;
        }
        return print_units(us, true, buf);
}

char *times_about(int64_t us, char buf[static TIMES_SIZE]) {
        us = us < 0 ? 0 : us;
        return print_units(us, us >= USEC_PER_HOUR && us < 100 * USEC_PER_DAY, buf);
}

char *times_civil_day(int64_t civil_us, char buf[static TIMES_SIZE]) {
        static const char *const names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        int64_t seconds = civil_us / USEC_PER_SEC;
        struct civil c = civil_of_seconds(seconds);

        snprintf(buf, TIMES_SIZE, "%s %04lld-%02d-%02d", names[civil_weekday(civil_day_of_seconds(seconds))], (long long)c.year,
                 c.month, c.day);
        return buf;
}

char *times_civil_clock(int64_t civil_us, bool is_short, char buf[static TIMES_SIZE]) {
        struct civil c = civil_of_seconds(civil_us / USEC_PER_SEC);
        int us = (int)(civil_us % USEC_PER_SEC), n = snprintf(buf, TIMES_SIZE, "%02d:%02d", c.hour, c.minute);

        if (!is_short || c.second > 0 || us > 0)
                n += snprintf(buf + n, TIMES_SIZE - (size_t)n, ":%02d", c.second);
        if (us > 0) {
                n += snprintf(buf + n, TIMES_SIZE - (size_t)n, ".%06d", us);
                while (buf[n - 1] == '0')
                        buf[--n] = '\0';
        }
        return buf;
}

/* The size of the instant "2026-11-20T02:30:00[.ffffff]Z" at s, 0 where there is none. */
static size_t find_instant(const char *s, int64_t *ret_us) {
        static const char form[] = "dddd-dd-ddTdd:dd:dd";
        char text[40];
        const char *why;
        size_t n = 0;

        for (; n < sizeof(form) - 1; n++)
                if (form[n] == 'd' ? !isdigit((unsigned char)s[n]) : s[n] != form[n])
                        return 0;
        if (s[n] == '.')
                n += 1 + strspn(s + n + 1, "0123456789");
        if (s[n] != 'Z' || n + 2 > sizeof(text))
                return 0;
        memcpy(text, s, n + 1);
        text[n + 1] = '\0';
        return timestamp_parse(text, ret_us, &why) < 0 ? 0 : n + 1;
}

char *times_localize(int64_t now_us, const char *sentence, bool is_full) {
        char *text = NULL, local[TIMES_SIZE];
        size_t size = 0;
        FILE *out = memory_stream_open(&text, &size);

        if (!out)
                return NULL;
        for (const char *s = sentence; *s;) {
                int64_t us;
                size_t n = find_instant(s, &us);
                if (n == 0)
                        fputc(*s++, out);
                else {
                        fputs(is_full ? times_full(us, local) : times_short(now_us, us, local), out);
                        s += n;
                }
        }
        return memory_stream_finish(out, &text);
}

/* ---- what people write ---- */

/* The midnight that begins the day of now, `days` later; -1 where there is none. */
static int64_t midnight(int64_t now_us, int days) {
        struct tm tm;

        if (!find_local(now_us, &tm))
                return -1;
        tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
        tm.tm_mday += days;
        tm.tm_isdst = -1;
        return (int64_t)mktime(&tm) * USEC_PER_SEC;
}

/* The day of the week that the text begins with, as a number and its size; -1: none. */
static int find_weekday(const char *text, size_t *ret_size) {
        static const char *const names[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
        size_t size = strcspn(text, " ");

        for (int i = 0; i < 7; i++)
                if (text[size] == ' ' && (size == 3 || size == strlen(names[i])) && strncasecmp(text, names[i], size) == 0) {
                        *ret_size = size + 1;
                        return i;
                }
        return -1;
}

/* "02:30[:00[.5]]" on the day that begins at an instant. */
static int parse_clock(const char *text, int64_t day_us, int64_t *ret_us, const char **ret_why) {
        char whole[64];
        struct tm tm;

        if (!find_local(day_us, &tm) || strlen(text) > 20) {
                *ret_why = "there is no such time";
                return -EINVAL;
        }
        strftime(whole, 16, "%Y-%m-%d ", &tm);
        strcat(whole, text);
        return timestamp_parse(whole, ret_us, ret_why);
}

static bool is_clock(const char *text) {
        return isdigit((unsigned char)text[0]) && isdigit((unsigned char)text[1]) && text[2] == ':';
}

/* A span before or after now: "-2h", "+5min", "2h ago". 1 where the text is none of these. */
static int parse_relative(const char *text, int64_t now_us, int64_t *ret_us, const char **ret_why) {
        size_t size = strlen(text);
        bool is_ago = size > 4 && strcmp(text + size - 4, " ago") == 0, is_back = *text == '-';
        int64_t span_us;

        if (!is_ago && *text != '-' && *text != '+')
                return 1;
        _cleanup_free_ char *span = is_ago ? strndup(text, size - 4) : strdup(text + 1);
        int r = span ? duration_parse(span, &span_us, ret_why) : -ENOMEM;
        if (r == 0 && span_us > now_us) {
                *ret_why = "that is before 1970, or no end at all";
                r = -EINVAL;
        }
        if (r == 0)
                *ret_us = is_ago || is_back ? now_us - span_us : now_us + span_us;
        return r;
}

int times_parse(const char *text, int64_t now_us, int64_t *ret_us, const char **ret_why) {
        static const struct {
                const char *word;
                int days;
        } days[] = {{"yesterday", -1}, {"today", 0}, {"tomorrow", 1}};
        size_t size = 0;

        if (strcmp(text, "now") == 0) {
                *ret_us = now_us;
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(days); i++)
                if (strcmp(text, days[i].word) == 0) {
                        *ret_us = midnight(now_us, days[i].days);
                        return 0;
                }
        int r = parse_relative(text, now_us, ret_us, ret_why), weekday = find_weekday(text, &size);
        if (r <= 0)
                return r;
        if (!is_clock(text + size))
                return timestamp_parse(text + size, ret_us, ret_why);
        struct tm tm;
        int back = weekday < 0 || !find_local(now_us, &tm) ? 0 : (tm.tm_wday - weekday + 7) % 7;
        r = parse_clock(text + size, midnight(now_us, -back), ret_us, ret_why);
        if (r == 0 && weekday >= 0 && *ret_us > now_us)
                r = parse_clock(text + size, midnight(now_us, -7), ret_us, ret_why);
        return r;
}
