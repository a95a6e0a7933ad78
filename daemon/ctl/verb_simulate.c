// SPDX-License-Identifier: MIT
// verb_simulate: what the jobs would do in a period, as a table, as lines of JSON, or drawn, with what was before it.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/ctl/past.h"
#include "daemon/ctl/picture.h"
#include "daemon/ctl/replace.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/simulator.h"
#include "daemon/ctl/timeline_rows.h"
#include "daemon/ctl/times.h"
#include "daemon/ctl/verbs.h"

#define TABLE_ROWS 10000
#define DRAWN_ROWS 5000000
#define PERIOD_US  USEC_PER_DAY
#define PAST_SHARE 4 /* drawn without --from: this part of the period is past */
#define SENTENCE   (3 * TIMES_SIZE + 100)

struct work {
        struct session *s;
        int64_t from_us, to_us;                                       /* what is shown, */
        int64_t begin_us;                                             /* and from where on it is simulated */
        bool is_drawn, has_past, is_past_cut, goes_on, has_durations; /* goes_on: from the state of a running chimed */
        size_t n_rows;                                                /* that were simulated */
        json_t *rows;                                                 /* of the table; NULL: there is none */
        struct timeline screen, picture;                              /* without cells: there is none */
};

static bool is_to_stdout(const struct session *s) {
        return session_has(s, OPTION_SVG) && strcmp(session_text(s, OPTION_SVG), "-") == 0;
}

/* An exit status; failures are told. */
static int find_period(struct work *w) {
        struct session *s = w->s;
        int64_t now_us = s->view.now_us;
        bool has_own_files = session_has(s, OPTION_CONFIG) || session_has(s, OPTION_JOBS);

        bool is_there = !has_own_files && session_is_there(s);
        w->has_past = w->is_drawn && is_there;
        int64_t coming_us = w->has_past ? PERIOD_US - PERIOD_US / PAST_SHARE : PERIOD_US;
        w->from_us = session_number(s, OPTION_FROM, now_us);
        w->to_us = session_number(s, OPTION_TO, w->from_us + (session_has(s, OPTION_FROM) ? PERIOD_US : coming_us));
        if (w->has_past && !session_has(s, OPTION_FROM))
                w->from_us -= (w->to_us - now_us) / (PAST_SHARE - 1);
        w->has_past = w->has_past && w->from_us < now_us;
        w->begin_us = w->has_past ? now_us : w->from_us;
        w->goes_on = is_there && (w->has_past || !session_has(s, OPTION_FROM));
        if (w->to_us > w->from_us)
                return CTL_EXIT_DONE;
        return session_fail(CTL_EXIT_USAGE, "the period ends before it begins: give --from and --to");
}

/* ---- rows ---- */

static int take_row(void *userdata, json_t *row) {
        struct work *w = userdata;
        int r = 0;

        w->n_rows += json_object_size(row) > 1; /* else it only names a job */
        if (w->s->is_json)
                session_json_line(w->s, row);
        else if (w->rows)
                r = json_array_append(w->rows, row) < 0 ? -ENOMEM : 0;
        if (r == 0 && w->screen.n_cells > 0)
                r = timeline_add_row(&w->screen, row, w->to_us);
        if (r == 0 && w->picture.n_cells > 0)
                r = timeline_add_row(&w->picture, row, w->to_us);
        return r;
}

/* An exit status; failures are told, but not that there is no ledger. */
static int take_past(struct work *w) {
        bool is_over = w->to_us <= w->begin_us;
        struct past_wish wish = {
                .from_us = w->from_us,
                .until_us = is_over ? w->to_us : w->begin_us,
                .is_drawn = !w->s->is_json,
                .with_flights = is_over || !w->goes_on, /* else the simulation begins with them */
                .row = take_row,
                .userdata = w,
        };
        int status = past_take(w->s, &wish, &w->is_past_cut);

        w->has_past = status != PAST_NONE;
        return w->has_past ? status : CTL_EXIT_DONE;
}

static int take_rows(struct work *w) {
        struct simulator_wish wish = {.from_us = w->begin_us, .to_us = w->to_us, .userdata = w};
        int status = w->has_past ? take_past(w) : CTL_EXIT_DONE;

        if (status != CTL_EXIT_DONE || w->to_us <= w->begin_us)
                return status;
        w->n_rows = 0;
        bool is_plain = w->s->is_json && !w->has_past && !w->goes_on && w->picture.n_cells == 0;
        wish.row = is_plain ? NULL : take_row;
        wish.with_names = w->is_drawn && !w->s->is_json;
        wish.rows_max = w->s->is_json ? 0 : w->is_drawn ? DRAWN_ROWS : TABLE_ROWS;
        return w->goes_on ? simulator_ask(w->s, &wish, &w->has_durations) : simulator_run(w->s, &wish, &w->has_durations);
}

/* ---- what is shown ---- */

