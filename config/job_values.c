// SPDX-License-Identifier: MIT
// job_values: the kinds of values that several keys share, and how a draft tells what is wrong with one.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/job_draft.h"

#define BLANKS " \t\n"

unsigned draft_column(const struct job_setting *s, size_t offset) {
        /* behind a joined line the place in the file is not known any more */
        return s->column == 0 || memchr(s->value, '\n', offset) ? s->column : s->column + (unsigned)offset;
}

__attribute__((format(printf, 5, 0))) static void draft_tell(struct job_draft *d, bool is_warning, const struct job_setting *s,
                                                             size_t offset, const char *format, va_list arguments) {
        char text[400];
        bool is_for_job = s->is_default && d->job->name && d->job->name[0];

        /* a default was read once for itself, which told what is odd in it; here it can only be wrong for this job */
        if (!d->diags || (is_warning && is_for_job))
                return;
        vsnprintf(text, sizeof(text), format, arguments);
        diags_add(d->diags, is_warning, s->file, s->line, draft_column(s, offset), "%s%s%s%s", is_for_job ? "job " : "",
                  is_for_job ? d->job->name : "", is_for_job ? ": " : "", text);
}

int draft_error(struct job_draft *d, const struct job_setting *s, size_t offset, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        draft_tell(d, false, s, offset, format, arguments);
        va_end(arguments);
        return 1;
}

void draft_warn(struct job_draft *d, const struct job_setting *s, size_t offset, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        draft_tell(d, true, s, offset, format, arguments);
        va_end(arguments);
}

int draft_span(struct job_draft *d, const struct job_setting *s, bool is_infinity_allowed, int64_t *ret_us) {
        const char *why;
        int64_t us;

        if (duration_parse(s->value, &us, &why) < 0)
                return draft_error(d, s, 0, "\"%.60s\": %s", s->value, why);
        if (us == DURATION_INFINITY && !is_infinity_allowed)
                return draft_error(d, s, 0, "%s= can't be infinity", s->key);
        *ret_us = us;
        return 0;
}

int draft_boolean(struct job_draft *d, const struct job_setting *s, bool *ret) {
        static const char *const yes[] = {"yes", "true", "on", "1", "y", "t"}, *const no[] = {"no", "false", "off",
                                                                                              "0",  "n",     "f"};

        for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
                if (strcasecmp(s->value, yes[i]) == 0 || strcasecmp(s->value, no[i]) == 0) {
                        *ret = strcasecmp(s->value, yes[i]) == 0;
                        return 0;
                }
        return draft_error(d, s, 0, "\"%.60s\" is neither yes nor no", s->value);
}

/* A decimal in units of which `one` are 1; digits from the fifth on before its point are left unread. Gives where it ends, NULL where
 * there is no digit. */
static const char *read_decimal(const char *text, uint32_t one, uint64_t *ret) {
        const char *p = text;
        uint64_t value = 0, step = one;

        for (; *p >= '0' && *p <= '9' && value < 1000; p++)
                value = value * 10 + (uint64_t)(*p - '0');
        if (p == text)
                return NULL;
        value *= one;
        if (*p == '.')
                for (p++; *p >= '0' && *p <= '9'; p++) {
                        step /= 10;
                        value += step * (uint64_t)(*p - '0');
                }
        *ret = value;
        return p;
}

int draft_percent(struct job_draft *d, const struct job_setting *s, uint32_t *ret_ppm) {
        uint64_t ppm;
        const char *end = read_decimal(s->value, PPM_PER_PERCENT, &ppm);

        if (!end || strcmp(end, "%") != 0)
                return draft_error(d, s, 0, "\"%.60s\" is no percentage; write it as 10%%", s->value);
        if (ppm > 100 * PPM_PER_PERCENT)
                return draft_error(d, s, 0, "%.60s is more than 100%%", s->value);
        *ret_ppm = (uint32_t)ppm;
        return 0;
}

int draft_factor(struct job_draft *d, const struct job_setting *s, uint32_t max, uint32_t *ret_ppm) {
        uint64_t ppm;
        const char *end = read_decimal(s->value, PPM_PER_ONE, &ppm);

        if (!end || *end || ppm < PPM_PER_ONE || ppm > max * PPM_PER_ONE)
                return draft_error(d, s, 0, "\"%.40s\" is no factor from 1 to %u; write it as 2 or 1.5", s->value, max);
        *ret_ppm = (uint32_t)ppm;
        return 0;
}

