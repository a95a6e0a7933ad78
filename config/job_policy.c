// SPDX-License-Identifier: MIT
// job_policy: the keys about runs that would overlap, attempts after failures, jobs that go on failing, and who is first.

#include "config/job_draft.h"

#define MAX_PARALLEL_DEFAULT 2
#define RETRY_BACKOFF_MAX    100
#define STOP_FAILURES_MAX    1000000

static const char *const overlap_names[] = {[JOB_OVERLAP_SKIP] = "skip",
                                            [JOB_OVERLAP_QUEUE] = "queue",
                                            [JOB_OVERLAP_REPLACE] = "replace",
                                            [JOB_OVERLAP_PARALLEL] = "parallel",
                                            NULL};

int parse_overlap(struct job_draft *d, const struct job_setting *s) {
        return draft_choice(d, s, overlap_names, &d->job->when.overlap);
}

int parse_queue_max(struct job_draft *d, const struct job_setting *s) {
        return draft_count(d, s, 1, JOB_QUEUE_MAX, &d->job->when.queue_max);
}

int parse_max_parallel(struct job_draft *d, const struct job_setting *s) {
        return draft_count(d, s, 2, JOB_PARALLEL_MAX, &d->job->when.max_parallel);
}

int parse_retries(struct job_draft *d, const struct job_setting *s) {
        return draft_count(d, s, 0, JOB_RETRIES_MAX, &d->job->when.retries);
}

int parse_retry_delay(struct job_draft *d, const struct job_setting *s) {
        return draft_span(d, s, false, &d->job->when.retry_delay_us);
}

int parse_retry_backoff(struct job_draft *d, const struct job_setting *s) {
        return draft_factor(d, s, RETRY_BACKOFF_MAX, &d->job->when.retry_backoff_ppm);
}

int parse_retry_max_delay(struct job_draft *d, const struct job_setting *s) {
        return draft_span(d, s, false, &d->job->when.retry_max_delay_us);
}

int parse_stop_after_failures(struct job_draft *d, const struct job_setting *s) {
        return draft_count(d, s, 1, STOP_FAILURES_MAX, &d->job->when.stop_after_failures);
}

int parse_expect_within(struct job_draft *d, const struct job_setting *s) {
        int64_t within_us;
        int r = draft_span(d, s, false, &within_us);

        if (r)
                return r;
        if (within_us == 0)
                return draft_error(d, s, 0, "within 0 no run can be expected");
        d->job->when.expect_within_us = within_us;
        return 0;
}

int parse_priority(struct job_draft *d, const struct job_setting *s) {
        return draft_integer(d, s, s->value, 0, -JOB_PRIORITY_MAX, JOB_PRIORITY_MAX, &d->job->when.priority);
}

/* True if a key is set that means nothing without another one, which is not there (told). */
static bool is_in_vain(struct job_draft *d, enum job_key_index key, bool is_other_there, const char *other) {
        const struct job_setting *s = d->set[key];

        if (!s || is_other_there)
                return false;
        draft_warn(d, s, 0, "%s= means nothing without %s", s->key, other);
        return true;
}

/* A fixed delay counts from the end of any run, so its slots overlap nothing; others of the job may. */
static bool has_fixed_delay_only(const struct job_draft *d) {
        const struct job_when *when = &d->job->when;

        return when->every_us > 0 && when->mode == JOB_MODE_FIXED_DELAY && !draft_has_calendar(d) && when->on_boot_us < 0 &&
               !when->is_on_wake && !d->set[KEY_ON_SUCCESS_OF] && !d->set[KEY_ON_FAILURE_OF] && !d->set[KEY_ON_END_OF];
}

