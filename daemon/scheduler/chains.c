// SPDX-License-Identifier: MIT
// chains: jobs that follow others. What a job's hooks are to hear is gathered while an event is handled, and reaches them when that is done:
// so nothing of a job changes under the hands of another, and the end and what follows from it are written together.

#include "daemon/scheduler/engine_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIT(event) (1U << (event))

/* What the kinds of ties listen to. */
static const uint32_t tie_events[TIE_KIND_MAX] = {
        [TIE_ON_SUCCESS] = BIT(RUN_EVENT_SUCCESS),
        [TIE_ON_FAILURE] = BIT(RUN_EVENT_FAILURE),
        [TIE_ON_END] = BIT(RUN_EVENT_END),
        [TIE_ON_RECOVERY] = BIT(RUN_EVENT_RECOVERY),
        [TIE_ON_MISSED] = BIT(RUN_EVENT_MISSED) | BIT(RUN_EVENT_OVERDUE),
        [TIE_ON_FINISHED] = BIT(RUN_EVENT_FINISHED),
        [TIE_ON_SUCCESS_OF] = BIT(RUN_EVENT_SUCCESS),
        [TIE_ON_FAILURE_OF] = BIT(RUN_EVENT_FAILURE),
        [TIE_ON_END_OF] = BIT(RUN_EVENT_END),
};

void chains_done(struct engine *e) {
        free(e->chains.edges);
        free(e->chains.news);
        free(e->chains.served);
        e->chains = (struct chains){0};
}

static int reserve(void **list, size_t n, size_t *allocated, size_t size) {
        if (n < *allocated)
                return 0;
        void *p = realloc(*list, (*allocated * 2 + 16) * size);
        if (!p)
                return -ENOMEM;
        *list = p;
        *allocated = *allocated * 2 + 16;
        return 0;
}

/* ---- who follows whom ---- */

/* What the commit at hand makes of it: defined, and not to be removed. */
static bool is_defined(const struct job_row *row) {
        return row->state != JOB_STATE_FREE && !row->is_removing && (row->state != JOB_STATE_REMOVED || row->is_touched);
}

static const struct ties *ties_of(const struct engine *e, const struct job_row *row) {
        return is_defined(row) && row->when != INDEX_NONE ? registry_when(&e->jobs, row->when)->ties : NULL;
}

static bool is_affected(const struct engine *e) {
        if (e->chains.has_ties || !e->chains.has_commit)
                return true;
        for (size_t i = 0; i < e->n_touched; i++)
                if (ties_of(e, &e->jobs.rows[e->touched[i]]))
                        return true;
        return false;
}

static int add_edges(struct engine *e, uint32_t job, struct edge **edges, size_t *n, size_t *allocated) {
        const struct ties *ties = ties_of(e, engine_row(e, job));
        int r = 0;
        for (size_t i = 0; r == 0 && ties && i < ties->n; i++) {
                enum tie_kind kind = ties->list[i].kind;
                e->chains.has_ties = e->chains.has_ties || tie_events[kind];
                uint32_t other = tie_events[kind] ? registry_find(&e->jobs, ties->list[i].name) : INDEX_NONE;
                if (other == INDEX_NONE || !is_defined(engine_row(e, other)))
                        continue;
                bool is_of = kind >= TIE_ON_SUCCESS_OF;
                void *list = *edges;
                r = reserve(&list, *n, allocated, sizeof(**edges));
                *edges = list;
                if (r == 0)
                        (*edges)[(*n)++] =
                                (struct edge){.from = is_of ? other : job, .to = is_of ? job : other, .tag = tie_events[kind]};
        }
        return r;
}

/* Old definitions that stay in force beside new ones may make a circle that no reader has seen. */
static void drop_closing(void *userdata, const uint32_t *circle, size_t n) {
        struct edge *edges = userdata;
        edges[circle[n - 1]].tag = 0;
}

