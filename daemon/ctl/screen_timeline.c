// SPDX-License-Identifier: MIT
// screen_timeline: a row a job over an axis of time. The signs are those of "Recent" in show; of what shares a column the worst is drawn.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/ctl/axis.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"

#define NAME_NARROWEST 8
#define NAME_WIDEST    28
#define LABEL_ROOM     10 /* columns from one label to the next, at least */
#define AXIS_AGAIN     30 /* more rows than this have the axis below them, too */
#define MANY           10 /* so many runs in a column have no digit any more */

static const enum view_color colors[TIMELINE_MARK_MAX] = {
        [TIMELINE_RAN] = VIEW_GREEN,          [TIMELINE_MERGED] = VIEW_PLAIN,  [TIMELINE_WITHHELD] = VIEW_PLAIN,
        [TIMELINE_INTERRUPTED] = VIEW_YELLOW, [TIMELINE_MISSED] = VIEW_YELLOW, [TIMELINE_FAILED] = VIEW_RED,
};

/* What columns without a slot have, and the mark above the axis. */
struct lines {
        const char *run, *now, *tick, *pointer;
};

struct frame {
        const struct view *view;
        const struct timeline *timeline;
        const struct lines *lines;
        size_t name_width;
        size_t now; /* its column; SIZE_MAX: it is not in the period */
        struct axis_tick ticks[AXIS_TICKS_MAX];
        size_t n_ticks;
        bool is_tick[TIMELINE_CELLS_MAX];
        bool has_many, has_run; /* what was drawn: several runs in a column, a run's length */
        FILE *out;
};

static size_t name_width(const struct view *v) {
        size_t width = v->width / 5;

        return width < NAME_NARROWEST ? NAME_NARROWEST : width > NAME_WIDEST ? NAME_WIDEST : width;
}

size_t screen_timeline_cells(const struct view *v) {
        size_t n = v->width - name_width(v) - 1;

        return n < TIMELINE_CELLS_MAX ? n : TIMELINE_CELLS_MAX;
}

/* ---- the axis ---- */

static void find_ticks(struct frame *f) {
        const struct timeline *t = f->timeline;
        size_t max = t->n_cells / LABEL_ROOM;

        f->n_ticks = axis_ticks(t->from_us, t->to_us, max < 1 ? 1 : max > AXIS_TICKS_MAX ? AXIS_TICKS_MAX : max, f->ticks);
        for (size_t i = 0; i < f->n_ticks; i++)
                f->is_tick[timeline_cell_of(t, f->ticks[i].us)] = true;
}

/* Labels begin in the columns of their ticks; one that has no room is left out. */
static void print_labels(struct frame *f) {
        size_t at = 0, n_cells = f->timeline->n_cells;

        fprintf(f->out, "%-*s ", (int)f->name_width, "JOB");
        for (size_t i = 0; i < f->n_ticks; i++) {
                size_t cell = timeline_cell_of(f->timeline, f->ticks[i].us), width = strlen(f->ticks[i].label);
                if ((i > 0 && cell <= at) || cell + width > n_cells)
                        continue;
                fprintf(f->out, "%*s%s", (int)(cell - at), "", f->ticks[i].label);
                at = cell + width;
        }
        fputc('\n', f->out);
}

static void print_now(struct frame *f) {
        static const char word[] = "now";
        size_t before = f->name_width + 1 + f->now, room = sizeof(word);

        if (f->now == SIZE_MAX)
                return;
        if (f->now + room < f->timeline->n_cells)
                fprintf(f->out, "%*s%s %s\n", (int)before, "", f->lines->pointer, word);
        else
                fprintf(f->out, "%*s%s %s\n", (int)(before - room), "", word, f->lines->pointer);
}

static void print_period(struct frame *f) {
        const struct timeline *t = f->timeline;
        char from[TIMES_SIZE], to[TIMES_SIZE], cell[TIMES_SIZE], text[4 * TIMES_SIZE];

        snprintf(text, sizeof(text), "%s to %s; %s a column", times_full(t->from_us, from), times_full(t->to_us, to),
                 times_span((t->to_us - t->from_us) / (int64_t)t->n_cells, cell));
        text_wrap(f->out, text, 0, 0, f->view->width);
}

/* ---- rows ---- */

