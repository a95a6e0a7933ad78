// SPDX-License-Identifier: MIT
// job_catch_up: the keys about slots that passed while nothing could run, and about what the ledger keeps of a job.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define CATCH_UP_RATE_FIRST USEC_PER_HOUR /* grids below don't catch up where nothing else is said */

static const char *const catch_up_names[] = {
        [JOB_CATCH_UP_NONE] = "none", [JOB_CATCH_UP_ONE] = "one", [JOB_CATCH_UP_ALL] = "all", NULL};
static const char *const durability_names[] = {
        [JOB_DURABILITY_AUTO] = "auto", [JOB_DURABILITY_FULL] = "full", [JOB_DURABILITY_NORMAL] = "normal", NULL};

int parse_catch_up(struct job_draft *d, const struct job_setting *s) {
        int r = draft_choice(d, s, catch_up_names, &d->job->when.catch_up);

        if (r == 0)
                d->job->when.is_catch_up_set = true;
        return r;
}

int parse_catch_up_max(struct job_draft *d, const struct job_setting *s) {
        return draft_count(d, s, 1, JOB_CATCH_UP_MAX, &d->job->when.catch_up_max);
}

int parse_catch_up_spread(struct job_draft *d, const struct job_setting *s) {
        return draft_span(d, s, false, &d->job->when.catch_up_spread_us);
}

int parse_retry_interrupted(struct job_draft *d, const struct job_setting *s) {
        bool is_wanted;
        int r = draft_boolean(d, s, &is_wanted);

        if (r == 0)
                d->job->when.is_interrupted_retried = is_wanted;
        return r;
}

int parse_durability(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, durability_names, &d->job->when.durability);
}

/* One half of History=: a bare number is of runs, a span is an age. */
static int parse_history_word(struct job_draft *d, const struct job_setting *s, const struct job_word *word, bool *has_runs,
                              bool *has_age) {
        struct job_when *when = &d->job->when;
        bool is_runs = draft_is_number(word->text), *has = is_runs ? has_runs : has_age;
        const char *why;
        int64_t us;
        int32_t runs;

        if (*has)
                return draft_error(d, s, word->offset, "a second %s; write a number of runs, a span without blanks, or both",
                                   is_runs ? "number of runs" : "span");
        *has = true;
        if (is_runs) {
                int r = draft_integer(d, s, word->text, word->offset, 1, JOB_HISTORY_RUNS_MAX, &runs);
                if (r == 0)
                        when->history_runs = (uint32_t)runs;
                return r;
        }
        if (duration_parse(word->text, &us, &why) < 0)
                return draft_error(d, s, word->offset, "\"%.40s\" is neither a number of runs nor a span: %s", word->text, why);
        if (us == 0)
                return draft_error(d, s, word->offset, "an age of 0 would keep nothing");
        when->history_us = us;
        return 0;
}

int parse_history(struct job_draft *d, const struct job_setting *s) {
        struct job_word *words;
        size_t n;
        bool has_runs = false, has_age = false;
        int r = draft_split(d, s, &words, &n);

        if (r)
                return r;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = parse_history_word(d, s, &words[i], &has_runs, &has_age);
        words_free(words, n);
        return r;
}

void job_when_default_catch_up(struct job_when *when) {
        bool is_fast = when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE && when->every_us < CATCH_UP_RATE_FIRST;

        if (!when->is_catch_up_set)
                when->catch_up = is_fast ? JOB_CATCH_UP_NONE : JOB_CATCH_UP_ONE;
}

/* A delay that is over is due once, and nothing else comes more than once. */
static bool check_all(struct job_draft *d) {
        struct job_when *when = &d->job->when;

        if (when->catch_up != JOB_CATCH_UP_ALL)
                return true;
        int r = draft_check_mode(d, KEY_CATCH_UP, JOB_MODE_FIXED_RATE, "; a delay that is over is due once");
        if (r == 0)
                return true;
        when->is_catch_up_set = false;
        return r < 2;
}

bool draft_finish_catch_up(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        bool is_good = check_all(d);

        job_when_default_catch_up(when);
        if (when->catch_up != JOB_CATCH_UP_ALL && d->set[KEY_CATCH_UP_MAX]) {
                when->catch_up_max = JOB_CATCH_UP_MAX_DEFAULT;
                if (is_good && !d->set[KEY_CATCH_UP_MAX]->is_default)
                        draft_warn(d, d->set[KEY_CATCH_UP_MAX], 0, "CatchUpMax= means nothing without CatchUp=all");
        }
        const struct job_setting *spread = d->set[KEY_CATCH_UP_SPREAD];
        if (spread && when->catch_up == JOB_CATCH_UP_NONE && when->catch_up_spread_us > 0 && !spread->is_default)
                draft_warn(d, spread, 0, "CatchUpSpread= means nothing: the job does not catch up");
        return is_good;
}

bool print_catch_up(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->is_catch_up_set && print_text(catch_up_names[when->catch_up], buf);
}

bool print_catch_up_max(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->catch_up_max, JOB_CATCH_UP_MAX_DEFAULT, buf);
}

bool print_catch_up_spread(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->catch_up_spread_us, 0, buf);
}

bool print_retry_interrupted(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->is_interrupted_retried && print_text("yes", buf);
}

bool print_durability(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->durability != JOB_DURABILITY_AUTO && print_text(durability_names[when->durability], buf);
}

bool print_history(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        char span[JOB_VALUE_MAX / 2];
        size_t used = 0;

        if (when->history_runs != JOB_HISTORY_RUNS_DEFAULT)
                used = (size_t)snprintf(buf, JOB_VALUE_MAX, "%u", when->history_runs);
        if (when->history_us == JOB_HISTORY_DEFAULT_US)
                return used > 0;
        duration_print(when->history_us, span);
        if (used > 0)
                buf[used++] = ' ';
        for (const char *from = span; *from; from++) /* one word */
                if (*from != ' ')
                        buf[used++] = *from;
        buf[used] = 0;
        return true;
}
