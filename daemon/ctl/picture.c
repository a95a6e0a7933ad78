// SPDX-License-Identifier: MIT
// picture: each mark has a title, which browsers show when it is pointed at. Colours are set once for light and once for dark screens;
// what knows no media queries shows the light ones.

#include "daemon/ctl/picture.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/axis.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"

#define JOBS_MAX  1000  /* rows */
#define MARKS_MAX 50000 /* about so many in all */
#define BARS_MIN  10    /* of a row, however many rows there are */

/* Pixels. */
#define NAMES       224
#define PLOT        960
#define WIDTH       (NAMES + PLOT + 30)
#define HEAD        64
#define NOW_LABEL   40
#define TICK_LABELS 56
#define FOOT        64
#define AXIS_AGAIN  30 /* more rows than this have the labels below them, too */
#define ROW         22
#define BAR         14 /* of a row, a run */
#define SLOT        8  /* the same of slots that did not run */
#define SLIGHTEST   3.0
#define NAME_CHARS  28
#define TICKS       10

static const char style[] =
        "<style>\n"
        "text{font:12px sans-serif;fill:#222}.n{font-family:monospace}.h{font-size:14px}.t{fill:#666}\n"
        ".bg{fill:#fff}.odd{fill:#f3f4f6}.grid{stroke:#d4d7dc}.now{stroke:#1565c0;stroke-width:1.5}.nowt{fill:#1565c0}\n"
        ".ran{fill:#2e7d32}.merged{fill:#7e57c2}.withheld{fill:#78909c}.interrupted{fill:#ef6c00}.missed{fill:#f0a30a}"
        ".failed{fill:#c62828}\n"
        "@media (prefers-color-scheme:dark){text{fill:#e4e6ea}.t{fill:#9aa0a8}.bg{fill:#15171a}.odd{fill:#1e2125}\n"
        ".grid{stroke:#383c42}.now{stroke:#64b5f6}.nowt{fill:#64b5f6}.ran{fill:#66bb6a}.merged{fill:#b39ddb}"
        ".withheld{fill:#90a4ae}\n"
        ".interrupted{fill:#ffa726}.missed{fill:#ffca28}.failed{fill:#ef5350}}\n"
        "</style>\n";

struct frame {
        const struct timeline *timeline;
        size_t n_rows;
        size_t group; /* so many cells make a bar */
        size_t fit;   /* so many marks a row may have */
        FILE *out;
};

static void put_text(FILE *out, const char *text) {
        static const struct {
                char c;
                const char *entity;
        } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}};

        for (; *text; text++) {
                size_t i = 0;
                while (i < ARRAY_SIZE(entities) && entities[i].c != *text)
                        i++;
                if (i < ARRAY_SIZE(entities))
                        fputs(entities[i].entity, out);
                else
                        fputc(*text, out);
        }
}

static double x_of(const struct frame *f, int64_t us) {
        const struct timeline *t = f->timeline;

        us = us < t->from_us ? t->from_us : us > t->to_us ? t->to_us : us;
        return NAMES + (double)(us - t->from_us) * PLOT / (double)(t->to_us - t->from_us);
}

static size_t y_of(size_t row) {
        return HEAD + row * ROW;
}

/* A box of a mark; the title is to follow, then "</rect>". */
static void begin_box(const struct frame *f, double from_x, double to_x, double y, double height, enum timeline_mark mark) {
        double width = to_x - from_x < SLIGHTEST ? SLIGHTEST : to_x - from_x;

        fprintf(f->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"><title>", from_x, y, width,
                height, timeline_mark_word(mark));
}

static void end_box(const struct frame *f, const char *title) {
        put_text(f->out, title);
        fputs("</title></rect>\n", f->out);
}

/* ---- what is drawn one by one ---- */

static void print_span(const struct frame *f, size_t row, const struct timeline_span *span) {
        char from[TIMES_SIZE], to[TIMES_SIZE], title[4 * TIMES_SIZE];
        double height = span->is_run ? BAR : SLOT;

        times_full(span->from_us, from);
        if (span->is_run)
                snprintf(title, sizeof(title), "%s, %s, %s", from, times_span(span->to_us - span->from_us, to), span->note);
        else
                snprintf(title, sizeof(title), "%s%s%s: %llu %s%s%s", from, span->n > 1 ? " to " : "",
                         span->n > 1 ? times_full(span->to_us, to) : "", (unsigned long long)span->n,
                         timeline_mark_word(span->mark), *span->note ? ", " : "", span->note);
        begin_box(f, x_of(f, span->from_us), x_of(f, span->to_us), (double)y_of(row) + (ROW - height) / 2, height, span->mark);
        end_box(f, title);
}

