// SPDX-License-Identifier: MIT
// pattern_field: one grammar for the items of both notations. How they differ is data: a row of struct field_syntax for each field.

#include "config/pattern_field.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS      " \t"
#define NAME_SIZE   3
#define NUMBER_MAX  99999999 /* read; far over every range, and with six digits of a fraction still an int64_t */
#define USEC_DIGITS 6
#define SHOWN_MAX   40

int pattern_error(struct pattern_draft *d, const char *at, const char *format, ...) {
        va_list args;

        d->error->at = (size_t)(at - d->text);
        va_start(args, format);
        vsnprintf(d->error->text, sizeof(d->error->text), format, args);
        va_end(args);
        return -EINVAL;
}

size_t word_size(const char *word) {
        return strcspn(word, BLANKS);
}

int word_shown(const char *word) {
        size_t size = word_size(word);
        return size < SHOWN_MAX ? (int)size : SHOWN_MAX;
}

bool word_is(const char *word, const char *name) {
        return word_size(word) == strlen(name) && strncasecmp(word, name, strlen(name)) == 0;
}

size_t words_split(const char *text, size_t max, const char **ret) {
        size_t n = 0;

        for (const char *p = text + strspn(text, BLANKS); *p && n <= max; p += strspn(p, BLANKS)) {
                ret[n++] = p;
                p += word_size(p);
        }
        return n;
}

static bool is_digit(char c) {
        return c >= '0' && c <= '9';
}

/* Reads six digits of a fraction, rounded by the seventh. */
static int64_t fraction_read(const char **p) {
        int64_t us = 0;
        int n = 0;

        for (; n < USEC_DIGITS; n++)
                us = us * 10 + (is_digit(**p) ? *(*p)++ - '0' : 0);
        us += **p >= '5' && **p <= '9';
        while (is_digit(**p))
                (*p)++;
        return us;
}

/* Reads a number in units and moves behind it. False: there is none. */
static bool number_read(const struct field_syntax *s, const char **at, int64_t *ret) {
        const char *p = *at;
        int64_t number = 0;

        if (!is_digit(*p))
                return false;
        for (; is_digit(*p); p++)
                number = number < NUMBER_MAX ? number * 10 + (*p - '0') : number;
        number *= s->unit;
        if (s->unit > 1 && *p == '.' && is_digit(p[1])) {
                p++;
                number += fraction_read(&p);
        }
        *at = p;
        *ret = number;
        return true;
}

static bool name_find(const struct field_syntax *s, const char *text, int32_t *ret_value) {
        for (int32_t i = 0; s->names && s->names[i * NAME_SIZE]; i++)
                if (strncasecmp(s->names + i * NAME_SIZE, text, NAME_SIZE) == 0) {
                        *ret_value = s->named + i;
                        return true;
                }
        return false;
}

static int32_t in_whole(const struct field_syntax *s, int32_t value) {
        return value / s->unit;
}

static int value_parse(const struct field_syntax *s, struct pattern_draft *d, int32_t *ret) {
        const char *begin = d->at;
        int64_t value;

        if (name_find(s, d->at, ret)) {
                d->at += NAME_SIZE;
                return 0;
        }
        if (!number_read(s, &d->at, &value)) {
                if (word_size(begin) == 0)
                        return pattern_error(d, begin, "the %s is missing: %s", s->name, s->advice);
                return pattern_error(d, begin, "\"%.*s\" is no %s: %s", word_shown(begin), begin, s->name, s->advice);
        }
        if (s->is_year && value < 100)
                value += value < 70 ? 2000 : 1900;
        if (value < s->first || value > s->last)
                return pattern_error(d, begin, "%s %.*s is out of range %d..%d", s->name, (int)(d->at - begin), begin, s->first,
                                     in_whole(s, s->last));
        *ret = (int32_t)value;
        return 0;
}

