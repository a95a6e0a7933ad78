// SPDX-License-Identifier: MIT
// screen_explain: an expression in words, and its next slots in its zone and in another one.
// The other zone is that of the screen; where both show the same, it is UTC, and where that shows the same, too, none.

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/civil.h"
#include "config/duration.h"
#include "config/pattern_words.h"
#include "daemon/core/util.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"

#define COLUMNS 4

enum beside { BESIDE_NOTHING, BESIDE_UTC, BESIDE_LOCAL };

/* How far the wall clock of the screen is from UTC. */
static int32_t local_offset(int64_t utc_s) {
        time_t seconds = utc_s;
        struct tm tm;

        return localtime_r(&seconds, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}

static enum beside beside_of(const struct explanation *e) {
        enum beside beside = BESIDE_NOTHING;

        for (size_t i = 0; i < e->n; i++) {
                int64_t utc_s = e->slots[i] / USEC_PER_SEC;
                int32_t offset = zone_offset(e->wall.zone, utc_s, NULL, NULL);
                if (offset != local_offset(utc_s))
                        return BESIDE_LOCAL;
                if (offset != 0)
                        beside = BESIDE_UTC;
        }
        return beside;
}

static void add_slot(struct table *table, const struct view *v, const struct explanation *e, enum beside beside, int64_t us) {
        char day[TIMES_SIZE], clock[TIMES_SIZE], in[TIMES_SIZE];
        const char *abbreviation, *note = explain_note(e, us);
        int64_t civil_us = us + zone_offset(e->wall.zone, us / USEC_PER_SEC, NULL, &abbreviation) * USEC_PER_SEC;

        table_row(table, VIEW_PLAIN);
        table_cell(table, "%s %s %s", times_civil_day(civil_us, day), times_civil_clock(civil_us, false, clock), abbreviation);
        if (beside == BESIDE_UTC)
                table_cell(table, "%s %s", times_civil_day(us, day), times_civil_clock(us, false, clock));
        else if (beside == BESIDE_LOCAL)
                table_cell(table, "%s", times_exact(us, clock));
        table_cell(table, "%s%s", us > v->now_us ? "" : "-", times_span(llabs(us - v->now_us), in));
        table_cell(table, "%s", note ? note : "");
}

static bool has_notes(const struct explanation *e) {
        size_t i = 0;

        while (i < e->n && !explain_note(e, e->slots[i]))
                i++;
        return i < e->n;
}

static int print_slots(const struct view *v, const struct explanation *e, FILE *out) {
        enum beside beside = beside_of(e);
        struct table_column columns[COLUMNS];
        size_t n = 0;
        struct table *table;

        columns[n++] = (struct table_column){.header = zone_name(e->wall.zone)};
        if (beside != BESIDE_NOTHING)
                columns[n++] = (struct table_column){.header = beside == BESIDE_UTC ? "UTC" : "LOCAL"};
        columns[n++] = (struct table_column){.header = "IN"};
        if (has_notes(e))
                columns[n++] = (struct table_column){.header = "NOTE"};
        if (table_new(columns, n, &table) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < e->n; i++)
                add_slot(table, v, e, beside, e->slots[i]);
        int r = table_print(table, v, out);
        table_free(table);
        return r;
}

static int print_title(const struct view *v, const struct explanation *e, FILE *out) {
        _cleanup_free_ char *expression = strdup(e->expression);

        if (!expression)
                return -ENOMEM;
        text_clean(expression, false);
        view_color(v, out, VIEW_BOLD);
        fputs(expression, out);
        view_color(v, out, VIEW_PLAIN);
        fputc('\n', out);
        return 0;
}

static int print_words(const struct view *v, const struct explanation *e, FILE *out) {
        char words[PATTERN_WORDS_MAX];
        _cleanup_free_ char *meaning = NULL, *clock = NULL;

        if (explain_clock(e, &clock) < 0 ||
            asprintf(&meaning, "%s, %s", pattern_words(e->pattern, words), zone_name(e->wall.zone)) < 0)
                return -ENOMEM;
        screen_line(v, out, "Normalized", e->pattern->text);
        screen_line(v, out, "Meaning", meaning);
        if (e->pattern->warning)
                screen_line(v, out, "Warning", e->pattern->warning);
        if (clock)
                screen_line(v, out, "Clock", clock);
        return 0;
}

int screen_explain(const struct view *v, const struct explanation *e, bool is_short, FILE *out) {
        int r = is_short && !v->has_legend ? 0 : print_title(v, e, out);

        if (r == 0 && !is_short)
                r = print_words(v, e, out);
        if (r == 0)
                r = print_slots(v, e, out);
        if (r == 0 && e->n == 0)
                fputs("It never comes again.\n", out);
        return r;
}
