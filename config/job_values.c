// SPDX-License-Identifier: MIT
// job_values: the kinds of values that several keys share, and how a draft tells what is wrong with one.

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/job_draft.h"

#define PPM_PER_PERCENT 10000

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

int draft_percent(struct job_draft *d, const struct job_setting *s, uint32_t *ret_ppm) {
        const char *p = s->value;
        uint32_t ppm = 0, step = PPM_PER_PERCENT;

        for (; *p >= '0' && *p <= '9' && ppm <= 1000; p++)
                ppm = ppm * 10 + (uint32_t)(*p - '0');
        bool has_digits = p > s->value;
        ppm *= PPM_PER_PERCENT;
        if (has_digits && *p == '.')
                for (p++; *p >= '0' && *p <= '9'; p++) {
                        step /= 10;
                        ppm += step * (uint32_t)(*p - '0');
                }
        if (!has_digits || strcmp(p, "%") != 0)
                return draft_error(d, s, 0, "\"%.60s\" is no percentage; write it as 10%%", s->value);
        if (ppm > 100 * PPM_PER_PERCENT)
                return draft_error(d, s, 0, "%.60s is more than 100%%", s->value);
        *ret_ppm = ppm;
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

int draft_count(struct job_draft *d, const struct job_setting *s, const char *text, size_t offset, uint32_t max,
                uint32_t *ret) {
        unsigned long n = draft_is_number(text) && strlen(text) <= 9 ? strtoul(text, NULL, 10) : 0;

        if (n < 1 || n > max)
                return draft_error(d, s, offset, "\"%.40s\" is no number from 1 to %u", text, max);
        *ret = (uint32_t)n;
        return 0;
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

void mentions_done(struct job_mentions *mentions) {
        for (size_t i = 0; i < mentions->n; i++) {
                free(mentions->list[i].name);
                free(mentions->list[i].file);
        }
        free(mentions->list);
        *mentions = (struct job_mentions){};
}
