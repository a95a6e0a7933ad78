// SPDX-License-Identifier: MIT
// agenda: compiled once for all jobs that say the same, so that a policy that points to one is compared as bytes. What makes two of
// them the same is their canonical text and the data of their zones.

#include "config/agenda.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/civil.h"
#include "config/duration.h"
#include "config/pack.h"

#define DAY_US (CIVIL_DAY_S * USEC_PER_SEC)

struct line {
        struct pattern *pattern;
        struct zone *zone;
        int64_t n_times; /* of a day */
};

struct agenda {
        struct interned interned;
        char *text, *words;
        enum wall_gap gap;
        enum wall_fold fold;
        struct zone *zone; /* of the grid; NULL: there is none, or it is plain */
        size_t n;
        struct line lines[];
};

static const uint8_t text_key[16] = "chimed agenda";

/* ---- drafts ---- */

void agenda_draft_done(struct agenda_draft *draft) {
        for (size_t i = 0; i < draft->n; i++)
                pattern_free(draft->patterns[i]);
        draft->n = draft->size = 0;
}

int agenda_draft_add(struct agenda_draft *draft, struct pattern *pattern, bool is_cron) {
        size_t size = strlen(pattern->text) + sizeof("OnCalendar=\n");

        if (draft->n == AGENDA_LINES_MAX || draft->size + size > AGENDA_TEXT_MAX) {
                pattern_free(pattern);
                return 1;
        }
        draft->patterns[draft->n] = pattern;
        draft->is_cron[draft->n++] = is_cron;
        draft->size += size;
        return 0;
}

/* ---- texts ---- */

static void put(struct pack *p, const char *a, const char *b, const char *c) {
        pack_raw(p, a, strlen(a));
        pack_raw(p, b, strlen(b));
        pack_raw(p, c, strlen(c));
}

/* A copy of what was put, to be freed; NULL without memory. */
static char *take_text(struct pack *p) {
        pack_raw(p, "", 1);
        char *text = pack_result(p) == 0 ? strdup((const char *)p->data) : NULL;
        pack_done(p);
        return text;
}

/* zone is the name of the zone of the grid and of those lines that name none, or NULL. */
static char *print_text(const struct agenda_draft *draft, const char *zone) {
        static const char *const folds[] = {[WALL_FOLD_SECOND] = "second", [WALL_FOLD_BOTH] = "both"};
        struct pack p = {};
        bool has_cron = false;

        for (size_t i = 0; i < draft->n; i++)
                has_cron = has_cron || draft->is_cron[i];
        if (draft->days_and && has_cron)
                put(&p, "CronDays=and\n", "", "");
        for (size_t i = 0; i < draft->n; i++)
                put(&p, draft->is_cron[i] ? "Cron=" : "OnCalendar=", draft->patterns[i]->text, "\n");
        if (zone)
                put(&p, "TimeZone=", zone, "\n");
        if (draft->gap == WALL_GAP_SKIP)
                put(&p, "Gap=skip\n", "", "");
        if (draft->fold != WALL_FOLD_FIRST)
                put(&p, "Fold=", folds[draft->fold], "\n");
        return take_text(&p);
}

/* A normalized event as people write it: without what it says of every day, and of seconds only where it does not begin a minute. */
static void put_event(struct pack *p, const char *text) {
        static const char every_day[] = "*-*-* ", zero[] = ":00";
        const char *date = strstr(text, every_day);

        if (date && (date == text || date[-1] == ' ')) {
                pack_raw(p, text, (size_t)(date - text));
                text = date + strlen(every_day);
        }
        const char *colon = strchr(text, ':'), *end = colon ? colon + strcspn(colon, " ") : text + strlen(text);
        size_t n_zero = strlen(zero);
        bool is_whole = colon && (size_t)(end - colon) > n_zero && memcmp(end - n_zero, zero, n_zero) == 0;
        pack_raw(p, text, (size_t)(end - text) - (is_whole ? n_zero : 0));
        pack_raw(p, end, strlen(end));
}

static char *print_words(const struct agenda_draft *draft, const char *zone) {
        struct pack p = {};

        for (size_t i = 0; i < draft->n; i++) {
                if (i > 0)
                        put(&p, ", ", "", "");
                if (draft->is_cron[i])
                        put(&p, "cron ", draft->patterns[i]->text, "");
                else
                        put_event(&p, draft->patterns[i]->text);
                if (zone && !draft->patterns[i]->zone)
                        put(&p, " ", zone, "");
        }
        return take_text(&p);
}

/* ---- the table ---- */

static void free_agenda(struct agenda *a) {
        for (size_t i = 0; i < a->n; i++) {
                pattern_free(a->lines[i].pattern);
                zone_unref(a->lines[i].zone);
        }
        zone_unref(a->zone);
        free(a->text);
        free(a->words);
        free(a);
}

