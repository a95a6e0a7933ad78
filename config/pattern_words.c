// SPDX-License-Identifier: MIT
// pattern_words: what a pattern means, in English.
// The time of day first, then the days, then months and years; what is not restricted is left out.

#include "config/pattern_words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define USEC_PER_SEC    1000000
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define HOURS           24
#define MINUTES         60
#define WEEKDAYS        7
#define CLOCKS_MAX      6 /* times of a day that are listed one by one */
#define LIST_MAX        6 /* values that are listed where "1, 3, 5 ... 59" says the same */
#define RANGE_MIN       3 /* values that are "1 to 3" */
#define ALL_DAYS        UINT32_C(0xfffffffe)
#define ALL_MONTHS      0x1ffe
#define ALL_WEEKDAYS    0x7f
#define ALL_HOURS       UINT64_C(0xffffff)
#define ALL_MINUTES     UINT64_C(0xfffffffffffffff)

struct words {
        char *text;
        size_t size;
};

__attribute__((format(printf, 2, 3))) static void put(struct words *w, const char *format, ...) {
        va_list arguments;
        size_t room = PATTERN_WORDS_MAX - w->size;

        va_start(arguments, format);
        int n = vsnprintf(w->text + w->size, room, format, arguments);
        va_end(arguments);
        if (n > 0)
                w->size += (size_t)n < room ? (size_t)n : room - 1;
}

/* What stands before the i-th of n things. */
static const char *separator(size_t i, size_t n, const char *last) {
        return i == 0 ? "" : i + 1 == n ? last : ", ";
}

/* ---- sets ---- */

struct set {
        uint64_t bits[PATTERN_YEAR_WORDS];
};

#define SET_END   (64 * PATTERN_YEAR_WORDS)
#define SET(mask) ((struct set){.bits = {(mask)}})

static bool has(const struct set *s, int value) {
        return value < SET_END && s->bits[value / 64] >> value % 64 & 1;
}

static int next(const struct set *s, int from) {
        while (from < SET_END && !has(s, from))
                from++;
        return from;
}

static size_t count(const struct set *s) {
        size_t n = 0;

        for (int i = 0; i < PATTERN_YEAR_WORDS; i++)
                for (uint64_t rest = s->bits[i]; rest; rest &= rest - 1)
                        n++;
        return n;
}

/* Values at equal distances: their first, last and distance; n is 0 where the distances differ. */
struct steps {
        int first, last, step;
        size_t n;
};

static struct steps steps_of(const struct set *s) {
        struct steps steps = {.first = next(s, 0), .step = 1, .n = 1};
        int second = next(s, steps.first + 1);

        steps.last = steps.first;
        if (second < SET_END)
                steps.step = second - steps.first;
        for (int value = second; value < SET_END; value = next(s, value + 1)) {
                if (value - steps.last != steps.step)
                        return (struct steps){};
                steps.last = value;
                steps.n++;
        }
        return steps;
}

/* The distance if the values, from 0 on, divide a cycle without rest; else 0. */
static int dividing(const struct set *s, int cycle) {
        struct steps steps = steps_of(s);

        return steps.n > 1 && steps.first == 0 && steps.last + steps.step == cycle ? steps.step : 0;
}

/* The last of the values that follow each other from one on, where they are enough for a range; else that one. */
static int range_end(const struct set *s, int first) {
        int last = first;

        while (has(s, last + 1))
                last++;
        return last - first + 1 >= RANGE_MIN ? last : first;
}

/* Lists the values: "1, 3 and 5 to 9"; `last` is what stands before the last one. */
static void put_set(struct words *w, const struct set *s, void (*print)(struct words *w, int value), const char *last) {
        struct steps steps = steps_of(s);
        size_t n = 0, i = 0;

        if (steps.n > LIST_MAX && steps.step > 1) {
                for (; i < RANGE_MIN; i++) {
                        put(w, "%s", separator(i, SIZE_MAX, last));
                        print(w, steps.first + (int)i * steps.step);
                }
                put(w, " ... ");
                print(w, steps.last);
                return;
        }
        for (int value = next(s, 0); value < SET_END; value = next(s, range_end(s, value) + 1))
                n++;
        for (int value = next(s, 0); value < SET_END; value = next(s, range_end(s, value) + 1)) {
                put(w, "%s", separator(i++, n, last));
                print(w, value);
                if (range_end(s, value) > value) {
                        put(w, " to ");
                        print(w, range_end(s, value));
                }
        }
}