/* ---- bars of density ---- */

static struct timeline_cell sum_up(const struct frame *f, const struct timeline_job *job, size_t first) {
        struct timeline_cell sum = {};

        for (size_t i = first; i < first + f->group && i < f->timeline->n_cells; i++)
                for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++)
                        sum.n[mark] += job->cells[i].n[mark];
        return sum;
}

static uint64_t fullest(const struct frame *f, const struct timeline_job *job) {
        enum timeline_mark worst;
        uint64_t most = 1;

        for (size_t i = 0; i < f->timeline->n_cells; i += f->group) {
                struct timeline_cell sum = sum_up(f, job, i);
                uint64_t n = timeline_cell_worst(&sum, &worst);
                most = n > most ? n : most;
        }
        return most;
}

static void title_of_bar(const struct frame *f, size_t first, size_t end, const struct timeline_cell *sum,
                         char title[static 400]) {
        char from[TIMES_SIZE], to[TIMES_SIZE];
        int at = snprintf(title, 400, "%s to %s", times_full(timeline_cell_begin(f->timeline, first), from),
                          times_full(timeline_cell_begin(f->timeline, end), to));

        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++)
                if (sum->n[mark] > 0)
                        at += snprintf(title + at, 400 - (size_t)at, ", %u %s", sum->n[mark],
                                       timeline_mark_word((enum timeline_mark)mark));
}

/* From the bottom up, what ran first; a part that is there can be seen, however small. */
static void print_bar(const struct frame *f, size_t row, const struct timeline_job *job, size_t first, uint64_t most) {
        const struct timeline *t = f->timeline;
        size_t end = first + f->group < t->n_cells ? first + f->group : t->n_cells;
        struct timeline_cell sum = sum_up(f, job, first);
        double from_x = x_of(f, timeline_cell_begin(t, first)), to_x = x_of(f, timeline_cell_begin(t, end)) - 0.5;
        double bottom = (double)y_of(row) + ROW - 2;
        char title[400];

        title_of_bar(f, first, end, &sum, title);
        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++) {
                double height = (double)sum.n[mark] * (ROW - 4) / (double)most;
                if (sum.n[mark] == 0)
                        continue;
                height = height < SLIGHTEST ? SLIGHTEST : height;
                bottom = bottom - height < (double)y_of(row) ? (double)y_of(row) + height : bottom;
                begin_box(f, from_x, to_x, bottom - height, height, (enum timeline_mark)mark);
                end_box(f, title);
                bottom -= height;
        }
}

/* ---- all of it ---- */

static int print_row(const struct frame *f, size_t row, const struct timeline_job *job) {
        _cleanup_free_ char *name = text_ellipsize(job->name, NAME_CHARS, true);

        if (!name)
                return -ENOMEM;
        if (row % 2 == 1)
                fprintf(f->out, "<rect x=\"0\" y=\"%zu\" width=\"%d\" height=\"%d\" class=\"odd\"/>\n", y_of(row), WIDTH, ROW);
        fprintf(f->out, "<text x=\"8\" y=\"%zu\" class=\"n\">", y_of(row) + ROW - 7);
        if (strcmp(name, job->name) != 0) {
                fputs("<title>", f->out);
                put_text(f->out, job->name);
                fputs("</title>", f->out);
        }
        put_text(f->out, name);
        fputs("</text>\n", f->out);
        return 0;
}

static void print_marks(const struct frame *f, size_t row, const struct timeline_job *job) {
        bool is_dense = job->is_dense || job->n_spans > f->fit;
        uint64_t most = is_dense ? fullest(f, job) : 0;

        for (size_t i = 0; !is_dense && i < job->n_spans; i++)
                print_span(f, row, &job->spans[i]);
        for (size_t i = 0; is_dense && i < f->timeline->n_cells; i += f->group)
                print_bar(f, row, job, i, most);
}

static size_t end_of_rows(const struct frame *f) {
        return y_of(f->n_rows) + (f->n_rows > AXIS_AGAIN ? ROW : 0);
}

