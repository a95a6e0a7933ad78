// SPDX-License-Identifier: MIT
// screen_history: runs and slots that did not run in one table, and what the audit found.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/duration.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/runs.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/table.h"
#include "daemon/ctl/text.h"
#include "daemon/ctl/times.h"

#define LATE_US (1 * USEC_PER_SEC) /* a smaller lag is not worth words */
#define NOTE    400                /* bytes */

static bool is_run(const json_t *row) {
        return json_object_get(row, "runId") && !json_object_get(row, "outcome");
}

static int64_t time_of(const json_t *row) {
        return is_run(row) ? reply_int(row, "startUsec", reply_int(row, "slotUsec", reply_int(row, "endUsec", 0)))
                           : reply_int(row, "lastSlotUsec", 0);
}

static int compare_rows(const void *a, const void *b) {
        const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
        int64_t left = time_of(x), right = time_of(y);

        if (left == right) {
                left = reply_int(x, "runId", 0);
                right = reply_int(y, "runId", 0);
        }
        return (left > right) - (left < right);
}

int screen_history_sort(json_t *rows) {
        return reply_sort(rows, compare_rows);
}

/* "catch-up for Fri 02:30:00, 1d 4h late" */
static char *run_note(const struct view *v, const json_t *run, char buf[static NOTE]) {
        const char *cause = reply_text_or(run, "cause", "?"), *error = reply_text(run, "error");
        int64_t slot_us = reply_int(run, "slotUsec", REPLY_NO_TIME), lag_us = reply_int(run, "lagUsec", 0);
        bool is_late = lag_us >= LATE_US, is_plain = strcmp(cause, "schedule") == 0;
        char slot[TIMES_SIZE], lag[TIMES_SIZE];
        int n = snprintf(buf, NOTE, "%s", is_plain ? "" : cause);

        if (slot_us != REPLY_NO_TIME && is_late)
                n += snprintf(buf + n, NOTE - (size_t)n, "%sfor %s, %s late", is_plain ? "" : " ",
                              times_short(v->now_us, slot_us, slot), times_about(lag_us, lag));
        if (error)
                snprintf(buf + n, NOTE - (size_t)n, "%s%.200s", n > 0 ? "; " : "", error);
        return buf;
}

static void add_run(struct table *t, const struct view *v, const json_t *run) {
        int64_t start_us = reply_int(run, "startUsec", REPLY_NO_TIME), end_us = reply_int(run, "endUsec", v->now_us);
        const char *result = reply_text(run, "result");
        char text[NOTE], words[RUNS_WORDS];

        table_row(t, !result ? VIEW_GREEN : runs_is_good(run) ? VIEW_PLAIN : VIEW_RED);
        table_cell(t, "%s", times_short(v->now_us, time_of(run), text));
        table_cell(t, "%s", reply_text_or(run, "job", "?"));
        table_cell(t, "%lld", (long long)reply_int(run, "runId", 0));
        table_cell(t, "%s", start_us != REPLY_NO_TIME ? times_about(end_us - start_us, text) : "-");
        table_cell(t, "%s", runs_result(run, words));
        table_cell(t, "%s", run_note(v, run, text));
}

static void add_range(struct table *t, const struct view *v, const json_t *range) {
        const char *outcome = reply_text_or(range, "outcome", "?"), *reason = reply_text_or(range, "reason", "");
        const char *result = reply_text(range, "result"); /* they ran */
        int64_t last_us = reply_int(range, "lastSlotUsec", REPLY_NO_TIME);
        long long n = reply_int(range, "count", 0), into = result ? 0 : reply_int(range, "runId", 0);
        char text[TIMES_SIZE], note[NOTE] = "";
        size_t at = 0;

        table_row(t, strcmp(outcome, "missed") == 0 || strcmp(outcome, "interrupted") == 0 ? VIEW_YELLOW : VIEW_PLAIN);
        table_cell(t, "%s", times_short(v->now_us, reply_int(range, "firstSlotUsec", REPLY_NO_TIME), text));
        table_cell(t, "%s", reply_text_or(range, "job", "?"));
        table_cell(t, "-");
        table_cell(t, "-");
        table_cell(t, n == 1 ? "%s" : "%s %lldx", result ? result : outcome, n);
        if (n > 1)
                at += (size_t)snprintf(note, NOTE, "to %s", times_short(v->now_us, last_us, text));
        if (into > 0)
                at += (size_t)snprintf(note + at, NOTE - at, "%sinto run %lld", at > 0 ? ", " : "", into);
        if (*reason)
                snprintf(note + at, NOTE - at, "%s%s", at > 0 ? ": " : "", reason);
        table_cell(t, "%s", note);
}

