// SPDX-License-Identifier: MIT
// explain: an expression of the schedule language, its next slots, and what the clock does to them.

#include "daemon/ctl/explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calendar.h"
#include "config/cron.h"
#include "config/duration.h"
#include "config/pattern_field.h"
#include "config/pattern_words.h"
#include "daemon/core/util.h"
#include "daemon/ctl/times.h"

#define CRON_FIELDS_MIN 5

/* ---- reading ---- */

/* A span where an event is wanted: "5min", "every 2h". */
static bool is_span(const char *text) {
        static const char every[] = "every ";
        int64_t us;

        if (strncmp(text, every, sizeof(every) - 1) == 0)
                text += sizeof(every) - 1;
        return duration_parse(text, &us, NULL) == 0;
}

/* More than one word, and nothing in them but what is in the fields of cron: no event is so. */
static bool are_fields(const char *text) {
        const char *words[2];

        return text[strspn(text, "0123456789*/,- \t")] == '\0' && words_split(text, 1, words) > 1;
}

static int read_pattern(const char *text, bool is_cron, struct pattern **ret, struct pattern_error *ret_error) {
        const char *words[CRON_FIELDS_MIN];

        if (!is_cron) {
                int r = calendar_parse(text, ret, ret_error);
                is_cron = words_split(text, CRON_FIELDS_MIN - 1, words) >= CRON_FIELDS_MIN ||
                          text[strspn(text, " \t")] == '@' || are_fields(text);
                if (r == -EINVAL && is_span(text))
                        *ret_error = (struct pattern_error){.text = "a span is no time: an interval is written Every="};
                if (r != -EINVAL || !is_cron)
                        return r;
        }
        return cron_parse(text, false, ret, ret_error);
}

/* Where the zone stands: it is the last word. */
static size_t last_word(const char *text) {
        size_t end = strlen(text);

        while (end > 0 && strchr(" \t", text[end - 1]))
                end--;
        while (end > 0 && !strchr(" \t", text[end - 1]))
                end--;
        return end;
}

static int find_zone(struct explanation *e, const struct explain_wish *wish, struct zones *zones,
                     struct pattern_error *ret_error) {
        char why[ZONE_WHY_MAX];
        const char *own = e->pattern->zone;
        struct zone *zone;
        int r = zones_find(zones, own ? own : wish->zone, &zone, why);

        if (r < 0)
                return r;
        if (r > 0) {
                ret_error->at = own ? last_word(e->expression) : 0;
                snprintf(ret_error->text, sizeof(ret_error->text), "%.*s", (int)sizeof(ret_error->text) - 1, why);
                return -EINVAL;
        }
        e->wall = (struct wall){.zone = zone, .gap = wish->gap, .fold = wish->fold};
        return 0;
}

static int find_slots(struct explanation *e, const struct explain_wish *wish) {
        int64_t us = wish->from_us;

        e->slots = calloc(wish->n, sizeof(*e->slots));
        if (!e->slots)
                return -ENOMEM;
        while (e->n < wish->n && (us = wall_next_of_pattern(&e->wall, e->pattern, us)) != PATTERN_NEVER)
                e->slots[e->n++] = us;
        e->has_zone_changes = zone_next_change(e->wall.zone, wish->from_us / USEC_PER_SEC) != INT64_MAX;
        e->has_change = wall_find_change(&e->wall, e->pattern, wish->from_us, &e->change);
        return 0;
}

int explain_read(const char *expression, const struct explain_wish *wish, struct zones *zones, struct explanation *ret,
                 struct pattern_error *ret_error) {
        struct explanation e = {.expression = expression};
        int r = read_pattern(expression, wish->is_cron, &e.pattern, ret_error);

        if (r == 0)
                r = find_zone(&e, wish, zones, ret_error);
        if (r == 0)
                r = find_slots(&e, wish);
        if (r == 0)
                *ret = e;
        else
                explain_done(&e);
        return r;
}

void explain_done(struct explanation *e) {
        pattern_free(e->pattern);
        zone_unref((struct zone *)e->wall.zone);
        free(e->slots);
        *e = (struct explanation){};
}

bool explain_is_expression(const char *text) {
        return strpbrk(text, " \t/,~#@+") != NULL;
}