void agendas_done(struct agendas *agendas) {
        interner_done(&agendas->table);
        interner_done(&agendas->days);
        interner_done(&agendas->ties);
}

static void put_zone(struct pack *p, const struct zone *zone) {
        struct hash128 hash = zone_hash(zone);

        pack_raw(p, &hash, sizeof(hash));
}

static int hash_content(struct agenda *a) {
        struct pack p = {};

        put(&p, a->text, "", "");
        for (size_t i = 0; i < a->n; i++)
                put_zone(&p, a->lines[i].zone);
        if (a->zone)
                put_zone(&p, a->zone);
        int r = pack_result(&p);
        if (r == 0)
                a->interned.hash = hash_128(text_key, p.data, p.size);
        pack_done(&p);
        return r;
}

/* Takes the agenda; gives it, or the one that is the same, with one use more. */
static int intern(struct agendas *agendas, struct agenda *a, const struct agenda **ret) {
        int r = hash_content(a);
        struct interned *known = r == 0 ? intern_find(&agendas->table, &a->interned.hash) : NULL;

        if (r == 0 && !known)
                r = intern_add(&agendas->table, &a->interned);
        if (r < 0 || known)
                free_agenda(a);
        if (r == 0)
                *ret = known ? (const struct agenda *)known : a;
        return r;
}

const struct agenda *agenda_ref(const struct agenda *a) {
        ((struct agenda *)a)->interned.uses++;
        return a;
}

const struct agenda *agenda_unref(const struct agenda *a) {
        struct agenda *gone = (struct agenda *)a;

        if (gone && intern_release(&gone->interned))
                free_agenda(gone);
        return NULL;
}

/* ---- compiling ---- */

/* NULL or "": the machine's. */
static int find_zone(struct agendas *agendas, const char *name, struct zone **ret, char why[static ZONE_WHY_MAX]) {
        return agendas->find_zone(agendas->userdata, name && *name ? name : NULL, ret, why);
}

/* The zones of the lines and the grid. *ret_default is that of those that name none, borrowed from one of them. */
static int find_zones(struct agendas *agendas, const struct agenda_draft *draft, struct agenda *a,
                      const struct zone **ret_default, char why[static ZONE_WHY_MAX]) {
        for (size_t i = 0; i < draft->n; i++) {
                const char *own = draft->patterns[i]->zone;
                int r = find_zone(agendas, own ? own : draft->zone, &a->lines[i].zone, why);
                if (r != 0)
                        return r;
                if (!own)
                        *ret_default = a->lines[i].zone;
        }
        int r = draft->has_grid ? find_zone(agendas, draft->zone, &a->zone, why) : 0;
        if (a->zone)
                *ret_default = a->zone;
        return r;
}

int agenda_compile(struct agendas *agendas, struct agenda_draft *draft, const struct agenda **ret,
                   char ret_why[static ZONE_WHY_MAX]) {
        const struct zone *zone = NULL;
        struct agenda *a = calloc(1, sizeof(*a) + draft->n * sizeof(a->lines[0]));
        if (!a)
                return -ENOMEM;
        a->n = draft->n;
        a->gap = (enum wall_gap)draft->gap;
        a->fold = (enum wall_fold)draft->fold;
        int r = find_zones(agendas, draft, a, &zone, ret_why);
        const char *name = zone && strcmp(zone_name(zone), "localtime") != 0 ? zone_name(zone) : NULL;
        if (r == 0) {
                a->text = print_text(draft, name);
                a->words = print_words(draft, name);
                r = a->text && a->words ? 0 : -ENOMEM;
        }
        if (r != 0) {
                free_agenda(a);
                return r;
        }
        for (size_t i = 0; i < a->n; i++) {
                a->lines[i].pattern = draft->patterns[i];
                a->lines[i].n_times = pattern_count_times(draft->patterns[i]);
        }
        draft->n = draft->size = 0;
        draft->has_grid = false;
        return intern(agendas, a, ret);
}

/* ---- what is asked of one ---- */

const char *agenda_text(const struct agenda *a) {
        return a->text;
}

const char *agenda_words(const struct agenda *a) {
        return a->words;
}

const char *agenda_grid_zone(const struct agenda *a) {
        return a->zone ? zone_name(a->zone) : NULL;
}

struct hash128 agenda_hash(const struct agenda *a) {
        return a->interned.hash;
}

bool agenda_is_fast(const struct agenda *a) {
        for (size_t i = 0; i < a->n; i++) {
                const struct pattern *p = a->lines[i].pattern;
                if (p->n_runs > 1 || p->runs[0].last_us - p->runs[0].first_us >= p->runs[0].step_us)
                        return true;
        }
        return false;
}

static struct wall wall_of(const struct agenda *a, const struct zone *zone) {
        return (struct wall){.zone = zone, .gap = a->gap, .fold = a->fold};
}