/* ---- the summary ---- */

struct sums {
        long long runs, good, failed, slots[4];
};

/* How many runs are spoken of in a row. */
static long long count_runs(const json_t *row) {
        return is_run(row) ? 1 : reply_text(row, "result") ? reply_int(row, "count", 0) : 0;
}

static const char *const not_ran[] = {"missed", "withheld", "merged", "interrupted"};

static struct sums sum_up(const json_t *rows) {
        struct sums sums = {};
        size_t i;
        json_t *row;

        json_array_foreach(rows, i, row) {
                const char *result = reply_text_or(row, "result", ""), *outcome = reply_text_or(row, "outcome", "");
                bool is_over = is_run(row) && *result;
                sums.runs += count_runs(row);
                sums.good += is_run(row) ? runs_is_good(row) : count_runs(row); /* no others are summed up */
                sums.failed += is_over && runs_is_failure(row);
                for (size_t k = 0; k < ARRAY_SIZE(not_ran); k++)
                        sums.slots[k] += strcmp(outcome, not_ran[k]) == 0 ? reply_int(row, "count", 0) : 0;
        }
        return sums;
}

static void print_sums(const json_t *rows, int64_t trimmed, FILE *out) {
        struct sums sums = sum_up(rows);
        const char *between = sums.runs > 0 ? "; slots " : "Slots ";

        if (sums.runs > 0)
                fprintf(out, "%lld run%s: %lld good, %lld failed", sums.runs, sums.runs == 1 ? "" : "s", sums.good,
                        sums.failed);
        for (size_t k = 0; k < ARRAY_SIZE(not_ran); k++)
                if (sums.slots[k] > 0) {
                        fprintf(out, "%s%s: %lld", between, not_ran[k], sums.slots[k]);
                        between = ", ";
                }
        fputs(".\n", out);
        if (trimmed > 0)
                fprintf(out, "%lld older runs are no longer kept.\n", (long long)trimmed);
}

int screen_history(const struct view *v, const json_t *rows, int64_t trimmed, FILE *out) {
        static const struct table_column columns[] = {{"TIME", false, 0}, {"JOB", false, 8},    {"RUN", true, 0},
                                                      {"TOOK", false, 0}, {"RESULT", false, 0}, {"NOTE", false, 8}};
        struct table *table;
        size_t i;
        json_t *row;

        if (json_array_size(rows) == 0) {
                if (v->has_legend)
                        fputs("Nothing of this is in the ledger.\n", out);
                return 0;
        }
        if (table_new(columns, ARRAY_SIZE(columns), &table) < 0)
                return -ENOMEM;
        json_array_foreach(rows, i, row) {
                if (is_run(row))
                        add_run(table, v, row);
                else
                        add_range(table, v, row);
        }
        int r = table_print(table, v, out);
        table_free(table);
        if (r == 0 && v->has_legend)
                print_sums(rows, trimmed, out);
        return r;
}

/* ---- audit ---- */

/* What a fault is, in words. */
static const struct {
        const char *kind, *words;
} faults[] = {
        {"gap", "no outcome"},
        {"double", "two outcomes"},
        {"beyond", "an outcome, and not in the plan, or not yet"},
        {"count", "in a row whose number is wrong"},
        {"instant", "at another time than planned"},
        {"no-plan", "of a plan that is not there"},
        {"no-run", "said to have run, and no run that did it"},
        {"no-slot", "a run, and not said to have run"},
};

static const char *fault_words(const char *kind) {
        for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
                if (strcmp(faults[i].kind, kind) == 0)
                        return faults[i].words;
        return kind; /* of a later version */
}

static void print_fault(const struct view *v, const char *job, const json_t *fault, FILE *out) {
        const char *kind = reply_text_or(fault, "kind", "?");
        long long n = reply_int(fault, "count", 0), run = reply_int(fault, "runId", 0);
        int64_t first_us = reply_int(fault, "firstSlotUsec", REPLY_NO_TIME);
        int64_t last_us = reply_int(fault, "lastSlotUsec", REPLY_NO_TIME);
        long long first_key = reply_int(fault, "firstKey", 0), last_key = reply_int(fault, "lastKey", first_key);
        char first[TIMES_SIZE], last[TIMES_SIZE], id[48] = "", keys[64], text[800];

        times_exact(first_us, first);
        times_exact(last_us, last);
        if (run > 0)
                snprintf(id, sizeof(id), ", run %lld", run);
        bool is_one = strcmp(first, last) == 0;
        snprintf(keys, sizeof(keys), last_key == first_key ? "slot %lld" : "slots %lld to %lld", first_key, last_key);
        snprintf(text, sizeof(text), "%s: %s: %lld slot%s, %s%s%s: %s (plan %lld, %s%s)", job, kind, n, n == 1 ? "" : "s",
                 first, is_one ? "" : " to ", is_one ? "" : last, fault_words(kind), (long long)reply_int(fault, "segment", 0),
                 keys, id);
        fputs("  ", out);
        text_wrap(out, text, 2, 4, v->width);
}