/* ---- words ---- */

const char *explain_note(const struct explanation *e, int64_t slot_us) {
        switch (wall_note_of_pattern(&e->wall, e->pattern, slot_us)) {
        case WALL_NOTE_NONE:
                return NULL;
        case WALL_NOTE_AFTER_GAP:
                return "after the gap";
        case WALL_NOTE_FOLD_FIRST:
                return "first time";
        case WALL_NOTE_FOLD_SECOND:
                return "second time";
        }
        return NULL;
}

/* What becomes of the times that a change skips or repeats. Fixed times have a choice, the others follow real time. */
static const char *outcome(const struct explanation *e, bool is_gap) {
        static const char *const folds[] = {
                [WALL_FOLD_FIRST] = "runs the first time (Fold=first)",
                [WALL_FOLD_SECOND] = "runs the second time (Fold=second)",
                [WALL_FOLD_BOTH] = "runs both times (Fold=both)",
        };

        if (!e->pattern->is_fixed)
                return is_gap ? "does not run, as what holds * or / follows real time"
                              : "runs both times, as what holds * or / follows real time";
        if (!is_gap)
                return folds[e->wall.fold];
        if (e->wall.gap == WALL_GAP_SKIP)
                return "does not run (Gap=skip)";
        if (e->change.to_civil_us - e->change.from_civil_us >= USEC_PER_DAY)
                return "does not run, as it is never made up for a day";
        return e->change.n > 1 ? "runs once, right after (Gap=run-after)" : "runs right after (Gap=run-after)";
}

int explain_clock(const struct explanation *e, char **ret) {
        const struct wall_change *c = &e->change;
        char day[TIMES_SIZE], from[TIMES_SIZE], to[TIMES_SIZE], first[TIMES_SIZE], last[TIMES_SIZE], which[2 * TIMES_SIZE];
        static const char *const verbs[2][2] = {{"comes twice", "come twice"}, {"is skipped", "are skipped"}};
        bool is_gap = c->to_civil_us > c->from_civil_us;

        *ret = NULL;
        if (!e->has_change) {
                if (!e->has_zone_changes)
                        return 0;
                *ret = strdup(e->pattern->is_fixed ? "it never goes forward or back over these times"
                                                   : "it follows real time when the clock goes forward or back");
                return *ret ? 0 : -ENOMEM;
        }
        snprintf(which, sizeof(which), "%s", times_civil_clock(c->first_civil_us, true, first));
        if (c->n > 1)
                snprintf(which, sizeof(which), "%s to %s (%zu times)", first, times_civil_clock(c->last_civil_us, true, last),
                         c->n);
        return asprintf(ret, "the clock goes %s on %s from %s to %s: %s %s; it %s", is_gap ? "forward" : "back",
                        times_civil_day(c->from_civil_us, day), times_civil_clock(c->from_civil_us, true, from),
                        times_civil_clock(c->to_civil_us, true, to), which, verbs[is_gap][c->n > 1], outcome(e, is_gap)) < 0
                       ? -ENOMEM
                       : 0;
}

/* ---- JSON ---- */

static json_t *slots_json(const struct explanation *e) {
        json_t *slots = json_array();

        for (size_t i = 0; i < e->n; i++) {
                const char *note = explain_note(e, e->slots[i]);
                json_t *slot = json_pack("{s:I,s:s*}", "slotUsec", (json_int_t)e->slots[i], "note", note);
                json_array_append_new(slots, slot);
        }
        return slots;
}

json_t *explain_json(const struct explanation *e) {
        char words[PATTERN_WORDS_MAX];
        _cleanup_free_ char *clock = NULL;

        if (explain_clock(e, &clock) < 0)
                return NULL;
        json_t *reply = json_pack("{s:s,s:s,s:s,s:s,s:s*,s:o}", "expression", e->expression, "normalized", e->pattern->text,
                                  "zone", zone_name(e->wall.zone), "meaning", pattern_words(e->pattern, words), "warning",
                                  e->pattern->warning, "next", slots_json(e));
        if (reply && e->has_change)
                json_object_set_new(reply, "clockChange",
                                    json_pack("{s:I,s:s}", "atUsec", (json_int_t)e->change.at_us, "note", clock));
        return reply;
}
