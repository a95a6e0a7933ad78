// SPDX-License-Identifier: MIT
// screen_event: a line for an event. One row a kind.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/session.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"

#define LATE_US (1 * USEC_PER_SEC) /* a smaller lag is not worth words */

static long long run_of(const json_t *event) {
        return reply_int(event, "runId", 0);
}

static void say_state(const struct view *v, const json_t *event, FILE *out) {
        const json_t *runs = json_object_get(event, "runningRunIds");
        int64_t next_us = reply_int(event, "nextSlotUsec", REPLY_NO_TIME);
        char text[512];

        if (reply_object(event, "hold"))
                fputs(screen_hold(v, event, true, text), out);
        else
                fputs(reply_text_or(event, "state", "?"), out);
        for (size_t i = 0; i < json_array_size(runs); i++)
                fprintf(out, "%s run %lld", i == 0 ? "," : " and", (long long)json_integer_value(json_array_get(runs, i)));
        if (next_us != REPLY_NO_TIME)
                fprintf(out, "; next %s", screen_next_time(v, next_us, false, text));
}

static void say_armed(const struct view *v, const json_t *event, FILE *out) {
        const char *by = reply_text(event, "by");
        int64_t next_us = reply_int(event, "nextSlotUsec", REPLY_NO_TIME);
        char name[64], text[160];

        fprintf(out, "%s%s%s", reply_text_or(event, "state", "armed"), by ? ", by " : "", by ? session_user(by, name) : "");
        if (next_us != REPLY_NO_TIME)
                fprintf(out, "; next %s", screen_next_time(v, next_us, false, text));
}

static void say_cause(const struct view *v, const json_t *event, FILE *out) {
        int64_t slot_us = reply_int(event, "slotUsec", REPLY_NO_TIME), lag_us = reply_int(event, "lagUsec", 0);
        char text[TIMES_SIZE];

        fprintf(out, " (%s", reply_text_or(event, "cause", "?"));
        if (slot_us != REPLY_NO_TIME)
                fprintf(out, " for %s", times_short(v->now_us, slot_us, text));
        if (lag_us >= LATE_US)
                fprintf(out, ", %s late", times_span(lag_us, text));
        fputc(')', out);
}

static void say_started(const struct view *v, const json_t *event, FILE *out) {
        fprintf(out, "run %lld started", run_of(event));
        say_cause(v, event, out);
}

static void say_output(const struct view *v, const json_t *event, FILE *out) {
        const char *text = reply_text_or(event, "text", "");
        size_t size = strlen(text);

        (void)v;
        while (size > 0 && text[size - 1] == '\n')
                size--;
        fprintf(out, "run %lld %s ", run_of(event), reply_int(event, "stream", 1) == 2 ? "!" : "|");
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\n')
                        fputs(" | ", out);
                else
                        fputc(text[i], out);
}

static void say_ended(const struct view *v, const json_t *event, FILE *out) {
        char text[RUNS_WORDS];

        (void)v;
        fprintf(out, "run %lld %s", run_of(event), runs_words(event, text));
}

/* missed, withheld, merged */
static void say_range(const struct view *v, const json_t *event, FILE *out) {
        int64_t first_us = reply_int(event, "firstSlotUsec", REPLY_NO_TIME),
                last_us = reply_int(event, "lastSlotUsec", first_us);
        long long n = reply_int(event, "count", 1);
        const char *reason = reply_text(event, "reason");
        char first[TIMES_SIZE], last[TIMES_SIZE];

        fprintf(out, "%lld slot%s %s", n, n == 1 ? "" : "s", reply_text_or(event, "kind", "?"));
        if (run_of(event) > 0)
                fprintf(out, " into run %lld", run_of(event));
        fprintf(out, ": %s", times_short(v->now_us, first_us, first));
        if (n > 1)
                fprintf(out, " to %s", times_short(v->now_us, last_us, last));
        if (reason)
                fprintf(out, " (%s)", reason);
}

