// SPDX-License-Identifier: MIT
// screen_show: one job on one screen, why it does not run in sentences, its next slots.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/core/memory_stream.h"
#include "daemon/ctl/recent.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/screen_policy.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/session.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/timeline.h"
#include "daemon/ctl/times.h"

#define LABEL_WIDTH  13 /* "  Schedule   " */
#define OUTPUT_LINES 10
#define RECENT_LINES 4
#define LATE_US      (1 * USEC_PER_SEC) /* a smaller lag is not worth words */

void screen_line(const struct view *v, FILE *out, const char *label, const char *text) {
        fprintf(out, "  %-*s", LABEL_WIDTH - 2, label);
        text_wrap(out, text, LABEL_WIDTH, LABEL_WIDTH, v->width);
}

char *screen_next_time(const struct view *v, int64_t us, bool is_full, char buf[static 160]) {
        char at[TIMES_SIZE], in[TIMES_SIZE];

        if (is_full)
                times_full(us, at);
        else
                times_short(v->now_us, us, at);
        if (us > v->now_us)
                snprintf(buf, 160, "%s, in %s", at, times_span(us - v->now_us, in));
        else
                snprintf(buf, 160, "%s, now", at);
        return buf;
}

static void print_head(const struct view *v, const json_t *job, FILE *out) {
        const char *description = reply_text(job, "description"), *file = reply_text(job, "file");
        _cleanup_free_ char *left = NULL, *right = NULL;

        if (asprintf(&left, "%s%s%s", reply_text_or(job, "name", "?"), description ? " - " : "",
                     description ? description : "") < 0 ||
            asprintf(&right, "%s:%lld", file ? file : "", (long long)reply_int(job, "line", 0)) < 0)
                return;
        size_t width = text_width(left), tail = file ? text_width(right) : 0;
        view_color(v, out, VIEW_BOLD);
        fputs(left, out);
        view_color(v, out, VIEW_PLAIN);
        if (file && width + 2 + tail <= v->width)
                fprintf(out, "%*s%s", (int)(v->width - width - tail), "", right);
        else if (file)
                fprintf(out, "\n  %s", right);
        fputc('\n', out);
}

static void print_state(const struct view *v, const json_t *job, FILE *out) {
        const char *state = reply_text_or(job, "state", "?"), *reason = reply_text(job, "nextReason");
        const json_t *runs = json_object_get(job, "runningRunIds");
        int64_t next_us = reply_int(job, "nextSlotUsec", REPLY_NO_TIME), start_us = reply_int(job, "nextStartUsec", next_us);
        char hold[512], next[160] = "", delay[TIMES_SIZE], run[32] = "", text[1200];

        if (json_array_size(runs) > 1)
                snprintf(run, sizeof(run), ", %zu runs", json_array_size(runs));
        else if (json_array_size(runs) > 0)
                snprintf(run, sizeof(run), ", run %lld", (long long)json_integer_value(json_array_get(runs, 0)));
        if (next_us != REPLY_NO_TIME)
                screen_next_time(v, next_us, true, next);
        bool is_delayed = next_us != REPLY_NO_TIME && start_us > next_us;
        bool is_held = reply_object(job, "hold") && (strcmp(state, "paused") == 0 || strcmp(state, "cancelled") == 0);
        if (is_held)
                state = screen_hold(v, job, true, hold);
        else if (reason && strncmp(reason, state, strlen(state)) == 0)
                state = reason;
        if (is_held || state == reason) /* what was said need not be said again */
                reason = NULL;
        snprintf(text, sizeof(text), "%s%s%s%s%s%s%s%s%s", state, run, *next ? "; next " : "", next, is_delayed ? " and " : "",
                 is_delayed ? times_span(start_us - next_us, delay) : "", is_delayed ? " of drawn delay" : "",
                 reason ? "; " : "", reason ? reason : "");
        screen_line(v, out, "State", text);
        if (reply_object(job, "hold") && !is_held)
                screen_line(v, out, "Hold", screen_hold(v, job, true, hold));
}