static int step_parse(const struct field_syntax *s, struct pattern_draft *d, struct field_item *item) {
        const char *begin = ++d->at;
        int64_t step;

        if (!number_read(s, &d->at, &step))
                return pattern_error(d, begin, "a step is a number, such as the 15 of 0/15");
        if (step == 0)
                return pattern_error(d, begin, "a step of 0 leads nowhere; the least is 1");
        item->step = step < INT32_MAX ? (int32_t)step : INT32_MAX;
        if (item->shape == FIELD_ONE)
                item->shape = FIELD_OPEN;
        return 0;
}

/* Gives a step without an end its end. */
static int open_finish(const struct field_syntax *s, struct pattern_draft *d, const char *begin, struct field_item *item) {
        int32_t room = s->is_from_end ? item->first - s->first : s->last - item->first;

        if (item->step > room)
                return pattern_error(d, begin, "the step of %.*s leads out of %d..%d; write the %s alone", (int)(d->at - begin),
                                     begin, s->first, in_whole(s, s->last), s->name);
        item->last = s->is_from_end ? s->first : s->last;
        return 0;
}

static int range_finish(const struct field_syntax *s, struct pattern_draft *d, const char *begin, struct field_item *item) {
        if (item->last < item->first && item->last + s->cycle <= s->last)
                item->last += s->cycle; /* Friday to Sunday, where Sunday is 0 and 7 */
        if (item->last < item->first)
                return pattern_error(d, begin, "the range %.*s goes backwards; write two", (int)(d->at - begin), begin);
        item->last -= (item->last - item->first) % item->step;
        if (item->last == item->first)
                *item = (struct field_item){FIELD_ONE, item->first, item->first, s->unit};
        return 0;
}

static int ends_parse(const struct field_syntax *s, struct pattern_draft *d, struct field_item *item) {
        size_t size = strlen(s->notation->range);

        if (*d->at == '*') {
                d->at++;
                item->shape = FIELD_STAR;
                item->first = s->first;
                item->last = s->last;
                return 0;
        }
        int e = value_parse(s, d, &item->first);
        item->last = item->first;
        if (e || strncmp(d->at, s->notation->range, size) != 0)
                return e;
        d->at += size;
        item->shape = FIELD_RANGE;
        return value_parse(s, d, &item->last);
}

int field_item_parse(const struct field_syntax *s, struct pattern_draft *d, struct field_item *ret) {
        struct field_item item = {.shape = FIELD_ONE, .step = s->unit};
        const char *begin = d->at;
        int e = ends_parse(s, d, &item);

        if (e)
                return e;
        if (item.shape == FIELD_STAR && *d->at == '/' && !s->notation->has_star_step)
                return pattern_error(d, begin, "\"*\" takes no step here: write %d%.*s", s->first,
                                     (int)strspn(d->at, "/0123456789."), d->at);
        if (*d->at == '/')
                e = step_parse(s, d, &item);
        if (!e && item.shape == FIELD_OPEN)
                e = open_finish(s, d, begin, &item);
        if (!e && item.shape == FIELD_RANGE)
                e = range_finish(s, d, begin, &item);
        if (!e)
                *ret = item;
        return e;
}

void field_print(struct pattern_draft *d, const char *format, ...) {
        char buf[64];
        va_list args;

        va_start(args, format);
        int n = vsnprintf(buf, sizeof(buf), format, args);
        va_end(args);
        pack_raw(&d->out, buf, (size_t)n);
}

/* Prints it with at least width digits. At most 24 bytes with the end. Returns buf. */
static char *value_print(const struct field_syntax *s, int32_t value, int width, char buf[static 24]) {
        int n = snprintf(buf, 24, "%0*d", width, in_whole(s, value));
        if (value % s->unit)
                snprintf(buf + n, 24 - (size_t)n, ".%0*d", USEC_DIGITS, value % s->unit);
        return buf;
}

void field_item_print(const struct field_syntax *s, const struct field_item *item, struct pattern_draft *d) {
        char buf[24];

        field_print(d, "%s", item->shape == FIELD_STAR ? "*" : value_print(s, item->first, s->width, buf));
        if (item->shape == FIELD_RANGE)
                field_print(d, "%s%s", s->notation->range, value_print(s, item->last, s->width, buf));
        if (item->shape == FIELD_OPEN || item->step != s->unit)
                field_print(d, "/%s", value_print(s, item->step, 1, buf));
}

