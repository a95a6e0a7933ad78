// SPDX-License-Identifier: MIT
// screen_list: the table of jobs. What needs somebody comes first: holds, failures, missed slots; then by the next time.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/ctl/recent.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/session.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"

#define NEXT_REASON_WIDTH 20

/* In the order of the screen. */
enum mark { MARK_HELD, MARK_FAILING, MARK_OVERDUE, MARK_MISSED, MARK_RUNNING, MARK_NONE, MARK_MAX };

static const struct {
        char sign;
        enum view_color color;
        int rank;
} marks[MARK_MAX] = {
        [MARK_HELD] = {'=', VIEW_YELLOW, 0},   [MARK_FAILING] = {'x', VIEW_RED, 1},   [MARK_OVERDUE] = {'!', VIEW_RED, 1},
        [MARK_MISSED] = {'!', VIEW_YELLOW, 2}, [MARK_RUNNING] = {'>', VIEW_GREEN, 3}, [MARK_NONE] = {' ', VIEW_PLAIN, 3},
};

static bool is_state(const json_t *job, const char *state) {
        return strcmp(reply_text_or(job, "state", ""), state) == 0;
}

/* When one more attempt of the last slot comes. */
static int64_t attempt_of(const json_t *job) {
        return reply_int(job, "attemptUsec", REPLY_NO_TIME);
}

static bool is_running(const json_t *job) {
        return json_array_size(json_object_get(job, "runningRunIds")) > 0 || is_state(job, "running");
}

static bool is_overdue(const json_t *job) {
        return reply_int(job, "overdueSinceUsec", REPLY_NO_TIME) != REPLY_NO_TIME;
}

/* Slots missed: of the latest ones where the ledger has them (how many these are: *ret_of), else since chimed was started (0). */
static int64_t missed_of(const json_t *job, size_t *ret_of) {
        const json_t *rows = json_object_get(job, RECENT_MEMBER);
        size_t of = 0;
        int64_t missed = rows ? (int64_t)recent_missed(rows, &of) : reply_int(job, "missed", 0);

        if (ret_of)
                *ret_of = of;
        return missed;
}

static enum mark mark_of(const json_t *job) {
        if (reply_object(job, "hold") || is_state(job, "paused") || is_state(job, "cancelled"))
                return MARK_HELD;
        if (reply_int(job, "failuresInRow", 0) > 0 || is_state(job, "failed"))
                return MARK_FAILING;
        if (is_overdue(job))
                return MARK_OVERDUE;
        if (missed_of(job, NULL) > 0)
                return MARK_MISSED;
        return is_running(job) ? MARK_RUNNING : MARK_NONE;
}

static int64_t start_of(const json_t *job) {
        return attempt_of(job) != REPLY_NO_TIME
                       ? attempt_of(job)
                       : reply_int(job, "nextStartUsec", reply_int(job, "nextSlotUsec", REPLY_NO_TIME));
}

static int compare(const void *a, const void *b) {
        const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
        int order = marks[mark_of(x)].rank - marks[mark_of(y)].rank;
        int64_t x_us = is_running(x) ? 0 : start_of(x), y_us = is_running(y) ? 0 : start_of(y);

        if (order == 0)
                order = (x_us > y_us) - (x_us < y_us);
        return order ? order : strcmp(reply_text_or(x, "name", ""), reply_text_or(y, "name", ""));
}

char *screen_hold(const struct view *v, const json_t *job, bool is_long, char buf[static 512]) {
        const json_t *hold = reply_object(job, "hold");
        const char *state = reply_text_or(job, "state", "held"), *reason = reply_text(hold, "reason");
        char by[64], at[TIMES_SIZE], until[TIMES_SIZE], group[80] = "";
        int64_t at_us = reply_int(hold, "atUsec", REPLY_NO_TIME), until_us = reply_int(hold, "untilUsec", REPLY_NO_TIME);

        if (!hold) {
                snprintf(buf, 512, "%s", state);
                return buf;
        }
        /* a run may still be in flight: then the state speaks of that */
        if (strcmp(state, "paused") != 0 && strcmp(state, "cancelled") != 0)
                state = "held";
        session_user(reply_text_or(hold, "by", "somebody"), by);
        if (!reply_text(job, "state")) /* of a group */
                state = "paused";
        else if (reply_text(hold, "group"))
                snprintf(group, sizeof(group), " (@%.64s)", reply_text(hold, "group"));
        if (!is_long)
                snprintf(buf, 512, "%s by %s%s", state, by, group);
        else
                snprintf(buf, 512, "%s by %s%s at %s%s%s%s%s", state, by, group, times_short(v->now_us, at_us, at),
                         until_us != REPLY_NO_TIME ? ", until " : "",
                         until_us != REPLY_NO_TIME ? times_short(v->now_us, until_us, until) : "", reason ? ": " : "",
                         reason ? reason : "");
        return buf;
}