static void print_number(struct words *w, int value) {
        put(w, "%d", value);
}

static void print_ordinal(struct words *w, int value) {
        static const char *const endings[] = {"th", "st", "nd", "rd"};
        bool is_teen = value / 10 == 1;

        put(w, "%d%s", value, endings[!is_teen && value % 10 < 4 ? value % 10 : 0]);
}

static void print_month(struct words *w, int value) {
        static const char *const names[] = {"January", "February", "March",     "April",   "May",      "June",
                                            "July",    "August",   "September", "October", "November", "December"};

        put(w, "%s", names[value - 1]);
}

static void print_weekday(struct words *w, int value) { /* 0 is Monday */
        static const char *const names[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

        put(w, "%s", names[value % WEEKDAYS]);
}

static void print_weekdays(struct words *w, int value) {
        print_weekday(w, value);
        put(w, "s");
}

static void print_year(struct words *w, int value) {
        put(w, "%d", PATTERN_YEAR_FIRST + value);
}

/* ---- the time of day ---- */

/* Seconds of a minute with what they have of a fraction: "5", "0.25"; of two digits where it is a clock's. */
static void put_seconds(struct words *w, int us, bool is_clock) {
        put(w, is_clock ? "%02d" : "%d", us / USEC_PER_SEC);
        if (us % USEC_PER_SEC == 0)
                return;
        put(w, ".%06d", us % USEC_PER_SEC);
        while (w->text[w->size - 1] == '0')
                w->text[--w->size] = '\0';
}

static void put_clock(struct words *w, int hour, int minute, int us) {
        put(w, "%02d:%02d", hour, minute);
        if (us > 0) {
                put(w, ":");
                put_seconds(w, us, true);
        }
}

static void put_clocks(struct words *w, const struct set *hours, const struct set *minutes, int us) {
        size_t n = count(hours) * count(minutes), i = 0;

        put(w, "at ");
        for (int hour = next(hours, 0); hour < SET_END; hour = next(hours, hour + 1))
                for (int minute = next(minutes, 0); minute < SET_END; minute = next(minutes, minute + 1)) {
                        put(w, "%s", separator(i++, n, " and "));
                        put_clock(w, hour, minute, us);
                }
}

static void put_every(struct words *w, int n, const char *unit) {
        if (n == 1)
                put(w, "every %s", unit);
        else
                put(w, "every %d %ss", n, unit);
}

/* "minute 5", "the minutes 5 and 10". */
static void put_units(struct words *w, const struct set *s, const char *unit) {
        put(w, count(s) > 1 ? "the %ss " : "%s ", unit);
        put_set(w, s, print_number, " and ");
}

static void put_hours(struct words *w, const struct set *hours, bool is_said) {
        if (hours->bits[0] != ALL_HOURS) {
                put(w, " of ");
                put_units(w, hours, "hour");
        } else if (is_said)
                put(w, " of every hour");
}

/* The minutes where they are no list: one in hours at equal distances, or at equal distances throughout. False: not so. */
static bool put_minutes_every(struct words *w, const struct set *hours, const struct set *minutes) {
        int step = dividing(minutes, MINUTES), minute = next(minutes, 0), last = minute;
        struct steps of_hours = steps_of(hours);
        bool is_all_day = hours->bits[0] == ALL_HOURS;

        if (step > 0) {
                put_every(w, step, "minute");
                last = MINUTES - step;
        } else if (count(minutes) == 1 && of_hours.n > 0) {
                put_every(w, of_hours.step, "hour");
                if (is_all_day && minute > 0)
                        put(w, " at minute %d", minute);
        } else
                return false;
        if (is_all_day)
                return true;
        if (step > 0 && (of_hours.n == 0 || of_hours.step > 1)) {
                put_hours(w, hours, false);
                return true;
        }
        put(w, " from ");
        put_clock(w, of_hours.first, minute, 0);
        put(w, " to ");
        put_clock(w, of_hours.last, last, 0);
        return true;
}

/* A step that divides the minute, or 0. */
static int seconds_step(const struct pattern *p) {
        const struct pattern_run *run = p->runs;

        return p->n_runs == 1 && run->first_us == 0 && run->last_us > 0 && run->last_us >= USEC_PER_MINUTE - run->step_us &&
                               USEC_PER_MINUTE % run->step_us == 0
                       ? run->step_us
                       : 0;
}

static void put_seconds_list(struct words *w, const struct pattern *p) {
        int step_us = seconds_step(p);

        if (step_us > 0) {
                put(w, "every ");
                if (step_us != USEC_PER_SEC)
                        put_seconds(w, step_us, false);
                put(w, step_us == USEC_PER_SEC ? "second" : " seconds");
                return;
        }
        bool is_one = p->n_runs == 1 && p->runs[0].first_us == p->runs[0].last_us;
        put(w, is_one ? "at second " : "at the seconds ");
        for (size_t i = 0; i < p->n_runs; i++) {
                const struct pattern_run *run = &p->runs[i];
                put(w, "%s", separator(i, p->n_runs, " and "));
                put_seconds(w, run->first_us, false);
                if (run->last_us == run->first_us)
                        continue;
                put(w, " to ");
                put_seconds(w, run->last_us, false);
                if (run->step_us != USEC_PER_SEC) {
                        put(w, " by ");
                        put_seconds(w, run->step_us, false);
                }
        }
}

/* Returns whether single times are listed, so that it must be said that they come every day. */
static bool put_time(struct words *w, const struct pattern *p) {
        struct set hours = SET(p->hours), minutes = SET(p->minutes);
        const struct pattern_run *run = p->runs;
        bool is_one = p->n_runs == 1 && run->first_us == run->last_us;

        if (is_one && count(&hours) * count(&minutes) <= CLOCKS_MAX) {
                put_clocks(w, &hours, &minutes, run->first_us);
                return true;
        }
        if (is_one && run->first_us == 0) {
                if (put_minutes_every(w, &hours, &minutes))
                        return false;
                put(w, "at ");
                put_units(w, &minutes, "minute");
                put_hours(w, &hours, true);
                return false;
        }
        put_seconds_list(w, p);
        if (minutes.bits[0] == ALL_MINUTES) {
                if (seconds_step(p) == 0)
                        put(w, " of every minute");
                put_hours(w, &hours, false);
        } else {
                put(w, " of ");
                put_units(w, &minutes, "minute");
                put_hours(w, &hours, true);
        }
        return false;
}

/* ---- days ---- */

static void put_months(struct words *w, const struct pattern *p, const char *before, const char *all) {
        if (p->months == ALL_MONTHS)
                put(w, "%s", all);
        else {
                put(w, "%s", before);
                put_set(w, &SET(p->months), print_month, " and ");
        }
}

/* From Sunday on to from Monday on. */
static struct set weekdays_of(uint8_t sunday_first) {
        return SET((sunday_first >> 1 | sunday_first << (WEEKDAYS - 1)) & ALL_WEEKDAYS);
}

/* "the first and third Monday" and so on, of all weekdays; returns whether there is any. */
static bool put_nth(struct words *w, const struct pattern_days *d) {
        static const char *const names[] = {"first", "second", "third", "fourth", "fifth", "last"};
        bool is_first = true;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                struct set days = weekdays_of(i < PATTERN_NTH_MAX ? d->nth[i] : d->last);
                if (count(&days) == 0)
                        continue;
                put(w, "%sthe %s ", is_first ? "" : " and ", names[i]);
                put_set(w, &days, print_weekday, " and ");
                is_first = false;
        }
        return !is_first;
}