static void say_caught_up(const struct view *v, const json_t *event, FILE *out) {
        fprintf(out, "run %lld catches up", run_of(event));
        say_cause(v, event, out);
}

static void say_dropped(const struct view *v, const json_t *event, FILE *out) {
        long long n = reply_int(event, "count", 0);

        (void)v;
        fprintf(out, "%lld event%s dropped: this reader is too slow", n, n == 1 ? "" : "s");
}

static void say_end(const struct view *v, const json_t *event, FILE *out) {
        (void)v;
        fprintf(out, "end: %s", reply_text_or(event, "reason", "?"));
}

static void say_reload(const struct view *v, const json_t *event, FILE *out) {
        long long errors = reply_int(event, "errors", 0);

        (void)v;
        fprintf(out, "job files read anew: %lld new, %lld changed, %lld removed", (long long)reply_int(event, "added", 0),
                (long long)reply_int(event, "changed", 0), (long long)reply_int(event, "removed", 0));
        if (errors > 0)
                fprintf(out, "; %lld error%s: chimectl check", errors, errors == 1 ? "" : "s");
}

static void say_clock(const struct view *v, const json_t *event, FILE *out) {
        int64_t step_us = reply_int(event, "stepUsec", 0), slept_us = reply_int(event, "sleptUsec", 0);
        char text[TIMES_SIZE];

        (void)v;
        if (slept_us > 0)
                fprintf(out, "the machine was suspended for %s%s", times_span(slept_us, text),
                        llabs(step_us) >= USEC_PER_MSEC ? "; " : "");
        if (slept_us == 0 || llabs(step_us) >= USEC_PER_MSEC)
                fprintf(out, "the clock was set %s by %s", step_us < 0 ? "back" : "forward", times_span(llabs(step_us), text));
}

static const struct {
        const char *kind;
        enum view_color color;
        void (*say)(const struct view *v, const json_t *event, FILE *out);
} rows[] = {
        {"state", VIEW_PLAIN, say_state},      {"armed", VIEW_PLAIN, say_armed},  {"started", VIEW_PLAIN, say_started},
        {"output", VIEW_PLAIN, say_output},    {"ended", VIEW_PLAIN, say_ended},  {"missed", VIEW_YELLOW, say_range},
        {"withheld", VIEW_PLAIN, say_range},   {"merged", VIEW_PLAIN, say_range}, {"caught-up", VIEW_PLAIN, say_caught_up},
        {"dropped", VIEW_YELLOW, say_dropped}, {"end", VIEW_BOLD, say_end},       {"reload", VIEW_PLAIN, say_reload},
        {"clock", VIEW_YELLOW, say_clock},
};

static size_t find(const char *kind) {
        size_t i = 0;

        while (i < ARRAY_SIZE(rows) && strcmp(rows[i].kind, kind) != 0)
                i++;
        return i;
}

bool screen_knows_event(const char *kind) {
        return find(kind) < ARRAY_SIZE(rows);
}

int screen_event(const struct view *v, const json_t *event, FILE *out) {
        const char *kind = reply_text_or(event, "kind", "?"), *job = reply_text(event, "job");
        size_t row = find(kind);
        char at[TIMES_SIZE];
        bool is_bad = strcmp(kind, "ended") == 0 && runs_exit_status(event) != 0;

        fprintf(out, "%s  %-12s  ", times_short(v->now_us, reply_int(event, "atUsec", v->now_us), at), job ? job : "-");
        if (row == ARRAY_SIZE(rows)) {
                fprintf(out, "%s\n", kind); /* of a later version */
                return 0;
        }
        enum view_color color = is_bad ? VIEW_RED : rows[row].color;
        if (color != VIEW_PLAIN)
                view_color(v, out, color);
        rows[row].say(v, event, out);
        if (color != VIEW_PLAIN)
                view_color(v, out, VIEW_PLAIN);
        fputc('\n', out);
        return 0;
}
