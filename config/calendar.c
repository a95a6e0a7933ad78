// SPDX-License-Identifier: MIT
// calendar: words first (weekdays, date, time, zone), then the fields of each: so that every message can name the field.

#include "config/calendar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/civil.h"
#include "config/pattern_field.h"

#define WORDS_MAX       4
#define LIST_MAX        64 /* values of one field */
#define ZONE_MAX        255
#define ALL_WEEKDAYS    0x7f
#define USEC_PER_SEC    1000000
#define WEEKDAYS        7
#define WEEKDAY_LETTERS 3
#define TIMESTAMP_MAX   INT64_C(7258118399) /* the last second of 2199 */

#define RANGE ".."

enum field { YEAR, MONTH, DAY, DAY_FROM_END, HOUR, MINUTE, SECOND };

static const struct field_notation notation = {.range = RANGE};

static const struct field_syntax syntaxes[] = {
        [YEAR] = {"year", &notation, 1, PATTERN_YEAR_FIRST, PATTERN_YEAR_LAST, 0, 4,
                  .advice = "years are written 2026, 2026..2030 or *", .is_year = true},
        [MONTH] = {"month", &notation, 1, 1, 12, 12, 2, .advice = "months are written 1..12 or *"},
        [DAY] = {"day", &notation, 1, 1, 31, 31, 2, .advice = "days are written 1..31, ~1 (the last) or *"},
        [DAY_FROM_END] = {"day from the end of the month", &notation, 1, 1, 28, 0, 2,
                          .advice = "~1 is the last day, ~7/1 are the last seven", .is_from_end = true},
        [HOUR] = {"hour", &notation, 1, 0, 23, 24, 2, .advice = "hours are written 0..23, 0/6 or *"},
        [MINUTE] = {"minute", &notation, 1, 0, 59, 60, 2, .advice = "minutes are written 0..59, 0/15 or *"},
        [SECOND] = {"second", &notation, USEC_PER_SEC, 0, 60 * USEC_PER_SEC - 1, 60 * USEC_PER_SEC, 2,
                    .advice = "seconds are written 0..59, 0/15, 0.5 or *"},
};

static const struct {
        const char *name, *event;
} shorthands[] = {
        {"minutely", "*-*-* *:*:00"},
        {"hourly", "*-*-* *:00:00"},
        {"daily", "*-*-* 00:00:00"},
        {"weekly", "Mon *-*-* 00:00:00"},
        {"monthly", "*-*-01 00:00:00"},
        {"quarterly", "*-01,04,07,10-01 00:00:00"},
        {"semiannually", "*-01,07-01 00:00:00"},
        {"semi-annually", "*-01,07-01 00:00:00"},
        {"biannually", "*-01,07-01 00:00:00"},
        {"bi-annually", "*-01,07-01 00:00:00"},
        {"yearly", "*-01-01 00:00:00"},
        {"annually", "*-01-01 00:00:00"},
        {"anually", "*-01-01 00:00:00"}, /* systemd reads it too */
};