uint64_t field_item_mask(const struct field_item *item, int32_t base) {
        int64_t bit = item->first - base, left = (item->last - item->first) / item->step, step = item->step;
        uint64_t mask = 0;

        if (item->last < item->first) { /* left is 0 or negative */
                left = -left;
                step = -step;
        }
        for (; left >= 0; left--, bit += step)
                if (bit >= 0 && bit < 64)
                        mask |= UINT64_C(1) << bit;
        return mask;
}

int field_item_add_run(const struct field_item *item, struct pattern *p) {
        struct pattern_run *runs = reallocarray(p->runs, p->n_runs + 1, sizeof(p->runs[0]));

        if (!runs)
                return -ENOMEM;
        p->runs = runs;
        int32_t last = item->last - (item->last - item->first) % item->step; /* a step may lead far beyond the minute */
        p->runs[p->n_runs++] = (struct pattern_run){item->first, last, item->step};
        return 0;
}

bool field_item_is_fixed(const struct field_syntax *s, const struct field_item *item) {
        return item->shape != FIELD_STAR && item->shape != FIELD_OPEN && item->step == s->unit;
}

void field_item_warn(const struct field_syntax *s, const struct field_item *item, struct pattern_draft *d) {
        char step[24], last[24], first[24], left[24];

        if ((item->shape != FIELD_OPEN && item->shape != FIELD_STAR) || s->cycle == 0 || d->warning[0])
                return;
        int32_t end = item->first + s->cycle; /* where the first value comes again */
        int32_t at = item->last < end ? item->last : end - s->unit;
        at -= (at - item->first) % item->step;
        if (end - at < item->step)
                snprintf(d->warning, sizeof(d->warning),
                         "the step %s does not divide %d %ss: after %s follows %s, a step of %s",
                         value_print(s, item->step, 1, step), in_whole(s, s->cycle), s->name, value_print(s, at, 1, last),
                         value_print(s, item->first, 1, first), value_print(s, end - at, 1, left));
}

/* Puts the parts of a draft that was read together. */
static int draft_finish(struct pattern_draft *d) {
        struct pattern *p = d->pattern;

        pack_u8(&d->out, 0);
        if (pack_result(&d->out) < 0)
                return pack_result(&d->out);
        if (d->out.size > PATTERN_TEXT_MAX + 1)
                return pattern_error(d, d->text, "longer than %d bytes once it is normalized", PATTERN_TEXT_MAX);
        p->text = (char *)d->out.data; /* takes it */
        d->out = (struct pack){};
        if (d->warning[0] && !(p->warning = strdup(d->warning)))
                return -ENOMEM;
        return pattern_finish(p) ? 0
                                 : pattern_error(d, d->text, "this can never match: there is no such day from %d to %d",
                                                 PATTERN_YEAR_FIRST, PATTERN_YEAR_LAST);
}

int pattern_read(const char *text, int (*read)(struct pattern_draft *d), const void *userdata, struct pattern **ret,
                 struct pattern_error *ret_error) {
        struct pattern_draft d = {.text = text, .at = text, .error = ret_error, .userdata = userdata};
        int e = -ENOMEM;

        d.pattern = calloc(1, sizeof(*d.pattern));
        if (!d.pattern)
                return -ENOMEM;
        for (int i = 0; i <= PATTERN_YEAR_LAST - PATTERN_YEAR_FIRST; i++)
                d.pattern->years[i / 64] |= UINT64_C(1) << i % 64;
        if (strnlen(text, PATTERN_TEXT_MAX + 1) > PATTERN_TEXT_MAX)
                e = pattern_error(&d, text + PATTERN_TEXT_MAX, "longer than %d bytes", PATTERN_TEXT_MAX);
        else
                e = read(&d);
        if (!e)
                e = draft_finish(&d);
        if (!e) {
                *ret = d.pattern;
                return 0;
        }
        pack_done(&d.out);
        d.pattern = pattern_free(d.pattern);
        return e;
}