static void print_command(const struct view *v, const json_t *job, FILE *out) {
        const char *command = reply_text(job, "command"), *user = reply_text(job, "user");
        const char *unit = reply_text(job, "unit"), *stop_path = reply_text(job, "stopPath");
        _cleanup_free_ char *text = NULL;

        if (command && asprintf(&text, "%s%s%s%s", command, user ? " (as " : "", user ? user : "", user ? ")" : "") >= 0)
                screen_line(v, out, "Command", text);
        if (unit)
                screen_line(v, out, "Unit", unit);
        if (stop_path)
                screen_line(v, out, "Stops at", stop_path);
}

/* "812  Sat 07:12:40  41min 3s  success  (catch-up for Fri 02:30:00)" */
static void print_run(const struct view *v, const char *label, const json_t *run, FILE *out) {
        const char *cause = reply_text_or(run, "cause", "?"), *error = reply_text(run, "error");
        int64_t start_us = reply_int(run, "startUsec", REPLY_NO_TIME), end_us = reply_int(run, "endUsec", REPLY_NO_TIME);
        int64_t slot_us = reply_int(run, "slotUsec", REPLY_NO_TIME);
        char started[TIMES_SIZE], took[TIMES_SIZE], slot[TIMES_SIZE], result[RUNS_WORDS], text[2 * RUNS_WORDS];

        if (!run)
                return;
        int n = snprintf(
                text, sizeof(text), "%lld  %s  %s  %s%s%.200s", (long long)reply_int(run, "runId", 0),
                start_us == REPLY_NO_TIME ? "not started" : times_short(v->now_us, start_us, started),
                start_us == REPLY_NO_TIME ? "-" : times_span((end_us == REPLY_NO_TIME ? v->now_us : end_us) - start_us, took),
                runs_result(run, result), error ? ": " : "", error ? error : "");
        if (slot_us != REPLY_NO_TIME)
                snprintf(text + n, sizeof(text) - (size_t)n, "  (%s for %s)", cause, times_short(v->now_us, slot_us, slot));
        else
                snprintf(text + n, sizeof(text) - (size_t)n, "  (%s)", cause);
        /* not wrapped: the columns stay */
        fprintf(out, "  %-*s%s\n", LABEL_WIDTH - 2, label, text);
}

/* "340.5M", as systemctl does. */
static void print_size(int64_t bytes, char *buf, size_t size) {
        static const char units[] = "BKMGTPE";
        double value = (double)bytes;
        size_t i = 0;

        for (; value >= 1024 && units[i + 1]; i++)
                value /= 1024;
        snprintf(buf, size, i == 0 ? "%.0f%c" : "%.1f%c", value, units[i]);
}

/* What it took of the machine, as far as that is known. */
static void print_usage(const struct view *v, const json_t *run, FILE *out) {
        int64_t cpu_us = reply_int(run, "cpuUsec", -1), memory = reply_int(run, "memoryPeak", -1);
        char span[TIMES_SIZE], most[16], text[TIMES_SIZE + 64];

        if (cpu_us < 0)
                return;
        int n = snprintf(text, sizeof(text), "%s of processor time", times_span(cpu_us, span));
        if (memory >= 0) {
                print_size(memory, most, sizeof(most));
                snprintf(text + n, sizeof(text) - (size_t)n, ", at most %s of memory", most);
        }
        screen_line(v, out, "Used", text);
}

static bool is_same_run(const json_t *a, const json_t *b) {
        return a && b && reply_int(a, "runId", -1) == reply_int(b, "runId", -2);
}

static void print_counts(const struct view *v, const json_t *job, FILE *out) {
        static const struct {
                const char *name, *word;
        } rest[] = {{"missed", "missed"}, {"withheld", "withheld"}, {"merged", "merged"}, {"interrupted", "interrupted"}};
        long long runs = reply_int(job, "runs", 0), triggered = reply_int(job, "triggered", 0);
        char text[400];
        int n = snprintf(text, sizeof(text), "%lld run%s", runs, runs == 1 ? "" : "s");

        if (triggered > 0)
                n += snprintf(text + n, sizeof(text) - (size_t)n, " (%lld by trigger)", triggered);
        n += snprintf(text + n, sizeof(text) - (size_t)n, ": %lld good, %lld failed", (long long)reply_int(job, "successes", 0),
                      (long long)reply_int(job, "failures", 0));
        const char *between = "; ";
        for (size_t i = 0; i < ARRAY_SIZE(rest); i++) {
                long long count = reply_int(job, rest[i].name, 0);
                if (count <= 0)
                        continue;
                n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%lld %s", between, count, rest[i].word);
                between = ", ";
        }
        screen_line(v, out, "Counts", text);
}

