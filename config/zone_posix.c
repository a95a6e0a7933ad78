// SPDX-License-Identifier: MIT
// zone_posix: the rule in a zone file's footer: a POSIX TZ string, with times of -167 to 167 hours (RFC 9636).
// A year's two changes are computed from its number, so the far future costs as much as the next year. Times of more than a day can
// carry a change over the border of its year; the year of an instant is therefore the one whose first change came last.

#include <errno.h>
#include <string.h>

#include "config/civil.h"
#include "config/zone_internal.h"

#define HOUR_S          3600
#define OFFSET_HOURS    24
#define TIME_HOURS      167
#define CALENDAR_YEARS  400 /* then it repeats itself */
#define TIME_IF_NOT_SET (2 * HOUR_S)

struct cursor {
        const char *p, *end;
        bool is_bad;
};

static char peek(const struct cursor *c) {
        return c->p < c->end ? *c->p : 0;
}

static bool accept(struct cursor *c, char wanted) {
        if (peek(c) != wanted || c->p == c->end)
                return false;
        c->p++;
        return true;
}

static void expect(struct cursor *c, char wanted) {
        if (!accept(c, wanted))
                c->is_bad = true;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static int number(struct cursor *c, int min, int max) {
        int n = 0;

        if (!is_digit(peek(c)))
                c->is_bad = true;
        for (; is_digit(peek(c)) && n <= max; c->p++)
                n = n * 10 + (*c->p - '0');
        if (n < min || n > max)
                c->is_bad = true;
        return n;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static int32_t clock_time(struct cursor *c, int hours_max) {
        int sign = accept(c, '-') ? -1 : 1;

        if (sign > 0)
                accept(c, '+');
        int32_t s = number(c, 0, hours_max) * HOUR_S;
        if (accept(c, ':')) {
                s += number(c, 0, 59) * 60;
                if (accept(c, ':'))
                        s += number(c, 0, 59);
        }
        return sign * s;
}

/* At least three letters, or <letters, digits and signs>. */
static void abbreviation(struct cursor *c, struct zone_type *type) {
        bool is_quoted = accept(c, '<');
        const char *first = c->p;

        while (is_letter(peek(c)) || (is_quoted && (is_digit(peek(c)) || peek(c) == '+' || peek(c) == '-')))
                c->p++;
        size_t size = (size_t)(c->p - first);
        if (is_quoted)
                expect(c, '>');
        if (size < 3 || size > ZONE_ABBREVIATION_MAX)
                c->is_bad = true;
        else
                memcpy(type->abbreviation, first, size);
}

static struct zone_day day(struct cursor *c) {
        struct zone_day d = {.form = ZONE_DAY_ORDINAL, .time_s = TIME_IF_NOT_SET};

        if (accept(c, 'M')) {
                d.form = ZONE_DAY_WEEKDAY;
                d.month = number(c, 1, 12);
                expect(c, '.');
                d.week = number(c, 1, 5);
                expect(c, '.');
                d.weekday = number(c, 0, 6);
        } else if (accept(c, 'J')) {
                d.form = ZONE_DAY_JULIAN;
                d.day = number(c, 1, 365);
        } else
                d.day = number(c, 0, 365);
        if (accept(c, '/'))
                d.time_s = clock_time(c, TIME_HOURS);
        return d;
}

static void daylight(struct cursor *c, struct zone_rule *r) {
        r->has_daylight = true;
        r->daylight.is_dst = true;
        abbreviation(c, &r->daylight);
        r->daylight.offset_s = r->standard.offset_s + HOUR_S;
        if (peek(c) != ',')
                r->daylight.offset_s = -clock_time(c, OFFSET_HOURS);
        expect(c, ',');
        r->begin = day(c);
        expect(c, ',');
        r->end = day(c);
}

/* The instant at which a rule's day meets its time, with the offset that holds until then. */
static int64_t instant(const struct zone_day *d, int64_t year, int32_t offset_s) {
        int64_t days = 0;

        switch (d->form) {
        case ZONE_DAY_JULIAN:
                days = civil_days(year, 1, d->day + (d->day > 59 && civil_is_leap(year)));
                break;
        case ZONE_DAY_ORDINAL:
                days = civil_days(year, 1, d->day + 1);
                break;
        case ZONE_DAY_WEEKDAY: {
                int64_t first = civil_days(year, d->month, 1);
                int in_month = (d->weekday - civil_weekday(first) + 7) % 7 + 7 * (d->week - 1);
                days = first + in_month - (in_month >= civil_month_days(year, d->month) ? 7 : 0);
                break;
        }
        }
        return days * CIVIL_DAY_S + d->time_s - offset_s;
}

struct year {
        int64_t first_s, second_s; /* its two changes */
        bool is_daylight_between;
};

static struct year year_of(const struct zone_rule *r, int64_t number) {
        int64_t begin_s = instant(&r->begin, number, r->standard.offset_s);
        int64_t end_s = instant(&r->end, number, r->daylight.offset_s);

        if (begin_s <= end_s)
                return (struct year){begin_s, end_s, true};
        return (struct year){end_s, begin_s, false};
}

/* Only one of the two times ever holds: daylight time all the year is written as an end that falls on the next year's begin. */
static bool is_constant(const struct zone_rule *r, bool *ret_is_daylight) {
        bool is_seen[2] = {};
        struct year this = year_of(r, 0);

        for (int64_t n = 1; n <= CALENDAR_YEARS && !(is_seen[0] && is_seen[1]); n++) {
                struct year next = year_of(r, n);
                if (this.first_s < this.second_s)
                        is_seen[this.is_daylight_between] = true;
                if (this.second_s < next.first_s)
                        is_seen[!this.is_daylight_between] = true;
                this = next;
        }
        *ret_is_daylight = is_seen[true];
        return !(is_seen[0] && is_seen[1]);
}

int zone_rule_parse(const char *text, size_t size, struct zone_rule *ret) {
        struct cursor c = {.p = text, .end = text + size};
        struct zone_rule r = {};
        bool is_daylight;

        abbreviation(&c, &r.standard);
        r.standard.offset_s = -clock_time(&c, OFFSET_HOURS);
        if (c.p < c.end && !c.is_bad)
                daylight(&c, &r);
        if (c.is_bad || c.p != c.end)
                return -EBADMSG;
        if (r.has_daylight && is_constant(&r, &is_daylight))
                r = (struct zone_rule){.standard = is_daylight ? r.daylight : r.standard};
        *ret = r;
        return 0;
}

static struct zone_span span(const struct zone_rule *r, int64_t begin_s, int64_t end_s, bool is_daylight) {
        return (struct zone_span){begin_s, end_s, is_daylight ? &r->daylight : &r->standard};
}

struct zone_span zone_rule_span(const struct zone_rule *r, int64_t utc_s) {
        if (!r->has_daylight)
                return span(r, INT64_MIN, INT64_MAX, false);
        int64_t number = civil_of_days(civil_day_of_seconds(utc_s)).year;
        struct year this = year_of(r, number);
        while (utc_s < this.first_s)
                this = year_of(r, --number);
        while (utc_s >= this.second_s) {
                struct year next = year_of(r, ++number);
                if (utc_s < next.first_s)
                        return span(r, this.second_s, next.first_s, !this.is_daylight_between);
                this = next;
        }
        return span(r, this.first_s, this.second_s, this.is_daylight_between);
}