int draft_choice(struct job_draft *d, const struct job_setting *s, const char *const *names, uint8_t *ret) {
        char list[200] = "";
        size_t used = 0;

        for (size_t i = 0; names[i]; i++) {
                if (strcmp(names[i], s->value) == 0) {
                        *ret = (uint8_t)i;
                        return 0;
                }
                used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s",
                                         i == 0         ? ""
                                         : names[i + 1] ? ", "
                                                        : " and ",
                                         names[i]);
        }
        return draft_error(d, s, 0, "%s=%.60s is not known; there is %s", s->key, s->value, list);
}

bool draft_is_number(const char *text) {
        return *text && text[strspn(text, "0123456789")] == 0;
}

int draft_integer(struct job_draft *d, const struct job_setting *s, const char *text, size_t offset, int32_t min, int32_t max,
                  int32_t *ret) {
        const char *digits = text + (min < 0 && *text == '-');
        bool is_number = draft_is_number(digits) && strlen(digits) <= 10;
        long n = is_number ? strtol(text, NULL, 10) : 0;

        if (!is_number || n < min || n > max)
                return draft_error(d, s, offset, "\"%.40s\" is no number from %d to %d", text, min, max);
        *ret = (int32_t)n;
        return 0;
}

int draft_count(struct job_draft *d, const struct job_setting *s, uint32_t min, uint32_t max, uint32_t *ret) {
        int32_t n;
        int r = draft_integer(d, s, s->value, 0, (int32_t)min, (int32_t)max, &n);

        if (r == 0)
                *ret = (uint32_t)n;
        return r;
}

int draft_copy(const char *text, char **ret) {
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        free(*ret);
        *ret = copy;
        return 0;
}

int draft_mention(const struct job_setting *s, size_t offset, const char *name, struct job_mentions *mentions,
                  struct job_mention **ret) {
        struct job_mention *list = reallocarray(mentions->list, mentions->n + 1, sizeof(*list));

        if (!list)
                return -ENOMEM;
        mentions->list = list;
        struct job_mention *mention = &list[mentions->n++];
        *mention = (struct job_mention){
                .is_default = s->is_default,
                .name = strdup(name),
                .file = strdup(s->file ? s->file : ""),
                .line = s->line,
                .column = draft_column(s, offset),
        };
        *ret = mention;
        return mention->name && mention->file ? 0 : -ENOMEM;
}

static int draft_name(struct job_draft *d, const struct job_setting *s, size_t offset, size_t size, uint8_t kind,
                      struct job_mentions *mentions, size_t max, const char *of_what, const char *if_more) {
        struct job_mention *mention;
        char name[JOB_NAME_MAX + 2]; /* one more than there may be */
        const char *why;

        snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : sizeof(name)), s->value + offset);
        if (!job_name_is_valid(name, &why))
                return draft_error(d, s, offset, "\"%s\" is no name of a %s; names are separated by blanks", name, of_what);
        for (size_t i = 0; i < mentions->n; i++)
                if (mentions->list[i].kind == kind && strcmp(mentions->list[i].name, name) == 0)
                        return 0;
        if (mentions->n == max)
                return draft_error(d, s, offset, "more than %zu %s", max, if_more);
        int r = draft_mention(s, offset, name, mentions, &mention);
        if (r == 0)
                mention->kind = kind;
        return r;
}

int draft_names(struct job_draft *d, const struct job_setting *s, uint8_t kind, struct job_mentions *mentions, size_t max,
                const char *of_what, const char *if_more) {
        int r = 0;

        for (const char *at = s->value + strspn(s->value, BLANKS); *at && r == 0; at += strspn(at, BLANKS)) {
                size_t size = strcspn(at, BLANKS);
                r = draft_name(d, s, (size_t)(at - s->value), size, kind, mentions, max, of_what, if_more);
                at += size;
        }
        return r;
}

static bool is_same_place(const struct job_mention *a, const struct job_mention *b) {
        return a->line == b->line && a->column == b->column && strcmp(a->file, b->file) == 0;
}

int mention_tell_once(struct job_mention *mention, struct job_mentions *told) {
        if (!mention->is_default)
                return 1;
        for (size_t i = 0; i < told->n; i++)
                if (is_same_place(&told->list[i], mention))
                        return 0;
        struct job_mention *list = reallocarray(told->list, told->n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        told->list = list;
        list[told->n] = *mention;
        list[told->n].name = strdup(mention->name);
        list[told->n].file = strdup(mention->file);
        told->n++;
        return list[told->n - 1].name && list[told->n - 1].file ? 1 : -ENOMEM;
}

void mentions_done(struct job_mentions *mentions) {
        for (size_t i = 0; i < mentions->n; i++) {
                free(mentions->list[i].name);
                free(mentions->list[i].file);
        }
        free(mentions->list);
        *mentions = (struct job_mentions){};
}