static bool is_nth(const struct pattern_days *d) {
        uint8_t any = d->last;

        for (int i = 0; i < PATTERN_NTH_MAX; i++)
                any |= d->nth[i];
        return any != 0;
}

/* "Mondays", "Monday to Friday". */
static void put_plain_weekdays(struct words *w, const struct set *days) {
        bool is_list = true;

        for (int day = next(days, 0); day < SET_END; day = next(days, day + 1))
                is_list = is_list && range_end(days, day) == day;
        put_set(w, days, is_list ? print_weekdays : print_weekday, " and ");
}

static void put_weekdays(struct words *w, const struct pattern *p) {
        struct set days = weekdays_of(p->days.of_week);

        put(w, " on ");
        if (count(&days) > 0)
                put_plain_weekdays(w, &days);
        if (!is_nth(&p->days)) {
                put_months(w, p, " in ", "");
                return;
        }
        if (count(&days) > 0)
                put(w, " and ");
        (void)put_nth(w, &p->days);
        put_months(w, p, " of ", " of every month");
}

/* After "if that is ". */
static void put_weekday_condition(struct words *w, const struct pattern_days *d) {
        struct set days = weekdays_of(d->of_week);
        size_t n = count(&days);

        if (n > 0) {
                put(w, range_end(&days, next(&days, 0)) > next(&days, 0) ? "" : "a ");
                put_set(w, &days, print_weekday, " or ");
        }
        if (is_nth(d)) {
                put(w, n > 0 ? " or " : "");
                (void)put_nth(w, d);
        }
}