static int64_t next_of_lines(const struct agenda *a, int64_t after_us) {
        int64_t first_us = PATTERN_NEVER;

        for (size_t i = 0; i < a->n; i++) {
                struct wall wall = wall_of(a, a->lines[i].zone);
                int64_t us = wall_next_of_pattern(&wall, a->lines[i].pattern, after_us);
                if (us < first_us)
                        first_us = us;
        }
        return first_us;
}

int64_t agenda_next(const struct agenda *a, const struct wall_grid *grid, int64_t after_us) {
        int64_t line_us = next_of_lines(a, after_us);

        if (!grid || grid->every_us == 0)
                return line_us;
        struct wall wall = wall_of(a, a->zone);
        int64_t grid_us = wall_grid_next(grid, &wall, after_us);
        return grid_us < line_us ? grid_us : line_us;
}

/* ---- long ways ---- */

static int64_t floor_s(int64_t us) {
        return us / USEC_PER_SEC - (us % USEC_PER_SEC < 0);
}

/* Passes whole days of the only line, up to the end of the month or of the day, where the slot is the first of its day and the offset does
 * not change until their end. A day of which a fold repeats a part is no exception: where that left something out, the slot is not its
 * first. is_mixed: the slot may be the grid's, which has none up to until_us. */
static bool skip_days(const struct agenda *a, struct agenda_slot *slot, bool is_mixed, bool is_month, int64_t until_key,
                      int64_t until_us) {
        const struct line *line = &a->lines[0];
        const struct pattern *p = line->pattern;

        if (a->n != 1 || until_us < slot->us + DAY_US || until_key < slot->key + line->n_times)
                return false;
        int64_t offset_us = zone_offset(line->zone, floor_s(slot->us), NULL, NULL) * USEC_PER_SEC;
        int64_t civil_us = slot->us + offset_us, day = civil_us / DAY_US, end = day + 1;
        if (civil_us < 0 || civil_us % DAY_US != p->first_us || (is_mixed && next_of_lines(a, slot->us - 1) != slot->us))
                return false;
        if (is_month) {
                struct civil c = civil_of_days(day);
                end = civil_days(c.month == 12 ? c.year + 1 : c.year, c.month == 12 ? 1 : c.month + 1, 1);
        }
        int64_t begin_us = day * DAY_US - offset_us, end_us = end * DAY_US - offset_us;
        if (zone_next_change(line->zone, floor_s(begin_us) - 1) <= floor_s(end_us))
                return false;
        int64_t key = slot->key + pattern_count_days(p, day, end) * line->n_times;
        int64_t us = key <= until_key ? next_of_lines(a, end_us - 1) : PATTERN_NEVER;
        if (us == PATTERN_NEVER || us > until_us)
                return false;
        *slot = (struct agenda_slot){.key = key, .us = us};
        return true;
}

static bool skip_lines(const struct agenda *a, struct agenda_slot *slot, bool is_mixed, int64_t until_key, int64_t until_us) {
        return skip_days(a, slot, is_mixed, true, until_key, until_us) ||
               skip_days(a, slot, is_mixed, false, until_key, until_us);
}

/* Moves on from slots of the lines to the next of the grid, or over those of the grid to the next of the lines. False: there is none
 * up to until_us. */
static bool step_with_grid(const struct agenda *a, const struct wall_grid *grid, struct agenda_slot *slot, int64_t until_key,
                           int64_t until_us) {
        struct wall wall = wall_of(a, a->zone);
        int64_t line_us = next_of_lines(a, slot->us), grid_us = wall_grid_next(grid, &wall, slot->us), n = 0;

        if (line_us < grid_us && skip_lines(a, slot, true, until_key, duration_lower(until_us, grid_us - 1)))
                return true;
        int64_t us = duration_lower(line_us, grid_us);
        if (us > until_us)
                return false;
        if (grid_us < line_us)
                n = duration_lower(wall_grid_count(grid, &wall, grid_us, duration_lower(until_us, line_us - 1)),
                                   until_key - 1 - slot->key);
        *slot = (struct agenda_slot){.key = slot->key + 1 + n, .us = us + n * grid->every_us};
        return true;
}

static bool step_without_grid(const struct agenda *a, struct agenda_slot *slot, int64_t until_key, int64_t until_us) {
        if (skip_lines(a, slot, false, until_key, until_us))
                return true;
        int64_t us = next_of_lines(a, slot->us);
        if (us > until_us)
                return false;
        *slot = (struct agenda_slot){.key = slot->key + 1, .us = us};
        return true;
}

void agenda_advance(const struct agenda *a, const struct wall_grid *grid, struct agenda_slot *slot, int64_t until_key,
                    int64_t until_us) {
        bool has_grid = grid && grid->every_us > 0, is_on = true;

        for (int n = 0; is_on && n < AGENDA_WALK_MAX && slot->key < until_key && slot->us < until_us; n++)
                is_on = has_grid ? step_with_grid(a, grid, slot, until_key, until_us)
                                 : step_without_grid(a, slot, until_key, until_us);
}
