// SPDX-License-Identifier: MIT
// timeline, axis and picture: which cells slots are in, which times are written beside them, and how large a picture can become.

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/duration.h"
#include "daemon/ctl/axis.h"
#include "daemon/ctl/picture.h"
#include "daemon/ctl/timeline.h"
#include "tests/unit/run_suite.h"

#define COUNT(a)  (int)(sizeof(a) / sizeof((a)[0]))
#define HUGE_TIME INT64_C(253402300799999999)

static void set_up(void) {
        setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
        tzset();
}

/* ---- cells: a digit is so many slots, "-" a run that goes on, "." nothing; the period is 100 to 200 in ten cells ---- */

static const struct {
        const char *name;
        struct timeline_span span;
        const char *cells;
} cells[] = {
        {"a run", {.from_us = 110, .to_us = 135, .n = 1, .is_run = true}, ".1--......"},
        {"a run that takes no time", {.from_us = 110, .to_us = 110, .n = 1, .is_run = true}, ".1........"},
        {"a run at the first instant", {.from_us = 100, .to_us = 101, .n = 1, .is_run = true}, "1........."},
        {"a run at the last instant", {.from_us = 200, .to_us = 300, .n = 1, .is_run = true}, ".........1"},
        {"a run that began before", {.from_us = 50, .to_us = 125, .n = 1, .is_run = true}, "---......."},
        {"a run longer than all", {.from_us = 50, .to_us = 500, .n = 1, .is_run = true}, "----------"},
        {"a run that was before", {.from_us = 50, .to_us = 99, .n = 1, .is_run = true}, NULL},
        {"a run that comes after", {.from_us = 201, .to_us = 300, .n = 1, .is_run = true}, NULL},
        {"one slot", {.from_us = 199, .to_us = 199, .n = 1, .mark = TIMELINE_MISSED}, ".........1"},
        {"a slot in each cell", {.from_us = 105, .to_us = 195, .n = 10, .mark = TIMELINE_MISSED}, "1111111111"},
        {"at the edges of cells", {.from_us = 100, .to_us = 200, .n = 11, .mark = TIMELINE_MISSED}, "1111111112"},
        {"several in a cell", {.from_us = 110, .to_us = 119, .n = 4, .mark = TIMELINE_WITHHELD}, ".4........"},
        {"all at one instant", {.from_us = 150, .to_us = 150, .n = 7, .mark = TIMELINE_MERGED}, ".....7...."},
        {"more of them outside", {.from_us = 0, .to_us = 1000, .n = 101, .mark = TIMELINE_MISSED}, "1111111112"},
        {"a row that goes over the period, without a slot in it",
         {.from_us = 0, .to_us = 300, .n = 2, .mark = TIMELINE_MISSED},
         ".........."},
        {"none", {.from_us = 150, .to_us = 160, .n = 0, .mark = TIMELINE_MISSED}, NULL},
        {"the wrong way round", {.from_us = 160, .to_us = 150, .n = 2, .mark = TIMELINE_MISSED}, NULL},
        {"more than can be counted", {.from_us = 0, .to_us = HUGE_TIME, .n = INT64_MAX, .mark = TIMELINE_MISSED}, "9999999999"},
};

static void print_cells(const struct timeline *t, char ret[static 11]) {
        for (size_t i = 0; i < t->n_cells; i++) {
                enum timeline_mark mark;
                uint64_t n = timeline_cell_worst(&t->jobs[0]->cells[i], &mark);
                ret[i] = n > 0 ? (char)('0' + (n < 9 ? n : 9)) : t->jobs[0]->cells[i].is_busy ? '-' : '.';
        }
        ret[t->n_cells] = '\0';
}

START_TEST(slots_are_in_the_cells_of_their_instants) {
        struct timeline t = {.from_us = 100, .to_us = 200, .n_cells = 10};
        char found[11];

        ck_assert_int_eq(timeline_add(&t, "a", &cells[_i].span), 0);
        ck_assert_msg((t.n_jobs > 0) == (cells[_i].cells != NULL), "%s: %zu jobs", cells[_i].name, t.n_jobs);
        if (t.n_jobs > 0) {
                print_cells(&t, found);
                ck_assert_msg(strcmp(found, cells[_i].cells) == 0, "%s: %s, not %s", cells[_i].name, found, cells[_i].cells);
        }
        timeline_done(&t);
}
END_TEST