static void add_next(struct table *t, const struct view *v, const json_t *job) {
        char text[512], in[TIMES_SIZE];
        int64_t next_us = start_of(job), began_us = reply_int(job, "lastStartUsec", REPLY_NO_TIME);

        if (is_running(job)) {
                int64_t pending = reply_int(job, "pending", 0);
                snprintf(text, sizeof(text), "%s%s%s", "running", began_us != REPLY_NO_TIME ? " " : "",
                         began_us != REPLY_NO_TIME ? times_about(v->now_us - began_us, in) : "");
                if (pending > 0)
                        table_cell(t, "%s +%lld", text, (long long)pending);
                else
                        table_cell(t, "%s", text);
                table_cell(t, "-");
        } else if (reply_object(job, "hold")) {
                table_cell(t, "%s", screen_hold(v, job, false, text));
                table_cell(t, "-");
        } else if (is_state(job, "pending") && attempt_of(job) == REPLY_NO_TIME) { /* it is due, and something keeps it */
                table_cell(t, "pending");
                table_cell(t, "now");
        } else if (next_us != REPLY_NO_TIME) {
                long long attempt = reply_int(job, "attempt", 0);
                text[0] = '\0';
                if (attempt > 0)
                        snprintf(text, sizeof(text), " (attempt %lld)", attempt);
                table_cell(t, "%s%s", times_short(v->now_us, next_us, in), text);
                table_cell(t, "%s", next_us > v->now_us ? times_about(next_us - v->now_us, in) : "now");
        } else {
                const char *reason = reply_text_or(job, "nextReason", "-");
                bool is_short = text_width(reason) <= NEXT_REASON_WIDTH; /* a longer one is for show */
                table_cell(t, "%s", !is_state(job, "waiting") ? reply_text_or(job, "state", "-") : is_short ? reason : "-");
                table_cell(t, "-");
        }
}

/* Result of the latest run that has ended: of a job that runs, in brackets, since LAST speaks of the run in flight. */
static void add_result(struct table *t, const json_t *job) {
        const char *result = reply_text(job, "lastResult"), *overdue = is_overdue(job) ? ", overdue" : "";
        long long in_row = reply_int(job, "failuresInRow", 0);

        if (!result)
                table_cell(t, is_overdue(job) ? "overdue" : "-");
        else if (is_running(job))
                table_cell(t, "(%s)", result);
        else if (in_row > 1)
                table_cell(t, runs_is_failure_word(result) ? "%s %lldx%s" : "%s (failed %lldx)%s", result, in_row, overdue);
        else
                table_cell(t, "%s%s", result, overdue);
}

static void add_row(struct table *t, const struct view *v, const json_t *job) {
        enum mark mark = mark_of(job);
        char text[TIMES_SIZE];
        int64_t began_us = reply_int(job, "lastStartUsec", REPLY_NO_TIME), took_us = reply_int(job, "lastDurationUsec", -1);
        size_t of;
        long long missed = missed_of(job, &of);

        table_row(t, marks[mark].color);
        table_cell(t, "%c %s", marks[mark].sign, reply_text_or(job, "name", "?"));
        add_next(t, v, job);
        table_cell(t, "%s", times_short(v->now_us, began_us, text));
        if (is_running(job) && began_us != REPLY_NO_TIME)
                took_us = v->now_us - began_us;
        table_cell(t, "%s", took_us >= 0 ? times_about(took_us, text) : "-");
        add_result(t, job);
        if (missed > 0 && of > 0)
                table_cell(t, "%lld of %zu", missed, of);
        else if (missed > 0)
                table_cell(t, "%lld", missed);
        else
                table_cell(t, "-");
}

