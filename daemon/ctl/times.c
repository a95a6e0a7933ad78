// SPDX-License-Identifier: MIT
// times: instants in local time and spans, as the screens have them.

#include "daemon/ctl/times.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/duration.h"
#include "config/timestamp.h"
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
        FILE *out = open_memstream(&text, &size);

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
        bool has_failed = ferror(out);
        if (fclose(out) == 0 && !has_failed)
                return text;
        free(text);
        return NULL;
}