/* Whatever the numbers: each slot is in one cell, and cells follow on each other. */
START_TEST(no_slot_is_lost_between_cells) {
        static const int64_t spans[] = {1, 7, 1000, 3599999999, 31536000000001, HUGE_TIME};
        for (size_t n_cells = 1; n_cells <= TIMELINE_CELLS_MAX; n_cells = n_cells * 3 + 1)
                for (int i = 0; i < COUNT(spans); i++) {
                        struct timeline t = {.from_us = 5, .to_us = 5 + spans[i], .n_cells = n_cells};
                        struct timeline_span span = {.from_us = 5, .to_us = 5 + spans[i], .n = 977, .mark = TIMELINE_MISSED};
                        uint64_t n = 0;
                        ck_assert_int_eq(timeline_add(&t, "a", &span), 0);
                        for (size_t k = 0; k < n_cells; k++) {
                                int64_t begin_us = timeline_cell_begin(&t, k);
                                n += t.jobs[0]->cells[k].n[TIMELINE_MISSED];
                                if (begin_us < timeline_cell_begin(&t, k + 1) && timeline_cell_of(&t, begin_us) != k)
                                        ck_abort_msg("%zu of %zu cells over %lld", k, n_cells, (long long)spans[i]);
                        }
                        ck_assert_uint_eq(n, 977);
                        ck_assert_uint_eq(t.n[TIMELINE_MISSED], 977);
                        timeline_done(&t);
                }
}
END_TEST

START_TEST(the_worst_of_a_cell_counts) {
        struct timeline t = {.from_us = 0, .to_us = 100, .n_cells = 1};
        enum timeline_mark worst;
        char sums[TIMELINE_SUMS];

        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++) {
                struct timeline_span span = {.from_us = mark, .to_us = mark, .n = 1, .mark = (enum timeline_mark)mark};
                ck_assert_int_eq(timeline_add(&t, "a", &span), 0);
                ck_assert_uint_eq(timeline_cell_worst(&t.jobs[0]->cells[0], &worst), (unsigned)mark + 1);
                ck_assert_int_eq((int)worst, mark);
        }
        ck_assert_str_eq(timeline_sums(&t, sums),
                         "1 job: 2 runs, 1 failed; slots merged: 1, withheld: 1, interrupted: 1, missed: 1.");
        timeline_done(&t);
}
END_TEST

START_TEST(jobs_are_sorted_and_bounded) {
        struct timeline t = {.from_us = 0, .to_us = 100, .n_cells = 1};
        struct timeline_span span = {.from_us = 1, .to_us = 1, .n = 3, .mark = TIMELINE_MISSED};
        char name[16];

        for (int i = TIMELINE_JOBS_MAX + 1; i > 0; i--) {
                snprintf(name, sizeof(name), "j%05d", i);
                if (timeline_add_job(&t, name) != 0 || timeline_add(&t, name, &span) != 0)
                        ck_abort_msg("%s", name);
        }
        ck_assert_uint_eq(t.n_jobs, TIMELINE_JOBS_MAX);
        ck_assert_uint_eq(t.n_left_out, 3);
        ck_assert_str_eq(t.jobs[0]->name, "j00002");
        timeline_done(&t);
}
END_TEST

START_TEST(too_many_spans_become_density) {
        struct timeline t = {.from_us = 0, .to_us = 100, .n_cells = 10, .spans_max = 3};

        for (int i = 0; i < 5; i++) {
                struct timeline_span span = {.from_us = i, .to_us = i, .n = 1, .is_run = true};
                ck_assert_int_eq(timeline_add(&t, "a", &span), 0);
                ck_assert_uint_eq(t.jobs[0]->n_spans, i < 3 ? (size_t)i + 1 : 0);
                ck_assert_int_eq(t.jobs[0]->is_dense, i >= 3);
        }
        ck_assert_uint_eq(t.n[TIMELINE_RAN], 5);
        timeline_done(&t);
}
END_TEST

/* ---- ticks ---- */