struct counts {
        size_t jobs, running, paused, cancelled, failing, overdue;
        int64_t missed;
        const char *missed_job; /* the first that missed any */
};

static struct counts count(const json_t *jobs) {
        struct counts c = {.jobs = json_array_size(jobs)};
        size_t i;
        json_t *job;

        json_array_foreach(jobs, i, job) {
                int64_t missed = missed_of(job, NULL);
                bool is_cancelled = is_state(job, "cancelled");
                c.running += is_running(job);
                c.cancelled += is_cancelled;
                c.paused += !is_cancelled && mark_of(job) == MARK_HELD;
                c.failing += reply_int(job, "failuresInRow", 0) > 0 || is_state(job, "failed");
                c.overdue += is_overdue(job);
                c.missed += missed;
                if (missed > 0 && !c.missed_job)
                        c.missed_job = reply_text_or(job, "name", "JOB");
        }
        return c;
}

static int print_part(FILE *out, bool *is_first, size_t n, const char *word) {
        if (n == 0)
                return 0;
        const char *before = *is_first ? ": " : ", ";
        *is_first = false;
        return fprintf(out, "%s%zu %s", before, n, word);
}

static void print_summary(const struct view *v, const struct counts *c, FILE *out) {
        bool is_first = true;
        char missed[256];
        int width = fprintf(out, "%zu job%s", c->jobs, c->jobs == 1 ? "" : "s");

        width += print_part(out, &is_first, c->running, "running");
        width += print_part(out, &is_first, c->paused, "paused");
        width += print_part(out, &is_first, c->cancelled, "cancelled");
        width += print_part(out, &is_first, c->failing, "failing");
        width += print_part(out, &is_first, c->overdue, "overdue");
        width += fprintf(out, ".");
        if (c->missed > 0) {
                int n = snprintf(missed, sizeof(missed), "MISSED: %lld slot%s (chimectl why %s)", (long long)c->missed,
                                 c->missed == 1 ? "" : "s", c->missed_job);
                fprintf(out, "%c%s", (size_t)(width + 1 + n) > v->width ? '\n' : ' ', missed);
        }
        fputc('\n', out);
}

/* Where to put the first job. */
static void print_nothing(const json_t *status, FILE *out) {
        const char *folder = json_string_value(json_array_get(json_object_get(status, "jobFolders"), 0));

        fprintf(out, "No jobs. Write one, of three lines, into a file NAME.ini in %s; see chimed.job(5).\n",
                folder ? folder : "a job folder");
}

static void print_errors(const struct view *v, const json_t *status, FILE *out) {
        long long n = reply_int(status, "errors", 0);

        if (n <= 0 || !v->has_legend)
                return;
        view_color(v, out, VIEW_RED);
        fprintf(out, "! %lld error%s in the job files, their last good jobs run on: chimectl check", n, n == 1 ? "" : "s");
        view_color(v, out, VIEW_PLAIN);
        fputc('\n', out);
}

int screen_list(const struct view *v, json_t *jobs, const json_t *status, FILE *out) {
        static const struct table_column columns[] = {{"  JOB", false, 8}, {"NEXT", false, 16}, {"IN", false, 0},
                                                      {"LAST", false, 0},  {"TOOK", false, 0},  {"RESULT", false, 7},
                                                      {"MISSED", true, 0}};
        struct table *table;
        size_t i;
        json_t *job;

        if (reply_sort(jobs, compare) < 0 || table_new(columns, ARRAY_SIZE(columns), &table) < 0)
                return -ENOMEM;
        json_array_foreach(jobs, i, job) {
                add_row(table, v, job);
        }
        print_errors(v, status, out);
        int r = table_print(table, v, out);
        table_free(table);
        if (r == 0 && v->has_legend) {
                struct counts c = count(jobs);
                if (c.jobs > 0)
                        print_summary(v, &c, out);
                else
                        print_nothing(status, out);
        }
        return r;
}