static void put_from_end(struct words *w, uint32_t from_end) {
        struct set days = SET(from_end);
        struct steps steps = steps_of(&days);

        if (steps.first == 1 && steps.step == 1 && steps.n > 1) {
                put(w, "the last %zu days", steps.n);
                return;
        }
        put(w, "the ");
        if (steps.first == 1) {
                put(w, "last");
                days.bits[0] &= ~UINT64_C(2);
                put(w, count(&days) > 0 ? " and " : "");
        }
        if (count(&days) > 0) {
                put_set(w, &days, print_ordinal, " and ");
                put(w, " last");
        }
        put(w, " day");
}

static void put_nearest(struct words *w, uint32_t nearest) {
        struct set days = SET(nearest & ALL_DAYS);

        if (nearest & 1)
                put(w, "the last working day%s", count(&days) > 0 ? " and " : "");
        if (count(&days) > 0) {
                put(w, "the working day nearest to the ");
                put_set(w, &days, print_ordinal, " and ");
        }
}

static void put_month_days(struct words *w, const struct pattern *p) {
        const struct pattern_days *d = &p->days;
        const char *before = " on ";

        if (d->of_month) {
                put(w, "%sthe ", before);
                put_set(w, &SET(d->of_month), print_ordinal, " and ");
                before = " and ";
        }
        if (d->from_end) {
                put(w, "%s", before);
                put_from_end(w, d->from_end);
                before = " and ";
        }
        if (d->nearest) {
                put(w, "%s", before);
                put_nearest(w, d->nearest);
        }
        put_months(w, p, " of ", " of every month");
}

static bool is_every_day(const struct pattern_days *d) {
        bool is_any_month_day = d->of_month == ALL_DAYS, is_any_weekday = d->of_week == ALL_WEEKDAYS;

        return d->is_either ? is_any_month_day || is_any_weekday : is_any_month_day && is_any_weekday;
}

/* Returns whether it ended with one day of one month, so that the year may follow at once. */
static bool put_days(struct words *w, const struct pattern *p, bool is_daily_said) {
        const struct pattern_days *d = &p->days;

        if (is_every_day(d)) {
                put(w, "%s", is_daily_said ? " every day" : "");
                put_months(w, p, " in ", "");
                return false;
        }
        if (d->of_month == ALL_DAYS) {
                put_weekdays(w, p);
                return false;
        }
        put_month_days(w, p);
        if (d->of_week == ALL_WEEKDAYS)
                return count(&SET(p->months)) == 1;
        if (d->is_either) {
                put(w, ", and");
                put_weekdays(w, p);
        } else {
                put(w, " if that is ");
                put_weekday_condition(w, d);
        }
        return false;
}

static void put_years(struct words *w, const struct pattern *p, bool is_after_month) {
        const int last = PATTERN_YEAR_LAST - PATTERN_YEAR_FIRST;
        struct set years;

        memcpy(years.bits, p->years, sizeof(years.bits));
        struct steps steps = steps_of(&years);
        if (steps.n > 1 && steps.step == 1 && steps.last >= last) {
                if (steps.first > 0)
                        put(w, " from %d on", PATTERN_YEAR_FIRST + steps.first);
                return;
        }
        put(w, is_after_month && steps.n == 1 ? " " : " in ");
        put_set(w, &years, print_year, " and ");
}

char *pattern_words(const struct pattern *p, char buf[static PATTERN_WORDS_MAX]) {
        struct words w = {.text = buf};

        buf[0] = '\0';
        bool is_daily_said = put_time(&w, p);
        put_years(&w, p, put_days(&w, p, is_daily_said));
        return buf;
}