/* Sorted, each pair once, without circles. Returns how many are left, or -ENOMEM. */
static int64_t settle_edges(struct edge *edges, size_t n, size_t n_rows) {
        size_t n_pairs = 0, n_left = 0;
        if (n == 0)
                return 0;
        qsort(edges, n, sizeof(*edges), edge_compare);
        for (size_t i = 0; i < n; i++) {
                if (n_pairs > 0 && edges[n_pairs - 1].from == edges[i].from && edges[n_pairs - 1].to == edges[i].to)
                        edges[n_pairs - 1].tag |= edges[i].tag;
                else
                        edges[n_pairs++] = edges[i];
        }
        int r = edges_find_circles(edges, n_pairs, (uint32_t)n_rows, drop_closing, edges);
        for (size_t i = 0; r == 0 && i < n_pairs; i++)
                if (edges[i].tag)
                        edges[n_left++] = edges[i];
        return r < 0 ? r : (int64_t)n_left;
}

static void mark_rows(struct engine *e, bool is_tied) {
        for (size_t i = 0; i < e->chains.n_edges; i++) {
                engine_row(e, e->chains.edges[i].from)->is_parent = is_tied;
                engine_row(e, e->chains.edges[i].to)->is_child = is_tied;
        }
}

void chains_commit(struct engine *e) {
        struct edge *edges = NULL;
        size_t n = 0, allocated = 0;
        int r = 0;
        if (!is_affected(e))
                return;
        e->chains.has_ties = false;
        for (uint32_t job = 0; r == 0 && job < e->jobs.n_rows; job++)
                r = add_edges(e, job, &edges, &n, &allocated);
        int64_t n_left = r == 0 ? settle_edges(edges, n, e->jobs.n_rows) : r;
        e->chains.has_commit = true;
        if (n_left < 0) {
                e->has_failed = true;
                free(edges);
                return;
        }
        mark_rows(e, false);
        free(e->chains.edges);
        e->chains.edges = edges;
        e->chains.n_edges = (size_t)n_left;
        mark_rows(e, true);
}

/* The first edge of a parent or one behind it. */
static size_t first_child(const struct chains *c, uint32_t parent) {
        size_t first = 0, end = c->n_edges;
        while (first < end) {
                size_t middle = first + (end - first) / 2;
                if (c->edges[middle].from < parent)
                        first = middle + 1;
                else
                        end = middle;
        }
        return first;
}

uint32_t engine_walk_parents(const struct engine *e, uint32_t job, size_t *at, uint32_t *ret_events) {
        const struct chains *c = &e->chains;
        for (size_t i = *at; e->jobs.rows[job].is_child && i < c->n_edges; i++)
                if (c->edges[i].to == job) {
                        *at = i + 1;
                        *ret_events = c->edges[i].tag;
                        return c->edges[i].from;
                }
        return INDEX_NONE;
}

uint32_t engine_walk_children(const struct engine *e, uint32_t job, size_t *at, uint32_t *ret_events) {
        const struct chains *c = &e->chains;
        size_t i = first_child(c, job) + *at;
        if (!e->jobs.rows[job].is_parent || i >= c->n_edges || c->edges[i].from != job)
                return INDEX_NONE;
        ++*at;
        *ret_events = c->edges[i].tag;
        return c->edges[i].to;
}

/* ---- what they hear ---- */

static void add_news(struct engine *e, struct clock_sample now, uint32_t job, uint32_t events, int64_t at_bt_us, bool may_recur,
                     const struct run_parent *parent) {
        struct chains *c = &e->chains;
        void *news = c->news;
        int r = reserve(&news, c->n_news, &c->allocated_news, sizeof(*c->news));
        c->news = news;
        if (r < 0) {
                e->has_failed = true;
                return;
        }
        struct chain_news *added = &c->news[c->n_news++];
        *added = (struct chain_news){
                .now = now, .at_bt_us = at_bt_us, .job = job, .events = events, .may_recur = may_recur, .parent = *parent};
        snprintf(added->parent.job, sizeof(added->parent.job), "%s", registry_name(&e->jobs, engine_row(e, job)));
}

/* Before the first commit it is not known who listens; only runs have ended by then. */
static bool is_heard(const struct engine *e, uint32_t job) {
        return e->jobs.rows[job].is_parent || !e->chains.has_commit;
}

/* A slot or a trigger has come to its end. */
static void add_end(struct engine *e, struct clock_sample now, uint32_t job, uint32_t events, int64_t at_bt_us, bool may_recur,
                    const struct run_parent *parent) {
        if (is_heard(e, job))
                add_news(e, now, job, events | BIT(RUN_EVENT_END), at_bt_us, may_recur, parent);
}

