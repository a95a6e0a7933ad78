// SPDX-License-Identifier: MIT
// duration: time spans as in systemd.time(7), in microseconds.
// Sums are kept exact in integers; a fraction finer than a microsecond is cut, as systemd does.

#include "config/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WHITESPACE      " \t\n\r"
#define USEC_PER_WEEK   (7 * USEC_PER_DAY)
#define FRACTION_DIGITS 15 /* kept; more can't move a microsecond of a week */

struct unit {
        const char *name;
        int64_t us; /* 0: known, but of no fixed length */
};

static const struct unit units[] = {
        {"us", 1},
        {"usec", 1},
        {"µs", 1}, /* U+00B5 */
        {"μs", 1}, /* U+03BC */
        {"ms", USEC_PER_MSEC},
        {"msec", USEC_PER_MSEC},
        {"s", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"seconds", USEC_PER_SEC},
        {"m", USEC_PER_MINUTE},
        {"min", USEC_PER_MINUTE},
        {"minute", USEC_PER_MINUTE},
        {"minutes", USEC_PER_MINUTE},
        {"h", USEC_PER_HOUR},
        {"hr", USEC_PER_HOUR},
        {"hour", USEC_PER_HOUR},
        {"hours", USEC_PER_HOUR},
        {"d", USEC_PER_DAY},
        {"day", USEC_PER_DAY},
        {"days", USEC_PER_DAY},
        {"w", USEC_PER_WEEK},
        {"week", USEC_PER_WEEK},
        {"weeks", USEC_PER_WEEK},
        {"M", 0},
        {"month", 0},
        {"months", 0},
        {"y", 0},
        {"year", 0},
        {"years", 0},
};

static const char why_form[] = "not a time span; write it as 5s, 1h 30min or 1.5 days";
static const char why_unit[] = "unknown unit; the units are us ms s min h d w";
static const char why_long[] = "longer than 100 years";
static const char why_negative[] = "a time span can't be negative";
static const char why_months[] = "months and years vary in length; write days or weeks";

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static const struct unit *unit_find(const char *text, size_t size) {
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
                if (strlen(units[i].name) == size && memcmp(units[i].name, text, size) == 0)
                        return &units[i];
        return NULL;
}

struct number {
        int64_t whole;
        int64_t fraction, scale; /* fraction / scale, scale a power of ten */
};

/* Reads "12", "1.5" or ".5" at *text and moves it behind. */
static int number_parse(const char **text, struct number *ret, const char **ret_why) {
        const char *p = *text;
        struct number n = {.scale = 1};
        bool is_cut = false;

        for (; is_digit(*p); p++) {
                if (n.whole > DURATION_MAX) {
                        *ret_why = why_long;
                        return -ERANGE;
                }
                n.whole = n.whole * 10 + (*p - '0');
        }
        bool has_whole = p > *text;
        if (*p == '.') {
                const char *first = ++p;
                for (int i = 0; is_digit(*p); p++, i++) {
                        is_cut = is_cut || i >= FRACTION_DIGITS;
                        if (is_cut)
                                continue;
                        n.fraction = n.fraction * 10 + (*p - '0');
                        n.scale *= 10;
                }
                has_whole = p > first;
        }
        if (!has_whole || *p == '.') {
                *ret_why = *p == '-' && p == *text ? why_negative : why_form;
                return -EINVAL;
        }
        *text = p;
        *ret = n;
        return 0;
}

/* Reads the blanks and the unit behind a number; no unit means seconds. */
static int unit_parse(const char **text, int64_t *ret_us, const char **ret_why) {
        const char *p = *text + strspn(*text, WHITESPACE);
        size_t size = 0;

        while (p[size] && !is_digit(p[size]) && !strchr(WHITESPACE ".-+", p[size]))
                size++;
        *text = p + size;
        if (size == 0) {
                *ret_us = USEC_PER_SEC;
                return 0;
        }
        const struct unit *unit = unit_find(p, size);
        if (!unit || unit->us == 0) {
                *ret_why = unit ? why_months : why_unit;
                return -EINVAL;
        }
        *ret_us = unit->us;
        return 0;
}

static int sum_parse(const char *p, int64_t *ret_us, const char **ret_why) {
        int64_t sum = 0;

        do {
                struct number n;
                int64_t unit_us;
                int r = number_parse(&p, &n, ret_why);
                if (r == 0)
                        r = unit_parse(&p, &unit_us, ret_why);
                if (r < 0)
                        return r;
                __int128 us = (__int128)n.whole * unit_us + (__int128)n.fraction * unit_us / n.scale;
                if (us > DURATION_MAX - sum) {
                        *ret_why = why_long;
                        return -ERANGE;
                }
                sum += (int64_t)us;
                p += strspn(p, WHITESPACE);
        } while (*p);
        *ret_us = sum;
        return 0;
}

int duration_parse(const char *text, int64_t *ret_us, const char **ret_why) {
        static const char infinity[] = "infinity";
        const char *ignored;

        if (!ret_why)
                ret_why = &ignored;
        text += strspn(text, WHITESPACE);
        if (strncmp(text, infinity, sizeof(infinity) - 1) == 0) {
                text += sizeof(infinity) - 1;
                if (text[strspn(text, WHITESPACE)]) {
                        *ret_why = why_form;
                        return -EINVAL;
                }
                *ret_us = DURATION_INFINITY;
                return 0;
        }
        return sum_parse(text, ret_us, ret_why);
}

char *duration_print(int64_t us, char buf[static 96]) {
        static const struct unit steps[] = {
                {"w", USEC_PER_WEEK},  {"d", USEC_PER_DAY}, {"h", USEC_PER_HOUR}, {"min", USEC_PER_MINUTE}, {"s", USEC_PER_SEC},
                {"ms", USEC_PER_MSEC}, {"us", 1},
        };
        const size_t room = 96;

        if (us == DURATION_INFINITY || us == 0) {
                snprintf(buf, room, "%s", us ? "infinity" : "0");
                return buf;
        }
        uint64_t rest = us < 0 ? -(uint64_t)us : (uint64_t)us;
        size_t used = (size_t)snprintf(buf, room, "%s", us < 0 ? "-" : "");
        bool is_first = true;
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
                uint64_t n = rest / (uint64_t)steps[i].us;
                rest %= (uint64_t)steps[i].us;
                if (n == 0)
                        continue;
                used += (size_t)snprintf(buf + used, room - used, "%s%llu%s", is_first ? "" : " ", (unsigned long long)n,
                                         steps[i].name);
                is_first = false;
        }
        return buf;
}