static const char utc[] = "UTC";
static const char *const weekdays[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

struct words {
        size_t n;
        const char *at[WORDS_MAX + 1];
};

static bool is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_end(char c) {
        return c == 0 || c == ' ' || c == '\t';
}

/* ---- weekdays ---- */

/* Reads a name, long or short, and moves behind it: 0 is Monday; -1: there is none. */
static int weekday_read(const char **at) {
        for (int i = 0; i < WEEKDAYS; i++) {
                size_t size = strlen(weekdays[i]);
                if (strncasecmp(*at, weekdays[i], size) != 0)
                        size = WEEKDAY_LETTERS;
                if (strncasecmp(*at, weekdays[i], size) == 0 && !is_letter((*at)[size])) {
                        *at += size;
                        return i;
                }
        }
        return -1;
}

static int weekday_parse(struct pattern_draft *d, int *ret) {
        const char *begin = d->at;

        *ret = weekday_read(&d->at);
        if (*ret >= 0)
                return 0;
        return pattern_error(d, begin, "\"%.*s\" is no weekday: they are Mon Tue Wed Thu Fri Sat Sun", word_shown(begin),
                             begin);
}

/* Reads the list into bits from Monday on. */
static int weekday_list_parse(struct pattern_draft *d, unsigned *ret_days) {
        unsigned days = 0;

        do {
                const char *begin = d->at;
                int first, last;
                int e = weekday_parse(d, &first);
                last = first;
                if (!e && (strncmp(d->at, RANGE, strlen(RANGE)) == 0 || *d->at == '-')) {
                        d->at += *d->at == '-' ? 1 : strlen(RANGE);
                        e = weekday_parse(d, &last);
                }
                if (e)
                        return e;
                if (last < first)
                        return pattern_error(d, begin, "the range %.*s goes backwards: a week begins with Mon; write a list",
                                             (int)(d->at - begin), begin);
                for (int i = first; i <= last; i++)
                        days |= 1U << i;
                if (*d->at != ',' && !is_end(*d->at))
                        return pattern_error(d, d->at, "weekdays are written Mon,Wed or Mon..Fri");
                d->at += *d->at == ',';
        } while (!is_end(*d->at));
        *ret_days = days;
        return 0;
}

static void weekday_list_print(struct pattern_draft *d, unsigned days) {
        const char *separator = "";

        for (int first = 0; first < WEEKDAYS; first++) {
                int last = first;
                if (!(days >> first & 1))
                        continue;
                while (days >> (last + 1) & 1)
                        last++;
                if (last == first + 1)
                        last = first;
                field_print(d, "%s%.*s", separator, WEEKDAY_LETTERS, weekdays[first]);
                if (last > first)
                        field_print(d, RANGE "%.*s", WEEKDAY_LETTERS, weekdays[last]);
                separator = ",";
                first = last;
        }
}

static int weekdays_parse(struct pattern_draft *d) {
        unsigned days = 0;
        int e = weekday_list_parse(d, &days);

        if (e)
                return e;
        if (days != ALL_WEEKDAYS) {
                weekday_list_print(d, days);
                field_print(d, " ");
        }
        d->pattern->days.of_week = (uint8_t)((days << 1 & ALL_WEEKDAYS) | days >> (WEEKDAYS - 1)); /* from Sunday on */
        return 0;
}

/* ---- fields ---- */

struct list {
        size_t n;
        struct field_item items[LIST_MAX];
};

/* systemd's order, so that normalized texts are equal: values, among equal ones those without end and then without step first. */
static int item_compare(const void *a, const void *b) {
        const struct field_item *x = a, *y = b;
        int32_t left[] = {x->first, x->shape == FIELD_RANGE ? x->last : -1, x->shape == FIELD_ONE ? 0 : x->step};
        int32_t right[] = {y->first, y->shape == FIELD_RANGE ? y->last : -1, y->shape == FIELD_ONE ? 0 : y->step};

        for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
                if (left[i] != right[i])
                        return left[i] < right[i] ? -1 : 1;
        return 0;
}

static void list_sort(struct list *l) {
        size_t n = 1;

        qsort(l->items, l->n, sizeof(l->items[0]), item_compare);
        for (size_t i = 1; i < l->n; i++)
                if (item_compare(&l->items[n - 1], &l->items[i]) != 0)
                        l->items[n++] = l->items[i];
        l->n = n;
}

static int list_parse(const struct field_syntax *s, struct pattern_draft *d, struct list *ret) {
        ret->n = 0;
        for (;; d->at++) {
                if (ret->n == LIST_MAX)
                        return pattern_error(d, d->at, "a list has at most %d values", LIST_MAX);
                int e = field_item_parse(s, d, &ret->items[ret->n]);
                if (e)
                        return e;
                if (ret->items[ret->n++].shape == FIELD_STAR && (ret->n > 1 || *d->at == ','))
                        return pattern_error(d, d->at - 1, "\"*\" is every %s, and stands alone", s->name);
                if (*d->at != ',')
                        break;
        }
        list_sort(ret);
        return 0;
}

static uint64_t list_mask(const struct list *l, int32_t base) {
        uint64_t mask = 0;

        for (size_t i = 0; i < l->n; i++)
                mask |= field_item_mask(&l->items[i], base);
        return mask;
}

static bool list_is_fixed(enum field field, const struct list *l) {
        for (size_t i = 0; i < l->n; i++)
                if (!field_item_is_fixed(&syntaxes[field], &l->items[i]))
                        return false;
        return true;
}

static int list_store(struct pattern *p, enum field field, const struct list *l) {
        switch (field) {
        case YEAR:
                for (int i = 0; i < PATTERN_YEAR_WORDS; i++)
                        p->years[i] = list_mask(l, PATTERN_YEAR_FIRST + 64 * i);
                break;
        case MONTH:
                p->months = (uint16_t)list_mask(l, 0);
                break;
        case DAY:
                p->days.of_month = (uint32_t)list_mask(l, 0);
                break;
        case DAY_FROM_END:
                p->days.from_end = (uint32_t)list_mask(l, 0);
                break;
        case HOUR:
                p->hours = (uint32_t)list_mask(l, 0);
                p->is_fixed = list_is_fixed(field, l);
                break;
        case MINUTE:
                p->minutes = list_mask(l, 0);
                p->is_fixed = p->is_fixed && list_is_fixed(field, l);
                break;
        case SECOND:
                for (size_t i = 0; i < l->n; i++)
                        if (field_item_add_run(&l->items[i], p) < 0)
                                return -ENOMEM;
                break;
        }
        return 0;
}

/* Reads a field up to the character that ends it, which is passed, or to the end of the word, for which a blank stands. */
static int field_parse(struct pattern_draft *d, enum field field, char end) {
        const struct field_syntax *s = &syntaxes[field];
        struct list list;
        int e = list_parse(s, d, &list);

        if (e)
                return e;
        if (is_end(end) ? !is_end(*d->at) : *d->at != end)
                return pattern_error(d, d->at, "\"%.*s\" does not belong to the %s: %s", word_shown(d->at), d->at, s->name,
                                     s->advice);
        for (size_t i = 0; i < list.n; i++) {
                field_print(d, "%s", i ? "," : "");
                field_item_print(s, &list.items[i], d);
        }
        if (list.n == 1)
                field_item_warn(s, &list.items[0], d);
        d->at += !is_end(end);
        return list_store(d->pattern, field, &list);
}

/* ---- date, time, zone ---- */

/* Reads a field that was left out. */
static int field_imply(struct pattern_draft *d, enum field field, const char *text) {
        const char *at = d->at;

        d->at = text;
        int e = field_parse(d, field, ' ');
        d->at = at;
        return e;
}

/* "month-day" or "year-month-day"; "~" before the day counts it from the end. */
static int date_parse(struct pattern_draft *d) {
        const char *last = NULL;
        int n = 0;

        for (const char *p = d->at; !is_end(*p); p++)
                if (*p == '-' || *p == '~') {
                        if (++n > 2 || (last && *last == '~'))
                                return pattern_error(d, p, "a date is written 2026-01-31, 01-31 or 01~1 (the last day)");
                        last = p;
                }
        enum field day = *last == '~' && last[1] != '*' ? DAY_FROM_END : DAY;
        int e = n == 2 ? field_parse(d, YEAR, '-') : field_imply(d, YEAR, "*");
        field_print(d, "-");
        if (!e)
                e = field_parse(d, MONTH, *last);
        field_print(d, day == DAY ? "-" : "~");
        if (!e)
                e = field_parse(d, day, ' ');
        field_print(d, " ");
        return e;
}

/* "hour:minute" or "hour:minute:second". */
static int time_parse(struct pattern_draft *d) {
        const char *word = d->at, *colon = strchr(word, ':');
        bool has_second = memchr(colon + 1, ':', word_size(colon + 1)) != NULL;

        int e = field_parse(d, HOUR, ':');
        field_print(d, ":");
        if (!e)
                e = field_parse(d, MINUTE, has_second ? ':' : ' ');
        field_print(d, ":");
        if (!e)
                e = has_second ? field_parse(d, SECOND, ' ') : field_imply(d, SECOND, "00");
        return e;
}

/* "@SECONDS" since 1970: one instant. */
static int timestamp_parse(struct pattern_draft *d) {
        const char *begin = d->at, *p = begin + 1;
        int64_t seconds = 0;
        char text[32];

        for (; *p >= '0' && *p <= '9' && seconds <= TIMESTAMP_MAX; p++)
                seconds = seconds * 10 + (*p - '0');
        if (p == begin + 1 || !is_end(*p) || seconds > TIMESTAMP_MAX)
                return pattern_error(d, begin, "a timestamp is written @SECONDS, up to @%lld", (long long)TIMESTAMP_MAX);
        free(d->pattern->zone); /* an instant is in none */
        d->pattern->zone = strdup(utc);
        if (!d->pattern->zone)
                return -ENOMEM;
        struct civil c = civil_of_seconds(seconds);
        snprintf(text, sizeof(text), "%lld-%d-%d %d:%d:%d", (long long)c.year, c.month, c.day, c.hour, c.minute, c.second);
        d->at = text;
        int e = date_parse(d);
        d->at = strchr(text, ' ') + 1;
        if (!e)
                e = time_parse(d);
        d->at = p;
        return e;
}

static bool word_has(const char *word, const char *characters) {
        return strcspn(word, characters) < word_size(word);
}

static int not_understood(struct pattern_draft *d, const char *word) {
        if (weekday_read(&(const char *){word}) >= 0)
                return pattern_error(d, word, "weekdays stand before date and time, in one list without blanks: Mon,Wed..Fri");
        if (word_has(word, ":"))
                return pattern_error(d, word, "\"%.*s\": date and time are two words: 2026-01-31 02:30", word_shown(word),
                                     word);
        return pattern_error(d, word,
                             "\"%.*s\" is no weekday (Mon..Fri), no date (2026-01-31), no time (02:30) and no short form "
                             "(minutely hourly daily weekly monthly quarterly semiannually yearly)",
                             word_shown(word), word);
}

/* Reads the words but for the zone. */
static int event_parse(struct pattern_draft *d, const struct words *words) {
        const char *const *word = words->at;
        size_t n = words->n, i = 0;
        int e = 0;

        d->pattern->days.of_week = ALL_WEEKDAYS;
        if (weekday_read(&(const char *){word[0]}) >= 0) {
                d->at = word[i++];
                e = weekdays_parse(d);
        }
        if (!e && i < n && *word[i] == '@') {
                d->at = word[i++];
                e = timestamp_parse(d);
        } else {
                d->at = i < n && word_has(word[i], "-~") && !word_has(word[i], ":") ? word[i++] : "*-*-*";
                if (!e)
                        e = date_parse(d);
                d->at = i < n && word_has(word[i], ":") && !word_has(word[i], "-~") ? word[i++] : "00:00:00";
                if (!e)
                        e = time_parse(d);
        }
        return !e && i < n ? not_understood(d, word[i]) : e;
}

/* Takes the zone, the last of several words, off the list. */
static int zone_take(struct pattern_draft *d, struct words *words) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
        const char *word = words->at[words->n - 1];

        if (words->n < 2 || !is_letter(*word) || weekday_read(&(const char *){word}) >= 0)
                return 0;
        if (word_size(word) > ZONE_MAX || strspn(word, letters) < word_size(word))
                return pattern_error(d, word, "\"%.*s\" is no name of a time zone, such as Europe/Berlin", word_shown(word),
                                     word);
        words->n--;
        d->pattern->zone = word_is(word, utc) ? strdup(utc) : strndup(word, word_size(word));
        return d->pattern->zone ? 0 : -ENOMEM;
}

