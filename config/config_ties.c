// SPDX-License-Identifier: MIT
// config_ties: the jobs that others name in OnSuccess= and its kin. An edge leads from a parent to the job that follows it, whichever of the two
// names the other.

#include "config/config_ties.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/acyclic.h"
#include "config/job_draft.h"
#include "config/nearest.h"

#define PATH_SHOWN   8   /* jobs of a circle that are told */
#define CIRCLES_TOLD 100 /* circles whose jobs are all refused; of more, those that close them */

struct resolver {
        struct declared *list;
        size_t n;
        bool may_be_unread;
        struct diags *diags;
        struct job_mentions told; /* of [defaults], not to be told again for the next job */
        struct edge *edges;       /* nodes are places in the list; the tag is the one that names the other */
        size_t n_edges, allocated;
        size_t n_circles;
};

static int compare_name(const void *name, const void *declared) {
        return strcmp(name, ((const struct declared *)declared)->name);
}

static const struct declared *find(const struct resolver *v, const char *name) {
        return bsearch(name, v->list, v->n, sizeof(*v->list), compare_name);
}

/* A hook that is defined beside the defaults that name it is not its own hook. */
static void drop_own_defaults(struct job *job) {
        struct job_mentions *ties = &job->ties;
        bool is_named = false;
        size_t n = 0;

        for (size_t i = 0; i < ties->n; i++)
                is_named = is_named || (ties->list[i].is_default && strcmp(ties->list[i].name, job->name) == 0);
        for (size_t i = 0; is_named && i < ties->n; i++) {
                struct job_mention m = ties->list[i];
                if (!m.is_default) {
                        ties->list[n++] = m;
                        continue;
                }
                free(m.name);
                free(m.file);
        }
        ties->n = is_named ? n : ties->n;
}

static int tell_unknown(struct resolver *v, struct job_mention *m) {
        struct nearest nearest = nearest_begin(m->name);
        int r = mention_tell_once(m, &v->told);

        if (r <= 0)
                return r;
        for (size_t i = 0; i < v->n; i++)
                nearest_offer(&nearest, v->list[i].name);
        if (nearest.found)
                diags_add(v->diags, v->may_be_unread, m->file, m->line, m->column, "there is no job %s; did you mean %s?",
                          m->name, nearest.found);
        else
                diags_add(v->diags, v->may_be_unread, m->file, m->line, m->column, "there is no job %s%s", m->name,
                          v->may_be_unread ? " in the files that could be read" : "");
        return 0;
}

static int add_edge(struct resolver *v, uint32_t owner, uint32_t other, enum tie_kind kind) {
        bool is_of = kind >= TIE_ON_SUCCESS_OF;

        if (v->n_edges == v->allocated) {
                size_t wanted = v->allocated > 0 ? 2 * v->allocated : 64;
                struct edge *grown = reallocarray(v->edges, wanted, sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                v->edges = grown;
                v->allocated = wanted;
        }
        v->edges[v->n_edges++] = (struct edge){.from = is_of ? other : owner, .to = is_of ? owner : other, .tag = owner};
        return 0;
}

static int look_up(struct resolver *v, struct declared *d) {
        int r = 0;

        drop_own_defaults(d->job);
        for (size_t i = 0; r == 0 && i < d->job->ties.n; i++) {
                struct job_mention *m = &d->job->ties.list[i];
                if (m->kind == TIE_MEMBER)
                        continue;
                const struct declared *other = find(v, m->name);
                if (other)
                        r = add_edge(v, (uint32_t)(d - v->list), (uint32_t)(other - v->list), (enum tie_kind)m->kind);
                else {
                        d->is_refused = d->is_refused || !v->may_be_unread;
                        r = tell_unknown(v, m);
                }
        }
        return r;
}

/* Where a job names another. */
static const struct job_mention *mention_of(const struct resolver *v, const struct edge *edge) {
        const struct job_mentions *ties = &v->list[edge->tag].job->ties;
        uint32_t other = edge->tag == edge->from ? edge->to : edge->from;
        size_t i = 0;

        while (ties->list[i].kind == TIE_MEMBER || strcmp(ties->list[i].name, v->list[other].name) != 0)
                i++;
        return &ties->list[i];
}

static void on_circle(void *userdata, const uint32_t *circle, size_t n) {
        struct resolver *v = userdata;
        char path[(PATH_SHOWN + 1) * (JOB_NAME_MAX + sizeof(" -> ")) + sizeof("... -> ")];
        const struct edge *closing = &v->edges[circle[n - 1]];
        const struct job_mention *m = mention_of(v, closing);
        size_t size = 0;

        v->list[closing->tag].is_refused = true;
        if (v->n_circles++ >= CIRCLES_TOLD)
                return;
        for (size_t i = 0; i < n; i++) {
                v->list[v->edges[circle[i]].tag].is_refused = true;
                if (i < PATH_SHOWN)
                        size += (size_t)snprintf(path + size, sizeof(path) - size, "%s -> ",
                                                 v->list[v->edges[circle[i]].from].name);
        }
        diags_add(v->diags, false, m->file, m->line, m->column, "jobs can't follow themselves: %s%s%s", path,
                  n > PATH_SHOWN ? "... -> " : "", v->list[closing->to].name);
}

static int resolve(struct resolver *v, struct agendas *agendas) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < v->n; i++)
                if (v->list[i].job && v->list[i].job->ties.n > 0)
                        r = look_up(v, &v->list[i]);
        if (v->n_edges > 0)
                qsort(v->edges, v->n_edges, sizeof(*v->edges), edge_compare);
        if (r == 0 && v->n_edges > 0)
                r = edges_find_circles(v->edges, v->n_edges, (uint32_t)v->n, on_circle, v);
        for (size_t i = 0; r == 0 && i < v->n; i++)
                if (v->list[i].job && !v->list[i].is_refused)
                        r = job_compile_ties(v->list[i].job, agendas);
        return r;
}

int config_ties_resolve(struct declared *list, size_t n, bool may_be_unread, struct agendas *agendas, struct diags *diags) {
        struct resolver v = {.list = list, .n = n, .may_be_unread = may_be_unread, .diags = diags};
        int r = resolve(&v, agendas);

        mentions_done(&v.told);
        free(v.edges);
        return r;
}