void chains_ended(struct engine *e, struct clock_sample now, uint32_t job, const struct run_end *end, int64_t end_bt_us) {
        if (!is_heard(e, job))
                return;
        const struct job_cold *cold = registry_cold(&e->jobs, engine_row(e, job));
        bool is_good = run_result_is_good(end->result) && end->result != RUN_RESULT_SKIPPED;
        struct run_parent parent = {
                .result = end->result,
                .exit_code = end->exit_code,
                .signal = end->signal,
                .attempt = cold->run.attempt,
                .run = cold->run.run,
                .slot_rt_us = cold->run.slot_rt_us,
        };
        if (is_good)
                add_end(e, now, job, BIT(RUN_EVENT_SUCCESS) | (cold->n_failed > 0 ? BIT(RUN_EVENT_RECOVERY) : 0), end_bt_us,
                        false, &parent);
        else if (run_result_is_failure(end->result))
                add_end(e, now, job, BIT(RUN_EVENT_FAILURE), end_bt_us, false, &parent);
}

void chains_given_up(struct engine *e, struct clock_sample now, uint32_t job, const struct job_retry *retry) {
        add_end(e, now, job, BIT(RUN_EVENT_FAILURE), now.bt_us, true,
                &(struct run_parent){
                        .result = retry->result,
                        .exit_code = retry->exit_code,
                        .signal = retry->signal,
                        .attempt = (uint16_t)(retry->is_short ? retry->attempt : retry->attempt - 1),
                        .run = retry->run,
                        .slot_rt_us = retry->slot_rt_us,
                });
}

void chains_event(struct engine *e, struct clock_sample now, uint32_t job, enum run_event event) {
        if (is_heard(e, job))
                add_news(e, now, job, BIT(event), now.bt_us, true, &(struct run_parent){.exit_code = -1});
}

void chains_missed(struct engine *e, uint32_t job, const struct action *a) {
        if (a->outcome.outcome != SLOT_MISSED || a->outcome.is_again || !engine_row(e, job)->is_parent)
                return;
        struct run_parent parent = {.exit_code = -1, .slot_rt_us = a->outcome.last_rt_us, .missed = a->outcome.n};
        snprintf(parent.reason, sizeof(parent.reason), "%s", slot_reason_to_string(a->outcome.reason));
        add_news(e, e->now, job, BIT(RUN_EVENT_MISSED), e->now.bt_us, true, &parent);
}

int chains_note_served(struct engine *e, uint32_t child, const struct run_parent *parent) {
        struct chains *c = &e->chains;
        if (parent->run == 0)
                return 0;
        void *served = c->served;
        int r = reserve(&served, c->n_served, &c->allocated_served, sizeof(*c->served));
        c->served = served;
        if (r == 0)
                c->served[c->n_served++] = (struct chain_served){.child = child, .run = parent->run};
        return r;
}

static bool is_served(const struct chains *c, uint32_t child, uint64_t run) {
        for (size_t i = 0; run > 0 && i < c->n_served; i++)
                if (c->served[i].child == child && c->served[i].run == run)
                        return true;
        return false;
}

static int tell(struct engine *e, const struct chain_news *news) {
        const struct chains *c = &e->chains;
        int r = 0;
        for (size_t i = first_child(c, news->job); r == 0 && i < c->n_edges && c->edges[i].from == news->job; i++) {
                uint32_t events = c->edges[i].tag & news->events, child = c->edges[i].to;
                if (!events || is_served(c, child, news->parent.run))
                        continue;
                struct run_parent parent = news->parent;
                parent.event = (enum run_event)__builtin_ctz(events);
                r = due_chain(e, news->now, child, &parent, news->at_bt_us, news->may_recur);
        }
        return r;
}

bool chains_tell(struct engine *e) {
        struct chains *c = &e->chains;
        bool is_any = c->n_news > 0;
        for (size_t i = 0; i < c->n_news; i++) { /* what becomes of a child may be news, too: there are no circles */
                struct chain_news news = c->news[i];
                if (tell(e, &news) < 0)
                        e->has_failed = true;
        }
        free(c->news);
        free(c->served);
        c->news = NULL;
        c->served = NULL;
        c->n_news = c->allocated_news = c->n_served = c->allocated_served = 0;
        return is_any;
}
