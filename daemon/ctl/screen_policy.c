// SPDX-License-Identifier: MIT
// screen_policy: what is as everywhere is left out, but for what people ask first: overlap, catch-up and retries.

#include "daemon/ctl/screen_policy.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/ctl/reply.h"
#include "daemon/ctl/screens.h"
#include "daemon/ctl/times.h"

#define ONE_PPM 1000000.0

/* A line that is made of parts, with "; " between them. */
struct parts {
        char *text;
        size_t size;
        FILE *out;
        size_t n;
};

/* Without memory there is no line. */
static void begin(struct parts *p) {
        *p = (struct parts){};
        p->out = memory_stream_open(&p->text, &p->size);
}

__attribute__((format(printf, 2, 3))) static void add(struct parts *p, const char *format, ...) {
        va_list ap;

        if (!p->out)
                return;
        fputs(p->n++ > 0 ? "; " : "", p->out);
        va_start(ap, format);
        vfprintf(p->out, format, ap);
        va_end(ap);
}

static void print(struct parts *p, const struct view *v, const char *label, FILE *out) {
        if (memory_stream_finish(p->out, &p->text) && p->n > 0)
                screen_line(v, out, label, p->text);
        free(p->text);
}

/* ---- policy ---- */

static void add_overlap(struct parts *p, const json_t *policy) {
        const char *overlap = reply_text_or(policy, "overlap", "");
        long long queue_max = reply_int(policy, "queueMax", 1);

        if (strcmp(overlap, "queue") == 0)
                add(p, "queue up to %lld slot%s if running", queue_max, queue_max == 1 ? "" : "s");
        else if (strcmp(overlap, "parallel") == 0)
                add(p, "up to %lld runs in parallel", (long long)reply_int(policy, "maxParallel", 1));
        else if (strcmp(overlap, "replace") == 0)
                add(p, "replace the run if running");
        else if (strcmp(overlap, "skip") == 0)
                add(p, "skip if running");
}

static void add_catch_up(struct parts *p, const json_t *policy) {
        const char *catch_up = reply_text_or(policy, "catchUp", "");

        if (strcmp(catch_up, "all") == 0)
                add(p, "catch up all, the latest %lld at most", (long long)reply_int(policy, "catchUpMax", 0));
        else if (strcmp(catch_up, "one") == 0)
                add(p, "catch up the latest");
        else if (strcmp(catch_up, "none") == 0)
                add(p, "no catch-up");
}

/* A span that is there and above 0, behind words. */
static void add_span(struct parts *p, const char *words, const json_t *object, const char *name) {
        char span[TIMES_SIZE];
        int64_t us = reply_int(object, name, 0);

        if (us > 0)
                add(p, "%s %s", words, times_span(us, span));
}

static void add_deadline(struct parts *p, const json_t *policy) {
        int64_t us = reply_int(policy, "startDeadlineUsec", REPLY_NO_TIME);
        char span[TIMES_SIZE];

        if (us < 0)
                add(p, "starts however late");
        else if (us == 0)
                add(p, "starts at its time or not at all");
        else if (us != REPLY_NO_TIME)
                add(p, "starts at most %s late", times_span(us, span));
}

static void add_retries(struct parts *p, const json_t *policy) {
        long long retries = reply_int(policy, "retries", 0);
        int64_t delay_us = reply_int(policy, "retryDelayUsec", 0);
        double backoff = (double)reply_int(policy, "retryBackoffPpm", 0) / ONE_PPM;
        char span[TIMES_SIZE], most[TIMES_SIZE];

        if (retries <= 0)
                add(p, "no retries");
        else if (delay_us <= 0)
                add(p, "up to %lld retr%s, at once", retries, retries == 1 ? "y" : "ies");
        else if (backoff <= 1 || retries == 1)
                add(p, "up to %lld retr%s, after %s", retries, retries == 1 ? "y" : "ies", times_span(delay_us, span));
        else
                add(p, "up to %lld retries, after %s, then each wait %g times as long, at most %s", retries,
                    times_span(delay_us, span), backoff, times_span(reply_int(policy, "retryMaxDelayUsec", 0), most));
}

static void print_policy(const struct view *v, const json_t *job, const json_t *policy, FILE *out) {
        struct parts p;
        long long stop = reply_int(policy, "stopAfterFailures", 0);

        begin(&p);
        add_overlap(&p, policy);
        add_catch_up(&p, policy);
        add_deadline(&p, policy);
        add_span(&p, "runs at most", job, "timeoutUsec");
        add_retries(&p, policy);
        if (reply_bool(policy, "isInterruptedRetried"))
                add(&p, "runs again if interrupted");
        if (stop > 0)
                add(&p, "stops after %lld failure%s", stop, stop == 1 ? "" : "s in a row");
        add_span(&p, "a good run is expected every", policy, "expectWithinUsec");
        print(&p, v, "Policy", out);
}

