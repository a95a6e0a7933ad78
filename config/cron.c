// SPDX-License-Identifier: MIT
// cron: five or six fields, each a list of items of the common grammar; the day fields have forms of their own on top.
// The rule of the star is Vixie cron's (its flags DOM_STAR and DOW_STAR), kept by cron and cronie ever since: what decides is the
// first character of a field, not whether it leaves a day out.

#include "config/cron.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "config/pattern_field.h"

#define LETTER(c)     ((c) | 0x20)
#define USEC_PER_SEC  1000000
#define WEEKDAYS      7
#define LAST_DAYS_MAX 30 /* L-30 is the first day of a month of 31 */

enum field { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY };
#define FIELDS (WEEKDAY + 1)

static const struct field_notation notation = {.range = "-", .has_star_step = true};

static const struct field_syntax syntaxes[FIELDS] = {
        [SECOND] = {"second", &notation, USEC_PER_SEC, 0, 60 * USEC_PER_SEC - 1, 60 * USEC_PER_SEC, 1,
                    .advice = "seconds are written 0-59, */15 or *"},
        [MINUTE] = {"minute", &notation, 1, 0, 59, 60, 1, .advice = "minutes are written 0-59, */15 or *"},
        [HOUR] = {"hour", &notation, 1, 0, 23, 24, 1, .advice = "hours are written 0-23, */6 or *"},
        [DAY] = {"day", &notation, 1, 1, 31, 31, 1,
                 .advice = "days are written 1-31, *, L (the last), L-3, 15W (the nearest working day) or LW"},
        [MONTH] = {"month", &notation, 1, 1, 12, 12, 1, .advice = "months are written 1-12, JAN-DEC or *",
                   .names = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", .named = 1},
        [WEEKDAY] = {"weekday", &notation, 1, 0, 7, WEEKDAYS, 1,
                     .advice = "weekdays are written 0-7, SUN-SAT, *, 5L (the last Friday) or 5#2 (the second)",
                     .names = "SUNMONTUEWEDTHUFRISAT", .named = 0},
};

static const struct {
        const char *name, *fields, *answer;
} nicknames[] = {
        {"@yearly", "0 0 1 1 *", NULL},
        {"@annually", "0 0 1 1 *", NULL},
        {"@monthly", "0 0 1 * *", NULL},
        {"@weekly", "0 0 * * 0", NULL},
        {"@daily", "0 0 * * *", NULL},
        {"@midnight", "0 0 * * *", NULL},
        {"@hourly", "0 * * * *", NULL},
        {"@reboot", NULL, "@reboot is no time: write OnBoot=yes"},
        {"@every", NULL, "an interval is no time: write Every="},
};

/* ---- days: forms of their own ---- */

/* "L", "L-n", "LW": days from the end of a month. */
static int last_day_parse(struct pattern_draft *d) {
        struct pattern_days *days = &d->pattern->days;
        int n = 0;

        d->at++;
        if (LETTER(*d->at) == 'w') {
                d->at++;
                days->nearest |= 1;
                field_print(d, "LW");
                return 0;
        }
        if (*d->at != '-') {
                days->from_end |= 1U << 1;
                field_print(d, "L");
                return 0;
        }
        const char *begin = ++d->at;
        for (; *d->at >= '0' && *d->at <= '9' && n <= LAST_DAYS_MAX; d->at++)
                n = n * 10 + (*d->at - '0');
        if (d->at == begin || n > LAST_DAYS_MAX)
                return pattern_error(d, begin, "L-%d is the most; L-3 is three days before the last", LAST_DAYS_MAX);
        days->from_end |= 1U << (n + 1);
        field_print(d, "L-%d", n);
        return 0;
}

/* Behind a number: "15W", "5L", "5#2". */
static int suffix_parse(struct pattern_draft *d, enum field field, int value) {
        struct pattern_days *days = &d->pattern->days;
        int n;

        if (field == DAY) {
                days->nearest |= 1U << value;
                field_print(d, "W");
        } else if (*d->at == '#') {
                n = d->at[1] - '0';
                if (n < 1 || n > PATTERN_NTH_MAX || (d->at[2] >= '0' && d->at[2] <= '9'))
                        return pattern_error(d, d->at + 1, "behind # stands 1 to %d: 5#2 is the second Friday",
                                             PATTERN_NTH_MAX);
                days->nth[n - 1] |= (uint8_t)(1U << value);
                field_print(d, "#%d", n);
                d->at++;
        } else {
                days->last |= (uint8_t)(1U << value);
                field_print(d, "L");
        }
        d->at++;
        return 0;
}

static bool has_suffix(enum field field, char c) {
        return (field == DAY && LETTER(c) == 'w') || (field == WEEKDAY && (LETTER(c) == 'l' || c == '#'));
}

/* ---- fields ---- */

static int item_store(struct pattern *p, enum field field, const struct field_item *item) {
        uint64_t mask = field_item_mask(item, 0);

        switch (field) {
        case SECOND:
                return field_item_add_run(item, p);
        case MINUTE:
                p->minutes |= mask;
                break;
        case HOUR:
                p->hours |= (uint32_t)mask;
                break;
        case DAY:
                p->days.of_month |= (uint32_t)mask;
                break;
        case MONTH:
                p->months |= (uint16_t)mask;
                break;
        case WEEKDAY:
                p->days.of_week |= (uint8_t)((mask | mask >> WEEKDAYS) & 0x7f);
                break;
        }
        if (field == MINUTE || field == HOUR)
                p->is_fixed = p->is_fixed && field_item_is_fixed(&syntaxes[field], item);
        return 0;
}

/* "*", or "?" as Quartz has it for the day field that does not count. */
static bool is_star(const char *field) {
        return *field == '*' || *field == '?';
}

static int item_parse(struct pattern_draft *d, enum field field, bool is_alone) {
        const struct field_syntax *s = &syntaxes[field];
        struct field_item item = {FIELD_STAR, s->first, s->last, s->unit};
        int e = 0;

        if (field == DAY && LETTER(*d->at) == 'l')
                return last_day_parse(d);
        if (*d->at == '?' && is_alone && (field == DAY || field == WEEKDAY))
                d->at++;
        else
                e = field_item_parse(s, d, &item);
        if (e)
                return e;
        if (field == WEEKDAY && item.shape == FIELD_ONE)
                item.first = item.last = item.first % WEEKDAYS;
        field_item_print(s, &item, d);
        if (item.shape == FIELD_ONE && has_suffix(field, *d->at))
                return suffix_parse(d, field, item.first);
        if (is_alone)
                field_item_warn(s, &item, d);
        return item_store(d->pattern, field, &item);
}

static int field_parse(struct pattern_draft *d, enum field field, const char *word) {
        const struct field_syntax *s = &syntaxes[field];
        bool is_alone = !memchr(word, ',', word_size(word));
        int e;

        d->at = word;
        for (;;) {
                e = item_parse(d, field, is_alone);
                if (e || *d->at != ',')
                        break;
                field_print(d, ",");
                d->at++;
        }
        if (e || word_size(d->at) == 0)
                return e;
        if (*d->at == '~')
                return pattern_error(d, d->at, "a time drawn at random is a fixed one with RandomizedDelay=");
        return pattern_error(d, d->at, "\"%.*s\" does not belong to the %s: %s", word_shown(d->at), d->at, s->name, s->advice);
}

/* The five or six fields that a text stands for. */
static int nickname_expand(struct pattern_draft *d, const char **text) {
        const char *words[2];

        if (words_split(*text, 1, words) == 0 || *words[0] != '@')
                return 0;
        for (size_t i = 0; i < sizeof(nicknames) / sizeof(nicknames[0]); i++) {
                if (!word_is(words[0], nicknames[i].name))
                        continue;
                if (nicknames[i].answer)
                        return pattern_error(d, words[0], "%s", nicknames[i].answer);
                if (words_split(*text, 1, words) > 1)
                        return pattern_error(d, words[1], "nothing stands behind %s", nicknames[i].name);
                *text = nicknames[i].fields;
                return 0;
        }
        return pattern_error(d, words[0], "\"%.*s\" is none of @yearly @monthly @weekly @daily @hourly", word_shown(words[0]),
                             words[0]);
}

static int cron_read(struct pattern_draft *d) {
        const bool *days_and = d->userdata;
        const char *text = d->text, *words[FIELDS + 1];
        int e = nickname_expand(d, &text);

        if (e)
                return e;
        size_t n = words_split(text, FIELDS, words);
        if (n < FIELDS - 1 || n > FIELDS)
                return pattern_error(d, n > FIELDS ? words[FIELDS] : text,
                                     "%s fields: five are minute hour day month weekday, six have seconds before them",
                                     n > FIELDS ? "too many" : "too few");
        d->pattern->is_fixed = true;
        if (n < FIELDS)
                e = field_item_add_run(&(struct field_item){FIELD_ONE, 0, 0, USEC_PER_SEC}, d->pattern);
        for (size_t i = 0; !e && i < n; i++) {
                if (i > 0)
                        field_print(d, " ");
                e = field_parse(d, (enum field)(FIELDS - n + i), words[i]);
        }
        d->pattern->days.is_either = !*days_and && !is_star(words[n - 3]) && !is_star(words[n - 1]);
        return e;
}

int cron_parse(const char *text, bool days_and, struct pattern **ret, struct pattern_error *ret_error) {
        return pattern_read(text, cron_read, &days_and, ret, ret_error);
}