/* What a column of a job has: the text, and its colour. Several blanks are the caller's to keep back. */
static const char *draw(struct frame *f, const struct timeline_cell *cell, size_t at, char sign[static 2],
                        enum view_color *ret_color) {
        enum timeline_mark mark = TIMELINE_RAN;
        uint64_t n = timeline_cell_worst(cell, &mark);

        sign[0] = sign[1] = '\0';
        *ret_color = n > 0 ? colors[mark] : cell->is_busy ? VIEW_GREEN : VIEW_PLAIN;
        f->has_run = f->has_run || (n == 0 && cell->is_busy);
        if (n > 1 && mark == TIMELINE_RAN) {
                f->has_many = true;
                sign[0] = n < MANY ? (char)('0' + n) : '#';
        } else if (n > 0)
                sign[0] = timeline_mark_sign(mark);
        if (n > 0)
                return sign;
        return cell->is_busy ? f->lines->run : at == f->now ? f->lines->now : f->is_tick[at] ? f->lines->tick : NULL;
}

static int print_row(struct frame *f, const struct timeline_job *job) {
        _cleanup_free_ char *name = text_ellipsize(job->name, f->name_width, f->view->is_utf8);
        enum view_color color = VIEW_PLAIN, next;
        char sign[2];

        if (!name)
                return -ENOMEM;
        fputs(name, f->out);
        size_t blanks = f->name_width - text_width(name) + 1;
        for (size_t at = 0; at < f->timeline->n_cells; at++) {
                const char *text = draw(f, &job->cells[at], at, sign, &next);
                if (!text) {
                        blanks++;
                        continue;
                }
                fprintf(f->out, "%*s", (int)blanks, "");
                blanks = 0;
                if (next != color && color != VIEW_PLAIN)
                        view_color(f->view, f->out, VIEW_PLAIN); /* bold would stay */
                if (next != color && next != VIEW_PLAIN)
                        view_color(f->view, f->out, next);
                color = next;
                fputs(text, f->out);
        }
        if (color != VIEW_PLAIN)
                view_color(f->view, f->out, VIEW_PLAIN);
        fputc('\n', f->out);
        return 0;
}

/* ---- the legend ---- */

/* "Signs: + ran, ! missed, 2-9 so many runs, # more, - a run goes on": only what is there is explained. */
static void print_legend(const struct frame *f) {
        const struct timeline *t = f->timeline;
        const char *between = "Signs:";
        char text[400] = "";
        int at = 0;

        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++) {
                if (t->n[mark] == 0)
                        continue;
                at += snprintf(text + at, sizeof(text) - (size_t)at, "%s %c %s", between,
                               timeline_mark_sign((enum timeline_mark)mark), timeline_mark_word((enum timeline_mark)mark));
                between = ",";
        }
        if (f->has_many)
                at += snprintf(text + at, sizeof(text) - (size_t)at, ", 2-9 so many runs, # more");
        if (f->has_run)
                at += snprintf(text + at, sizeof(text) - (size_t)at, "%s %s a run goes on", between, f->lines->run);
        if (at > 0)
                text_wrap(f->out, text, 0, 7, f->view->width);
}

int screen_timeline(const struct view *v, const struct timeline *t, FILE *out) {
        static const struct lines ascii = {"-", "|", ".", "v"};
        static const struct lines utf8 = {"\u2500", "\u2502", "\u00b7", "\u25bc"};
        struct frame f = {
                .view = v,
                .timeline = t,
                .lines = v->is_utf8 ? &utf8 : &ascii,
                .name_width = name_width(v),
                .now = v->now_us < t->from_us || v->now_us > t->to_us ? SIZE_MAX : timeline_cell_of(t, v->now_us),
                .out = out,
        };
        char sums[TIMELINE_SUMS];
        int r = 0;

        find_ticks(&f);
        if (v->has_legend) {
                print_period(&f);
                print_now(&f);
                print_labels(&f);
        }
        for (size_t i = 0; r == 0 && i < t->n_jobs; i++)
                r = print_row(&f, t->jobs[i]);
        if (r < 0 || !v->has_legend)
                return r;
        if (t->n_jobs > AXIS_AGAIN)
                print_labels(&f);
        print_legend(&f);
        text_wrap(out, timeline_sums(t, sums), 0, 2, v->width);
        if (t->n_left_out > 0)
                fprintf(out, "Only the first %d jobs are here; others have %llu slots.\n", TIMELINE_JOBS_MAX,
                        (unsigned long long)t->n_left_out);
        return 0;
}