/* Where it comes from, in a sentence. */
static char *print_source(const struct work *w, char buf[static SENTENCE]) {
        const char *past = w->has_past ? "Up to now as the ledger has it" : "There is no ledger of what was";
        char from[TIMES_SIZE], begin[SENTENCE / 2], took[SENTENCE / 3] = "no time: see --took=SPAN";

        if (w->to_us <= w->begin_us) {
                snprintf(buf, SENTENCE, "%s.", past);
                return buf;
        }
        if (w->goes_on)
                snprintf(begin, sizeof(begin), "%s as chimed would go on", w->has_past ? "then" : "From now on");
        else
                snprintf(begin, sizeof(begin), "As if all began anew at %s", times_full(w->begin_us, from));
        if (session_has(w->s, OPTION_TOOK))
                times_span(session_number(w->s, OPTION_TOOK, 0), took);
        else if (w->has_durations)
                snprintf(took, sizeof(took), "as long as the latest ones");
        snprintf(buf, SENTENCE, "%s%s%s; %s %s.", w->has_past ? past : "", w->has_past ? "; " : "", begin,
                 session_has(w->s, OPTION_TOOK) ? "each run takes" : "runs take", took);
        return buf;
}

static int write_picture(struct work *w, const char *source) {
        const char *path = session_text(w->s, OPTION_SVG);
        struct replace file;

        if (is_to_stdout(w->s))
                return picture_print(&w->picture, w->s->view.now_us, source, w->s->out) < 0 ? session_tell_memory()
                                                                                            : CTL_EXIT_DONE;
        int r = replace_begin(&file, path);
        if (r == -EEXIST)
                return session_fail(CTL_EXIT_FAILED, "%s: no regular file; it is left alone", path);
        if (r == 0) {
                int printed = picture_print(&w->picture, w->s->view.now_us, source, file.out);
                r = replace_end(&file, printed == 0);
                r = printed < 0 ? printed : r;
        }
        if (r < 0)
                return session_fail(CTL_EXIT_FAILED, "%s: %s", path, strerror(-r));
        session_say(w->s, "%s: %zu job%s.", path, w->picture.n_jobs, w->picture.n_jobs == 1 ? "" : "s");
        return CTL_EXIT_DONE;
}

static int show_nothing(const struct work *w) {
        char from[TIMES_SIZE], to[TIMES_SIZE];

        session_say(w->s, "Nothing would run from %s to %s.", times_full(w->from_us, from), times_full(w->to_us, to));
        return CTL_EXIT_DONE;
}

static int show_table(const struct work *w) {
        struct view view = w->s->view;

        if (json_array_size(w->rows) == 0)
                return show_nothing(w);
        view.now_us = w->to_us;
        int r = screen_history_sort(w->rows);
        if (r == 0)
                r = screen_history(&view, w->rows, 0, w->s->out);
        return r < 0 ? session_tell_memory() : CTL_EXIT_DONE;
}

static int show(struct work *w) {
        bool has_rows = json_array_size(w->rows) > 0 || w->screen.n_jobs > 0;
        char source[SENTENCE];
        int status = CTL_EXIT_DONE;

        print_source(w, source);
        if (w->rows)
                status = show_table(w);
        else if (w->screen.n_cells > 0 && !has_rows)
                status = show_nothing(w);
        else if (w->screen.n_cells > 0 && screen_timeline(&w->s->view, &w->screen, w->s->out) < 0)
                status = session_tell_memory();
        if (has_rows && status == CTL_EXIT_DONE)
                session_say(w->s, "%s", source);
        if (w->is_past_cut && !is_to_stdout(w->s))
                session_say(w->s, "There was more than is drawn: give a later --from, or jobs.");
        if (status == CTL_EXIT_DONE && w->picture.n_cells > 0)
                status = write_picture(w, source);
        return status;
}

/* An exit status; failures are told. */
static int prepare(struct work *w) {
        struct session *s = w->s;
        bool has_screen = session_has(s, OPTION_TIMELINE) && !s->is_json, has_picture = session_has(s, OPTION_SVG);

        if (is_to_stdout(s) && (s->is_json || has_screen))
                return session_fail(CTL_EXIT_USAGE, "--svg=- leaves no place for anything else: give it a file");
        w->is_drawn = session_has(s, OPTION_TIMELINE) || has_picture;
        int status = find_period(w);
        if (has_screen)
                w->screen = (struct timeline){w->from_us, w->to_us, .n_cells = screen_timeline_cells(&s->view)};
        if (has_picture)
                w->picture = (struct timeline){w->from_us, w->to_us, .n_cells = PICTURE_CELLS, .spans_max = PICTURE_SPANS};
        if (!s->is_json && !w->is_drawn)
                w->rows = json_array();
        return status;
}

int verb_simulate(struct session *s) {
        struct work w = {.s = s};
        int status = prepare(&w);

        if (status == CTL_EXIT_DONE)
                status = take_rows(&w);
        if (status == CTL_EXIT_DONE || status == SIMULATOR_MANY) {
                int shown = show(&w);
                if (shown == CTL_EXIT_DONE && status == SIMULATOR_MANY)
                        status = session_fail(CTL_EXIT_FAILED,
                                              "these are the first %zu rows, there are more: give an earlier --to, or jobs",
                                              w.n_rows);
                else
                        status = shown != CTL_EXIT_DONE ? shown : status;
        }
        json_decref(w.rows);
        timeline_done(&w.screen);
        timeline_done(&w.picture);
        return status;
}
