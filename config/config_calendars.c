// SPDX-License-Identifier: MIT
// config_calendars: the [calendar NAME] sections of all files, and the jobs that name them.
// A calendar with an error is kept as a broken one, so that a job that names it is told of the calendar and not that there is none.

#include "config/config_calendars.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/civil.h"
#include "config/config.h"
#include "config/job_draft.h"
#include "config/nearest.h"

#define BLANKS " \t\n"

enum calendar_key { CALENDAR_DESCRIPTION, CALENDAR_DAYS, CALENDAR_KEYS_N };

static const struct job_key table[CALENDAR_KEYS_N] = {
        [CALENDAR_DESCRIPTION] = {"Description", JOB_HALF_WHEN, false, false, "", "", "public holidays",
                                  "What the calendar is for.", NULL, NULL},
        [CALENDAR_DAYS] = {"Days", JOB_HALF_WHEN, true, false, "", "", "2026-12-24 2026-12-31..2027-01-02 *-05-01 Sat Sun",
                           "Dates, ranges of dates, dates of every year, and weekdays.", NULL, NULL},
};

const struct job_key *config_calendar_keys(size_t *ret_n) {
        *ret_n = CALENDAR_KEYS_N;
        return table;
}

void calendars_done(struct calendars *calendars) {
        for (size_t i = 0; i < calendars->n; i++) {
                free(calendars->list[i].name);
                free(calendars->list[i].file);
                day_list_done(&calendars->list[i].days);
        }
        free(calendars->list);
        mentions_done(&calendars->told);
        *calendars = (struct calendars){};
}

/* ---- sections ---- */

/* Adds the days of one value, and tells of each word that is none. */
static int read_days(struct calendar *c, struct job_draft *d, const struct job_setting *s) {
        struct pattern_error error;
        size_t at = 0;

        if (!*s->value)
                day_list_done(&c->days);
        for (;;) {
                int r = day_list_add(&c->days, s->value + at, &error);
                if (r == 0 || r == -ENOMEM)
                        return r;
                c->is_broken = true;
                at += error.at;
                draft_error(d, s, at, "%s", error.text);
                if (r > 0)
                        return 0;
                at += strcspn(s->value + at, BLANKS);
        }
}

static void tell_key(struct job_draft *d, const struct job_setting *s) {
        struct nearest nearest = nearest_begin(s->key);
        struct job_setting at_key = *s;

        at_key.column = 1;
        for (size_t i = 0; i < CALENDAR_KEYS_N; i++)
                nearest_offer(&nearest, table[i].name);
        if (nearest.found)
                draft_error(d, &at_key, 0, "unknown key %s; did you mean %s=?", s->key, nearest.found);
        else if (job_key_find(s->key))
                draft_error(d, &at_key, 0, "this key belongs into a job; a calendar has Description= and Days=");
        else
                draft_error(d, &at_key, 0, "unknown key %.64s; a calendar has Description= and Days=", s->key);
}

static int read_section(struct calendar *c, const struct unit *unit, const struct section *section) {
        struct job none = {};
        struct job_draft d = {.job = &none, .diags = unit->diags};
        int r = 0;

        c->is_broken = c->is_broken || section->is_broken || unit->is_untrusted;
        for (size_t i = section->first; r == 0 && i < section->first + section->n; i++) {
                const struct job_setting *s = &unit->settings[i];
                if (s->key == table[CALENDAR_DAYS].name)
                        r = read_days(c, &d, s);
                else if (s->key != table[CALENDAR_DESCRIPTION].name) {
                        tell_key(&d, s);
                        c->is_broken = true;
                }
        }
        return r;
}