static void print_label(const struct frame *f, double x, size_t y, const char *class, const char *label) {
        fprintf(f->out, "<text x=\"%.1f\" y=\"%zu\" class=\"%s\" text-anchor=\"middle\">", x, y, class);
        put_text(f->out, label);
        fputs("</text>\n", f->out);
}

/* A line over all rows, with a label at y. */
static void print_line(const struct frame *f, int64_t us, size_t y, const char *class, const char *text_class,
                       const char *label) {
        double x = x_of(f, us);

        fprintf(f->out, "<line x1=\"%.1f\" y1=\"%zu\" x2=\"%.1f\" y2=\"%zu\" class=\"%s\"/>", x, y + 4, x, y_of(f->n_rows),
                class);
        print_label(f, x, y, text_class, label);
        if (f->n_rows > AXIS_AGAIN && y == TICK_LABELS)
                print_label(f, x, y_of(f->n_rows) + 14, text_class, label);
}

static void print_head(const struct frame *f) {
        const struct timeline *t = f->timeline;
        size_t height = end_of_rows(f) + FOOT;
        char from[TIMES_SIZE], to[TIMES_SIZE], title[3 * TIMES_SIZE];

        snprintf(title, sizeof(title), "%s to %s", times_full(t->from_us, from), times_full(t->to_us, to));
        fprintf(f->out,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%zu\" viewBox=\"0 0 %d %zu\">\n<title>", WIDTH,
                height, WIDTH, height);
        put_text(f->out, title);
        fprintf(f->out, "</title>\n%s<rect width=\"%d\" height=\"%zu\" class=\"bg\"/>\n", style, WIDTH, height);
        fputs("<text x=\"8\" y=\"22\" class=\"h\">", f->out);
        put_text(f->out, title);
        fputs("</text>\n", f->out);
}

static void print_foot(const struct frame *f, const char *note) {
        const struct timeline *t = f->timeline;
        size_t y = end_of_rows(f) + 20;
        int x = NAMES;
        char sums[TIMELINE_SUMS];

        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++)
                if (t->n[mark] > 0) {
                        const char *word = timeline_mark_word((enum timeline_mark)mark);
                        fprintf(f->out, "<rect x=\"%d\" y=\"%zu\" width=\"10\" height=\"10\" class=\"%s\"/>", x, y - 10, word);
                        fprintf(f->out, "<text x=\"%d\" y=\"%zu\">%s</text>\n", x + 14, y, word);
                        x += 100;
                }
        fprintf(f->out, "<text x=\"%d\" y=\"%zu\" class=\"t\">", NAMES, y + 18);
        put_text(f->out, timeline_sums(t, sums));
        if (t->n_left_out > 0 || t->n_jobs > f->n_rows)
                fprintf(f->out, " Only the first %zu jobs are drawn.", f->n_rows);
        fprintf(f->out, "</text>\n<text x=\"%d\" y=\"%zu\" class=\"t\">", NAMES, y + 35);
        put_text(f->out, note);
        fputs("</text>\n</svg>\n", f->out);
}

int picture_print(const struct timeline *t, int64_t now_us, const char *note, FILE *out) {
        struct frame f = {.timeline = t, .n_rows = t->n_jobs < JOBS_MAX ? t->n_jobs : JOBS_MAX, .out = out};
        struct axis_tick ticks[AXIS_TICKS_MAX];
        size_t n_ticks = axis_ticks(t->from_us, t->to_us, TICKS, ticks);
        int r = 0;

        f.fit = MARKS_MAX / (f.n_rows + 1);
        f.fit = f.fit < BARS_MIN ? BARS_MIN : f.fit;
        f.group = (t->n_cells + f.fit - 1) / f.fit;
        print_head(&f);
        for (size_t i = 0; r == 0 && i < f.n_rows; i++)
                r = print_row(&f, i, t->jobs[i]);
        for (size_t i = 0; i < n_ticks; i++)
                print_line(&f, ticks[i].us, TICK_LABELS, "grid", "t", ticks[i].label);
        for (size_t i = 0; i < f.n_rows; i++)
                print_marks(&f, i, t->jobs[i]);
        if (now_us >= t->from_us && now_us <= t->to_us)
                print_line(&f, now_us, NOW_LABEL, "now", "nowt", "now");
        print_foot(&f, note);
        return r;
}