/* "Mon + Tue + Wed ~ Thu ! Fri +late      (+ ran  ! missed)": the signs that are there are explained. */
static void print_slots(const struct view *v, const json_t *job, FILE *out) {
        struct recent_slot slots[RECENT_SLOTS];
        size_t n = recent_collect(json_object_get(job, RECENT_MEMBER), slots);
        int64_t apart_us = n > 1 ? (slots[n - 1].us - slots[0].us) / (int64_t)(n - 1) : USEC_PER_DAY;
        bool is_there[TIMELINE_MARK_MAX] = {};
        char text[400] = "", time[TIMES_SIZE];
        const char *between = "  (";
        int at = 0;

        for (size_t i = 0; i < n; i++) {
                enum timeline_mark mark;
                if (!timeline_mark_find(slots[i].outcome, &mark))
                        continue;
                is_there[mark] = true;
                at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%s %c%s", i > 0 ? " " : "",
                               times_among(slots[i].us, apart_us, time), timeline_mark_sign(mark),
                               slots[i].lag_us >= LATE_US ? "late" : "");
        }
        if (at == 0)
                return;
        for (int mark = 0; mark < TIMELINE_MARK_MAX; mark++) {
                if (!is_there[mark])
                        continue;
                at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%c %s", between,
                               timeline_mark_sign((enum timeline_mark)mark), timeline_mark_word((enum timeline_mark)mark));
                between = ", ";
        }
        snprintf(text + at, sizeof(text) - (size_t)at, ")");
        screen_line(v, out, "Recent", text);
}

static void print_recent(const struct view *v, const json_t *job, FILE *out) {
        const char *label = json_object_get(job, RECENT_MEMBER) ? "Not run" : "Recent";
        size_t i;
        json_t *range;

        json_array_foreach(json_object_get(job, "recent"), i, range) {
                char first[TIMES_SIZE], last[TIMES_SIZE], text[400];
                long long n = reply_int(range, "count", 0);
                if (i == RECENT_LINES)
                        break;
                times_short(v->now_us, reply_int(range, "firstSlotUsec", REPLY_NO_TIME), first);
                times_short(v->now_us, reply_int(range, "lastSlotUsec", REPLY_NO_TIME), last);
                snprintf(text, sizeof(text), "%lld %s%s, %s%s%s", n, reply_text_or(range, "outcome", "?"),
                         n == 1 ? "" : " slots", first, n == 1 ? "" : " to ", n == 1 ? "" : last);
                const char *reason = reply_text_or(range, "reason", "");
                fprintf(out, "  %-*s%s%s%s\n", LABEL_WIDTH - 2, i == 0 ? label : "", text, *reason ? ": " : "", reason);
        }
}

/* The last lines of its output. */
static void print_output(const json_t *run, FILE *out) {
        const char *value = reply_text(run, "value");
        size_t n = 0;

        if (reply_text(run, "valueBase64"))
                fputs("  (its output is no text; see: chimectl show --json)\n", out);
        if (!value || !*value)
                return;
        size_t size = strlen(value);
        while (size > 0 && value[size - 1] == '\n')
                size--;
        const char *from = value + size;
        while (from > value && (from[-1] != '\n' || ++n < OUTPUT_LINES))
                from--;
        while (from < value + size) {
                size_t length = strcspn(from, "\n");
                length = length > (size_t)(value + size - from) ? (size_t)(value + size - from) : length;
                fprintf(out, "    %.*s\n", (int)length, from);
                from += length + 1;
        }
}