static void print_conditions(const struct view *v, const json_t *job, const json_t *policy, FILE *out) {
        const json_t *conditions = json_object_get(job, "conditions");
        struct parts p;
        size_t i;
        json_t *condition;

        if (!reply_bool(policy, "hasConditions"))
                return;
        begin(&p);
        json_array_foreach(conditions, i, condition) {
                add(&p, "%s", json_is_string(condition) ? json_string_value(condition) : "?");
        }
        if (!json_is_array(conditions))
                add(&p, "hidden: only who may control the job sees them");
        add_span(&p, "waits for them up to", policy, "conditionWaitUsec");
        print(&p, v, "Conditions", out);
}

/* ---- groups ---- */

/* The pool of a group, or of all jobs (NULL). */
static const json_t *find_pool(const json_t *job, const char *group) {
        size_t i;
        json_t *pool;

        json_array_foreach(json_object_get(job, "pools"), i, pool) {
                const char *name = reply_text(pool, "group");
                if (name && group ? strcmp(name, group) == 0 : !name && !group)
                        return pool;
        }
        return NULL;
}

static void add_pool(struct parts *p, const char *name, const json_t *pool) {
        long long waiting = reply_int(pool, "waiting", 0);
        char wait[48] = "";

        if (waiting > 0)
                snprintf(wait, sizeof(wait), ", %lld job%s", waiting, waiting == 1 ? " waits" : "s wait");
        add(p, "%s, %lld of %lld places taken%s", name, (long long)reply_int(pool, "running", 0),
            (long long)reply_int(pool, "maxRunning", 0), wait);
}

static void print_groups(const struct view *v, const json_t *job, const json_t *policy, FILE *out) {
        const json_t *of_all = find_pool(job, NULL);
        long long priority = reply_int(policy, "priority", 0);
        struct parts p;
        size_t i;
        json_t *group;

        begin(&p);
        json_array_foreach(json_object_get(job, "groups"), i, group) {
                const char *name = json_is_string(group) ? json_string_value(group) : "?";
                const json_t *pool = find_pool(job, name);
                if (pool)
                        add_pool(&p, name, pool);
                else
                        add(&p, "%s", name);
        }
        if (of_all)
                add_pool(&p, "all jobs", of_all);
        if (priority != 0)
                add(&p, "priority %lld", priority);
        print(&p, v, "Groups", out);
}

/* ---- chains ---- */

/* "failure, missed"; given to the caller, NULL without memory. */
static char *events_of(const json_t *tie) {
        char *text = NULL;
        size_t size, i;
        json_t *event;
        FILE *out = memory_stream_open(&text, &size);

        if (!out)
                return NULL;
        json_array_foreach(json_object_get(tie, "events"), i, event) {
                fprintf(out, "%s%s", i > 0 ? ", " : "", json_is_string(event) ? json_string_value(event) : "?");
        }
        return memory_stream_finish(out, &text);
}

/* The name of the job that mails the results, where the job at hand has one. */
static bool is_mail(const json_t *job, const char *name) {
        const char *own = reply_text_or(job, "name", "");
        size_t size = strlen(own);

        return strncmp(name, own, size) == 0 && strcmp(name + size, CONFIG_MAIL_SUFFIX) == 0;
}

static void print_ties(const struct view *v, const json_t *job, const char *label, const char *member, const char *left_out,
                       FILE *out) {
        long long more = reply_int(job, left_out, 0);
        struct parts p;
        size_t i;
        json_t *tie;

        begin(&p);
        json_array_foreach(json_object_get(job, member), i, tie) {
                const char *name = reply_text_or(tie, "job", "?");
                _cleanup_free_ char *events = events_of(tie);
                if (events && !is_mail(job, name))
                        add(&p, "%s on %s", name, events);
        }
        if (more > 0)
                add(&p, "and %lld more", more);
        print(&p, v, label, out);
}

static void print_mail(const struct view *v, const json_t *job, FILE *out) {
        struct parts p;
        size_t i;
        json_t *tie;

        begin(&p);
        json_array_foreach(json_object_get(job, "starts"), i, tie) {
                const char *name = reply_text_or(tie, "job", "?");
                _cleanup_free_ char *events = events_of(tie);
                if (events && is_mail(job, name))
                        add(&p, "on %s, by the job %s", events, name);
        }
        print(&p, v, "Mail", out);
}

void screen_policy(const struct view *v, const json_t *job, FILE *out) {
        const json_t *policy = reply_object(job, "policy");

        if (policy)
                print_policy(v, job, policy, out);
        print_conditions(v, job, policy, out);
        print_groups(v, job, policy, out);
        print_ties(v, job, "Follows", "follows", "followsLeftOut", out);
        print_ties(v, job, "Starts", "starts", "startsLeftOut", out);
        print_mail(v, job, out);
}