static int calendar_read(struct pattern_draft *d) {
        struct words words;

        words.n = words_split(d->text, WORDS_MAX, words.at);
        if (words.n == 0)
                return pattern_error(d, d->text, "empty; an event is written Mon..Fri 02:30 or daily");
        if (words.n > WORDS_MAX)
                return pattern_error(d, words.at[WORDS_MAX], "too many words: an event is weekdays, date, time and zone");
        int e = zone_take(d, &words);
        for (size_t i = 0; words.n == 1 && i < sizeof(shorthands) / sizeof(shorthands[0]); i++)
                if (word_is(words.at[0], shorthands[i].name))
                        words.n = words_split(shorthands[i].event, WORDS_MAX, words.at);
        if (!e)
                e = event_parse(d, &words);
        if (!e && d->pattern->zone) {
                pack_raw(&d->out, " ", 1);
                pack_raw(&d->out, d->pattern->zone, strlen(d->pattern->zone));
        }
        return e;
}

int calendar_parse(const char *text, struct pattern **ret, struct pattern_error *ret_error) {
        return pattern_read(text, calendar_read, NULL, ret, ret_error);
}

static int days_read(struct pattern_draft *d) {
        static const char every_day[] = " *-*-*", midnight[] = " 00:00:00";
        bool is_weekdays = weekday_read(&(const char *){d->text}) >= 0;

        if (!is_weekdays && (!word_has(d->text, "-~") || word_has(d->text, ":@")))
                return pattern_error(d, d->text, "\"%.*s\" is no day: write 2026-12-24, *-12-25, Mon..Fri or Sat,Sun",
                                     word_shown(d->text), d->text);
        int e = event_parse(d, &(struct words){.n = 1, .at = {d->text}});
        if (!e && pack_result(&d->out) == 0)
                d->out.size -=
                        strlen(midnight) + (is_weekdays && d->pattern->days.of_week != ALL_WEEKDAYS ? strlen(every_day) : 0);
        return e;
}

int calendar_parse_days(const char *word, struct pattern **ret, struct pattern_error *ret_error) {
        return pattern_read(word, days_read, NULL, ret, ret_error);
}