static const struct {
        const char *name;
        int64_t from_s, span_s;
        size_t max;
        const char *labels; /* with the hours since the first, where they are not equal */
} axes[] = {
        {"half a minute", 1795257700, 30, 6, "11:41:45 11:42 "},
        {"an hour", 1795257700, 3600, 7, "11:50 12:00 12:10 12:20 12:30 12:40 "},
        {"a day", 1795257700, 86400, 6, "12:00 18:00 Sun 22 06:00 "},
        {"a week", 1795257700, 7 * 86400, 8, "Nov 22 Nov 23 Nov 24 Nov 25 Nov 26 Nov 27 Nov 28 "},
        {"a month", 1795257700, 30 * 86400, 7, "Nov 23 Nov 30 Dec  7 Dec 14 Dec 21 "},
        {"a year", 1795257700, 365 * 86400, 6, "2027 Apr Jul Oct "},
        {"a life", 1795257700, INT64_C(36525) * 86400, 6, "2050 2100 "},
        {"forward: an hour is left out", 1806188400, 6 * 3600, 8, "Sun 28 01:00 03:00 04:00 05:00 06:00 07:00 "},
        {"back: an hour comes twice", 1824933600, 6 * 3600, 8, "Sun 31 01:00 02:00 03:00 04:00 05:00 "},
        {"over the change, at full hours", 1806102000, 2 * 86400, 6, "Sat 27 12:00 Sun 28 12:00 Mon 29 "},
};

START_TEST(ticks_are_round_times_of_the_wall_clock) {
        struct axis_tick ticks[AXIS_TICKS_MAX];
        int64_t from_us = axes[_i].from_s * USEC_PER_SEC, to_us = from_us + axes[_i].span_s * USEC_PER_SEC;
        size_t n = axis_ticks(from_us, to_us, axes[_i].max, ticks);
        char text[400] = "";

        for (size_t i = 0; i < n; i++) {
                strcat(strcat(text, ticks[i].label), " ");
                ck_assert_msg(ticks[i].us >= from_us && ticks[i].us <= to_us && (i == 0 || ticks[i].us > ticks[i - 1].us),
                              "%s: tick %zu", axes[_i].name, i);
        }
        ck_assert_msg(n <= axes[_i].max && strcmp(text, axes[_i].labels) == 0, "%s: \"%s\", not \"%s\"", axes[_i].name, text,
                      axes[_i].labels);
}
END_TEST

/* ---- pictures ---- */

static char *print_picture(const struct timeline *t, size_t *ret_size) {
        char *text = NULL;
        FILE *out = open_memstream(&text, ret_size);

        ck_assert_int_eq(picture_print(t, 50, "a note with <&\">", out), 0);
        fclose(out);
        return text;
}

START_TEST(a_picture_is_bounded_and_escaped) {
        struct timeline t = {.from_us = 0, .to_us = USEC_PER_DAY, .n_cells = PICTURE_CELLS, .spans_max = PICTURE_SPANS};
        size_t size;
        char name[40];

        for (int i = 0; i < 2000; i++)
                for (int k = 0; k < PICTURE_CELLS; k++) {
                        struct timeline_span span = {
                                .from_us = timeline_cell_begin(&t, (size_t)k), .n = 3, .mark = TIMELINE_MISSED};
                        span.to_us = span.from_us;
                        snprintf(name, sizeof(name), "<j&\"%04d>", i);
                        if (timeline_add(&t, name, &span) != 0)
                                ck_abort_msg("%s", name);
                }
        char *text = print_picture(&t, &size);
        ck_assert_msg(size < 12u << 20, "%zu bytes", size);
        ck_assert_ptr_nonnull(strstr(text, "&lt;j&amp;&quot;0000&gt;"));
        ck_assert_ptr_nonnull(strstr(text, "a note with &lt;&amp;&quot;&gt;"));
        ck_assert_ptr_null(strstr(text, "<j"));
        ck_assert_ptr_nonnull(strstr(text, "Only the first 1000 jobs are drawn."));
        ck_assert_ptr_null(strstr(text, "<script"));
        ck_assert_ptr_null(strstr(text, "href"));
        free(text);
        timeline_done(&t);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("timeline");
        TCase *tcase = tcase_create("timeline");
        tcase_add_checked_fixture(tcase, set_up, NULL);
        tcase_add_loop_test(tcase, slots_are_in_the_cells_of_their_instants, 0, COUNT(cells));
        tcase_add_test(tcase, no_slot_is_lost_between_cells);
        tcase_add_test(tcase, the_worst_of_a_cell_counts);
        tcase_add_test(tcase, jobs_are_sorted_and_bounded);
        tcase_add_test(tcase, too_many_spans_become_density);
        tcase_add_loop_test(tcase, ticks_are_round_times_of_the_wall_clock, 0, COUNT(axes));
        tcase_add_test(tcase, a_picture_is_bounded_and_escaped);
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