/* A section of a file, with those of the same name in drop-ins. */
static int add_calendar(struct calendars *calendars, const struct unit *unit, const struct section *section,
                        const struct section *const *drop_ins, size_t n_drop_ins) {
        if (calendars->n == calendars->allocated) {
                size_t wanted = calendars->n > 0 ? 2 * calendars->n : 8;
                struct calendar *grown = reallocarray(calendars->list, wanted, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                calendars->list = grown;
                calendars->allocated = wanted;
        }
        struct calendar *c = &calendars->list[calendars->n++];
        *c = (struct calendar){.name = strdup(section->name), .file = strdup(section->file), .line = section->line};
        int r = c->name && c->file ? read_section(c, unit, section) : -ENOMEM;
        for (size_t i = 0; r == 0 && i < n_drop_ins; i++)
                r = read_section(c, unit, drop_ins[i]);
        if (r == 0 && !c->is_broken && c->days.n == 0) {
                diags_add(unit->diags, false, c->file, c->line, 0,
                          "calendar %s has no days; write them as Days=2026-12-24 *-05-01 Sat Sun", c->name);
                c->is_broken = true;
        }
        return r;
}

int calendars_add(struct calendars *calendars, const struct unit *unit) {
        const struct section **sections = NULL;
        size_t n;
        int r = unit_sort_sections(unit, SECTION_CALENDAR, &sections, &n);

        for (size_t i = 0, n_main, n_all; r == 0 && i < n; i += n_all) {
                n_all = unit_count_same(sections + i, n - i, &n_main);
                if (n_main == 0)
                        diags_add(unit->diags, false, sections[i]->file, sections[i]->line, 0,
                                  "there is no calendar %s that this could add to", sections[i]->name);
                for (size_t k = 0; r == 0 && k < n_main; k++)
                        r = add_calendar(calendars, unit, sections[i + k], sections + i + n_main, n_all - n_main);
        }
        free(sections);
        return r;
}

/* ---- all together ---- */

static int compare_calendars(const void *a, const void *b) {
        const struct calendar *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        if (order == 0)
                order = strcmp(x->file, y->file);
        return order ? order : (x->line > y->line) - (x->line < y->line);
}

/* Warns of one whose days are all over. */
static void tell_over(const struct calendar *c, int64_t now_rt_us, struct diags *diags) {
        int64_t yesterday = civil_day_of_seconds(now_rt_us / USEC_PER_SEC) - 1; /* somewhere it is today */

        if (c->is_broken || now_rt_us == 0 || day_list_next(&c->days, yesterday) != DAY_LIST_NEVER)
                return;
        struct civil last = civil_of_days(day_list_last(&c->days));
        diags_add(diags, true, c->file, c->line, 0, "calendar %s has no day after %04d-%02d-%02d", c->name, (int)last.year,
                  last.month, last.day);
}

void calendars_settle(struct calendars *calendars, int64_t now_rt_us, struct diags *diags) {
        struct calendar *first = calendars->list;

        if (calendars->n > 0)
                qsort(calendars->list, calendars->n, sizeof(*calendars->list), compare_calendars);
        for (size_t i = 0; i < calendars->n; i++) {
                struct calendar *c = &calendars->list[i];
                if (strcmp(first->name, c->name) != 0)
                        first = c;
                if (first != c) {
                        diags_add(diags, false, c->file, c->line, 0, "calendar %s is defined at %s:%u, too; neither is taken",
                                  c->name, first->file, first->line);
                        first->is_broken = c->is_broken = true;
                }
        }
        for (size_t i = 0; i < calendars->n; i++)
                tell_over(&calendars->list[i], now_rt_us, diags);
}

static int compare_name(const void *name, const void *calendar) {
        return strcmp(name, ((const struct calendar *)calendar)->name);
}

/* ---- jobs ---- */

/* Tells of a name; that of a default once. */
static int tell_mention(struct calendars *calendars, struct job_mention *m, const struct calendar *found, struct diags *diags) {
        int r = mention_tell_once(m, &calendars->told);

        if (r > 0 && found)
                diags_add(diags, false, m->file, m->line, m->column, "calendar %s at %s:%u has errors", m->name, found->file,
                          found->line);
        else if (r > 0) {
                struct nearest nearest = nearest_begin(m->name);
                for (size_t i = 0; i < calendars->n; i++)
                        nearest_offer(&nearest, calendars->list[i].name);
                diags_add(diags, false, m->file, m->line, m->column,
                          nearest.found ? "there is no calendar %s; did you mean %s?"
                                        : "there is no calendar %s; write one: [calendar %s]",
                          m->name, nearest.found ? nearest.found : m->name);
        }
        return r < 0 ? r : 1;
}

static int add_mention(struct calendars *calendars, struct job_mention *m, struct days_draft *draft, struct diags *diags) {
        const struct calendar *found =
                calendars->n > 0 ? bsearch(m->name, calendars->list, calendars->n, sizeof(*found), compare_name) : NULL;
        char *text;

        if (!found || found->is_broken)
                return tell_mention(calendars, m, found, diags);
        if (asprintf(&text, "%s: %s", m->name, day_list_text(&found->days)) < 0)
                return -ENOMEM;
        int r = days_draft_add(draft, m->kind, text);
        free(text);
        if (r > 0)
                diags_add(diags, false, m->file, m->line, m->column,
                          "the calendars of one job have more than %d bytes together", DAYS_TEXT_MAX);
        return r;
}

static int compile(struct job *job, const struct days_draft *draft, struct agendas *agendas, int64_t now_rt_us,
                   struct diags *diags) {
        const struct job_mention *first = &job->calendars.list[0];
        char why[ZONE_WHY_MAX];
        int64_t until_us;
        int r = days_compile(agendas, draft, &job->when.days, why);

        if (r == 1)
                diags_add(diags, false, first->file, first->line, first->column, "%s", why);
        if (r == 0 && !days_is_open(job->when.days, now_rt_us, &until_us) && until_us == DAYS_NEVER)
                diags_add(diags, true, first->file, first->line, first->column,
                          "no slot of job %s can ever run: it runs %s, and there is no such day%s", job->name,
                          days_words(job->when.days), now_rt_us > 0 ? " any more" : "");
        return r;
}

int calendars_resolve(struct calendars *calendars, struct job *job, struct agendas *agendas, int64_t now_rt_us,
                      struct diags *diags) {
        struct days_draft draft = {};
        int result = 0;

        for (size_t i = 0; result >= 0 && i < job->calendars.n; i++) {
                int r = add_mention(calendars, &job->calendars.list[i], &draft, diags);
                result = r < 0 ? r : result | r;
        }
        if (job->time_zone)
                snprintf(draft.zone, sizeof(draft.zone), "%s", job->time_zone);
        if (result == 0 && job->calendars.n > 0)
                result = compile(job, &draft, agendas, now_rt_us, diags);
        days_draft_done(&draft);
        return result;
}