static void finish_overlap(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        bool is_parallel = when->overlap == JOB_OVERLAP_PARALLEL;

        if (is_in_vain(d, KEY_QUEUE_MAX, when->overlap == JOB_OVERLAP_QUEUE, "Overlap=queue"))
                when->queue_max = 1;
        if (is_in_vain(d, KEY_MAX_PARALLEL, is_parallel, "Overlap=parallel"))
                when->max_parallel = 1;
        else if (is_parallel && !d->set[KEY_MAX_PARALLEL])
                when->max_parallel = MAX_PARALLEL_DEFAULT;
        if (is_parallel && has_fixed_delay_only(d))
                draft_warn(d, d->set[KEY_OVERLAP], 0,
                           "Overlap=parallel means nothing with Mode=fixed-delay, whose runs never overlap");
}

/* Where RetryMaxDelay= is not set it never shortens RetryDelay=. */
static int64_t retry_max_delay_default(const struct job_when *when) {
        return when->retry_delay_us > JOB_RETRY_MAX_DELAY ? when->retry_delay_us : JOB_RETRY_MAX_DELAY;
}

static void finish_retries(struct job_draft *d) {
        struct job_when *when = &d->job->when;
        bool is_retried = when->retries > 0, is_growing;
        const struct job_setting *max_delay = d->set[KEY_RETRY_MAX_DELAY];

        if (is_in_vain(d, KEY_RETRY_DELAY, is_retried, "Retries="))
                when->retry_delay_us = JOB_RETRY_DELAY_DEFAULT;
        if (is_in_vain(d, KEY_RETRY_BACKOFF, is_retried, "Retries="))
                when->retry_backoff_ppm = JOB_BACKOFF_ONE_PPM;
        is_growing = is_retried && when->retry_backoff_ppm > JOB_BACKOFF_ONE_PPM;
        if (!max_delay || is_in_vain(d, KEY_RETRY_MAX_DELAY, is_growing, is_retried ? "RetryBackoff=" : "Retries="))
                when->retry_max_delay_us = retry_max_delay_default(when);
        else if (when->retry_max_delay_us < when->retry_delay_us)
                draft_warn(d, max_delay, 0, "RetryMaxDelay= is shorter than RetryDelay=: each wait is as long as it");
        bool is_grid = when->every_us > 0 && when->mode == JOB_MODE_FIXED_RATE;
        if (is_retried && is_grid && when->retry_delay_us >= when->every_us && when->retry_max_delay_us >= when->every_us)
                draft_warn(
                        d, d->set[KEY_RETRIES], 0,
                        "Retries= means nothing: RetryDelay= is as long as Every=, and no attempt comes after the next slot");
}

void draft_finish_policy(struct job_draft *d) {
        const struct job_when *when = &d->job->when;

        finish_overlap(d);
        finish_retries(d);
        if (when->expect_within_us > 0 && when->expect_within_us < when->every_us)
                draft_warn(d, d->set[KEY_EXPECT_WITHIN], 0,
                           "ExpectWithin= is shorter than Every=: the job would be overdue before each run");
}

bool print_overlap(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return when->overlap != JOB_OVERLAP_SKIP && print_text(overlap_names[when->overlap], buf);
}

bool print_queue_max(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->queue_max, 1, buf);
}

bool print_max_parallel(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->max_parallel, when->overlap == JOB_OVERLAP_PARALLEL ? MAX_PARALLEL_DEFAULT : 1, buf);
}

bool print_retries(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->retries, 0, buf);
}

bool print_retry_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->retry_delay_us, JOB_RETRY_DELAY_DEFAULT, buf);
}

bool print_retry_backoff(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        if (when->retry_backoff_ppm == JOB_BACKOFF_ONE_PPM)
                return false;
        print_decimal(when->retry_backoff_ppm, PPM_PER_ONE, buf);
        return true;
}

bool print_retry_max_delay(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->retry_max_delay_us, retry_max_delay_default(when), buf);
}

bool print_stop_after_failures(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->stop_after_failures, 0, buf);
}

bool print_expect_within(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_span(when->expect_within_us, 0, buf);
}

bool print_priority(const struct job_when *when, char buf[static JOB_VALUE_MAX]) {
        return print_number(when->priority, 0, buf);
}