int screen_show(const struct view *v, const json_t *job, FILE *out) {
        const json_t *last = reply_object(job, "lastRun"), *good = reply_object(job, "lastGood");
        const json_t *failure = reply_object(job, "lastFailure");

        print_head(v, job, out);
        print_state(v, job, out);
        screen_line(v, out, "Schedule", reply_text_or(job, "schedule", "?"));
        print_command(v, job, out);
        screen_policy(v, job, out);
        print_run(v, "Last run", last, out);
        print_usage(v, last, out);
        if (!is_same_run(good, last))
                print_run(v, "Last good", good, out);
        if (!is_same_run(failure, last))
                print_run(v, "Failure", failure, out);
        print_counts(v, job, out);
        print_slots(v, job, out);
        print_recent(v, job, out);
        print_output(last, out);
        return 0;
}

/* Prints a sentence in which users are named by number ("by uid 1000") with their names; given to the caller. */
static char *name_users(const char *sentence) {
        static const char form[] = "by uid ";
        char *text = NULL, number[24], name[64];
        size_t size = 0;
        FILE *out = memory_stream_open(&text, &size);

        for (const char *s = sentence; out && *s;) {
                size_t n_digits = strncmp(s, form, strlen(form)) == 0 ? strspn(s + strlen(form), "0123456789") : 0;
                if (n_digits == 0 || n_digits > 10) {
                        fputc(*s++, out);
                        continue;
                }
                snprintf(number, sizeof(number), "uid %.*s", (int)n_digits, s + strlen(form));
                fprintf(out, "by %s", session_user(number, name));
                s += strlen(form) + n_digits;
        }
        return memory_stream_finish(out, &text);
}

/* The first sentence stands at the edge, as does the last, which says how it goes on; those between explain. */
int screen_why(const struct view *v, const json_t *reply, FILE *out) {
        static const char end[] = "Nothing is wrong now.";
        size_t i;
        json_t *sentence;
        int64_t next_us = reply_int(reply, "nextSlotUsec", REPLY_NO_TIME);
        bool has_next = false;
        char next[160];

        json_array_foreach(json_object_get(reply, "sentences"), i, sentence) {
                const char *given = json_string_value(sentence);
                bool is_end = given && (strncmp(given, end, strlen(end)) == 0 || strncmp(given, "Next:", 5) == 0);
                _cleanup_free_ char *named = name_users(given ? given : "");
                _cleanup_free_ char *text = named ? times_localize(v->now_us, named, i == 0 && !is_end) : NULL;
                if (!text)
                        return -ENOMEM;
                size_t at = i == 0 || is_end ? 0 : 2;
                has_next = has_next || strstr(text, "Next");
                fprintf(out, "%*s", (int)at, "");
                text_wrap(out, text, at, 4, v->width);
        }
        if (!has_next && next_us != REPLY_NO_TIME)
                fprintf(out, "%s%sNext: %s.\n", reply_text(reply, "reason") ? "" : end, reply_text(reply, "reason") ? "" : " ",
                        screen_next_time(v, next_us, false, next));
        return 0;
}

int screen_next(const struct view *v, const json_t *slots, FILE *out) {
        static const struct table_column columns[] = {
                {"JOB", false, 8}, {"NEXT", false, 0}, {"IN", false, 0}, {"DELAY", false, 0}, {"NOTE", false, 8}};
        struct table *table;
        size_t i;
        json_t *slot;

        if (table_new(columns, ARRAY_SIZE(columns), &table) < 0)
                return -ENOMEM;
        json_array_foreach(slots, i, slot) {
                char text[TIMES_SIZE];
                int64_t slot_us = reply_int(slot, "slotUsec", REPLY_NO_TIME), start_us = reply_int(slot, "startUsec", slot_us);
                table_row(table, VIEW_PLAIN);
                table_cell(table, "%s", reply_text_or(slot, "job", "?"));
                table_cell(table, "%s", times_exact(slot_us, text));
                table_cell(table, "%s", slot_us > v->now_us ? times_span(slot_us - v->now_us, text) : "now");
                table_cell(table, "%s", start_us > slot_us ? times_span(start_us - slot_us, text) : "-");
                table_cell(table, "%s", reply_text_or(slot, "note", ""));
        }
        int r = table_print(table, v, out);
        table_free(table);
        return r;
}