static long long fault_count(const json_t *audit) {
        return (long long)json_array_size(json_object_get(audit, "faults")) + reply_int(audit, "faultsLeftOut", 0);
}

static long long slot_count(const json_t *audit) {
        long long n = reply_int(audit, "ran", 0);

        for (size_t k = 0; k < ARRAY_SIZE(not_ran); k++)
                n += reply_int(audit, not_ran[k], 0);
        return n;
}

static void add_audit(struct table *t, const json_t *audit) {
        static const char *const numbers[] = {"ran", "missed", "withheld", "merged", "interrupted", "open"};
        long long n_faults = fault_count(audit);

        table_row(t, n_faults > 0 ? VIEW_RED : VIEW_PLAIN);
        table_cell(t, "%s", reply_text_or(audit, "job", "?"));
        table_cell(t, "%lld", slot_count(audit));
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                long long n = reply_int(audit, numbers[i], 0);
                if (n > 0)
                        table_cell(t, "%lld", n);
                else
                        table_cell(t, "-");
        }
        table_cell(t, n_faults > 0 ? "%lld" : "none", n_faults);
}

static void print_faults(const struct view *v, const json_t *audit, FILE *out) {
        long long left_out = reply_int(audit, "faultsLeftOut", 0);
        size_t i;
        json_t *fault;

        json_array_foreach(json_object_get(audit, "faults"), i, fault) {
                print_fault(v, reply_text_or(audit, "job", "?"), fault, out);
        }
        if (left_out > 0)
                fprintf(out, "  %s: and %lld more\n", reply_text_or(audit, "job", "?"), left_out);
}

static void print_verdict(const json_t *audits, FILE *out) {
        long long n_faults = 0, n_slots = 0, trimmed = 0, unchecked = 0;
        size_t i, n_bad = 0, n = json_array_size(audits);
        json_t *audit;

        json_array_foreach(audits, i, audit) {
                n_faults += fault_count(audit);
                n_slots += slot_count(audit);
                trimmed += reply_int(audit, "trimmed", 0);
                unchecked += reply_int(audit, "unchecked", 0);
                n_bad += fault_count(audit) > 0;
        }
        if (n_faults > 0)
                fprintf(out, "%lld fault%s in %zu of %zu job%s.\n", n_faults, n_faults == 1 ? "" : "s", n_bad, n,
                        n == 1 ? "" : "s");
        else
                fprintf(out, "%zu job%s, %lld slot%s: each has one outcome.\n", n, n == 1 ? "" : "s", n_slots,
                        n_slots == 1 ? "" : "s");
        if (trimmed > 0)
                fprintf(out, "%lld older slots are no longer kept.\n", trimmed);
        if (unchecked > 0)
                fprintf(out, "%lld slots were only counted: their plans are no longer kept, or their zones have other data.\n",
                        unchecked);
}

int screen_audit(const struct view *v, const json_t *audits, FILE *out) {
        static const struct table_column columns[] = {{"JOB", false, 8},   {"SLOTS", true, 0},    {"RAN", true, 0},
                                                      {"MISSED", true, 0}, {"WITHHELD", true, 0}, {"MERGED", true, 0},
                                                      {"INTERR", true, 0}, {"OPEN", true, 0},     {"FAULTS", true, 0}};
        struct table *table;
        size_t i;
        json_t *audit;

        if (table_new(columns, ARRAY_SIZE(columns), &table) < 0)
                return -ENOMEM;
        json_array_foreach(audits, i, audit) {
                add_audit(table, audit);
        }
        int r = table_print(table, v, out);
        table_free(table);
        if (r < 0)
                return r;
        json_array_foreach(audits, i, audit) {
                print_faults(v, audit, out);
        }
        if (v->has_legend)
                print_verdict(audits, out);
        return 0;
}
