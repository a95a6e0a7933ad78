// SPDX-License-Identifier: MIT
// registry: rows never move, so a number stays good; texts are compacted when half of them is garbage.

#include "daemon/scheduler/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t index_key[16] = "chimed registry";

void registry_init(struct registry *g) {
        *g = (struct registry){.free_row = INDEX_NONE, .free_policy = INDEX_NONE, .free_cold = INDEX_NONE};
}

/* What it owns. */
static void cold_done(struct job_cold *cold) {
        free(cold->line);
        cold->line = NULL;
        free(cold->condition);
        cold->condition = NULL;
}

void registry_done(struct registry *g) {
        free(g->rows);
        free(g->texts);
        for (size_t i = 0; i < g->n_policies; i++)
                if (g->policies[i].uses > 0)
                        job_when_done(&g->policies[i].when);
        free(g->policies);
        for (size_t i = 0; i < g->n_colds; i++)
                cold_done(&g->colds[i]);
        free(g->colds);
        index_done(&g->by_name);
        index_done(&g->by_policy);
        registry_init(g);
}

/* Room for one more element, growing by a quarter: a doubling would cost a large table half of its memory. */
static int reserve(void **array, size_t *allocated, size_t needed, size_t element) {
        if (needed <= *allocated)
                return 0;
        size_t n = *allocated + *allocated / 4 + 16;
        if (n < needed)
                n = needed;
        void *p = realloc(*array, n * element);
        if (!p)
                return -ENOMEM;
        *array = p;
        *allocated = n;
        return 0;
}

const char *registry_name(const struct registry *g, const struct job_row *row) {
        return g->texts + row->name;
}

const char *registry_description(const struct registry *g, const struct job_row *row) {
        const char *name = registry_name(g, row);
        return name + strlen(name) + 1;
}

const char *registry_accepted(const struct registry *g, const struct job_row *row) {
        const char *description = registry_description(g, row);
        return description + strlen(description) + 1;
}

/* Bytes of a row's texts: name, description, and what parameters it accepts. */
static size_t text_size(const struct registry *g, const struct job_row *row) {
        const char *last = registry_accepted(g, row);
        return (size_t)(last - registry_name(g, row)) + strlen(last) + 1;
}

static uint64_t name_hash(const void *table, uint32_t row) {
        const struct registry *g = table;
        const char *name = registry_name(g, &g->rows[row]);
        return hash_64(index_key, name, strlen(name));
}

static bool name_equal(const void *table, uint32_t row, const void *wanted) {
        const struct registry *g = table;
        return strcmp(registry_name(g, &g->rows[row]), wanted) == 0;
}

uint32_t registry_find(const struct registry *g, const char *name) {
        return index_find(&g->by_name, hash_64(index_key, name, strlen(name)), name_equal, g, name);
}

static void texts_compact(struct registry *g) {
        char *to = malloc(g->texts_size - g->texts_garbage + 1);
        if (!to)
                return; /* another time */
        size_t size = 0;
        for (size_t i = 0; i < g->n_rows; i++) {
                if (g->rows[i].state == JOB_STATE_FREE)
                        continue;
                size_t n = text_size(g, &g->rows[i]);
                memcpy(to + size, registry_name(g, &g->rows[i]), n);
                g->rows[i].name = (uint32_t)size;
                size += n;
        }
        free(g->texts);
        g->texts = to;
        g->texts_size = size;
        g->texts_allocated = g->texts_size + 1;
        g->texts_garbage = 0;
}

/* The texts may move: none may lie among them. */
static int text_add(struct registry *g, const char *name, const char *description, const char *accepted, uint32_t *ret_offset) {
        size_t n = strlen(name) + 1, n_both = n + strlen(description) + 1, size = n_both + strlen(accepted) + 1;
        if (g->texts_size + size > UINT32_MAX)
                return -ENOSPC;
        void *texts = g->texts;
        int r = reserve(&texts, &g->texts_allocated, g->texts_size + size, 1);
        g->texts = texts;
        if (r < 0)
                return r;
        memcpy(g->texts + g->texts_size, name, n);
        memcpy(g->texts + g->texts_size + n, description, n_both - n);
        memcpy(g->texts + g->texts_size + n_both, accepted, size - n_both);
        *ret_offset = (uint32_t)g->texts_size;
        g->texts_size += size;
        return 0;
}

int registry_add(struct registry *g, const char *name, uint32_t *ret_row) {
        void *rows = g->rows;
        int r = reserve(&rows, &g->allocated_rows, g->n_rows + 1, sizeof(*g->rows));
        g->rows = rows;
        if (r < 0)
                return r;

        uint32_t text;
        r = text_add(g, name, "", "", &text);
        if (r < 0)
                return r;

        bool is_reused = g->free_row != INDEX_NONE;
        uint32_t row = is_reused ? g->free_row : (uint32_t)g->n_rows;
        uint32_t next_free = is_reused ? g->rows[row].name : INDEX_NONE;
        g->rows[row] = (struct job_row){.name = text, .when = INDEX_NONE, .was = INDEX_NONE, .state = JOB_STATE_NEW};
        r = index_add(&g->by_name, hash_64(index_key, name, strlen(name)), row, name_hash, g);
        if (r < 0) {
                g->texts_size = text;
                g->rows[row] = (struct job_row){.name = next_free};
                return r;
        }
        if (is_reused)
                g->free_row = next_free;
        else
                g->n_rows++;
        g->n_jobs++;
        *ret_row = row;
        return 0;
}

static void texts_waste(struct registry *g, size_t size) {
        g->texts_garbage += size;
        if (g->texts_garbage > 4096 && g->texts_garbage > g->texts_size / 2)
                texts_compact(g);
}

int registry_describe(struct registry *g, uint32_t row, const char *description, const char *accepted) {
        struct job_row *j = &g->rows[row];
        char name[JOB_NAME_MAX + 1];
        uint32_t text;
        if (!description)
                description = "";
        if (!accepted)
                accepted = "";
        if (strcmp(registry_description(g, j), description) == 0 && strcmp(registry_accepted(g, j), accepted) == 0)
                return 0;
        size_t size = text_size(g, j);
        memcpy(name, registry_name(g, j), strlen(registry_name(g, j)) + 1);
        int r = text_add(g, name, description, accepted, &text);
        if (r < 0)
                return r;
        j->name = text;
        texts_waste(g, size);
        return 0;
}

void registry_drop(struct registry *g, uint32_t row) {
        struct job_row *j = &g->rows[row];
        index_remove(&g->by_name, name_hash(g, row), row, name_hash, g);
        registry_release(g, j->when);
        registry_release(g, j->was);
        if (j->cold) {
                if (g->colds[j->cold - 1].defined)
                        registry_release(g, g->colds[j->cold - 1].defined - 1);
                cold_done(&g->colds[j->cold - 1]);
                g->colds[j->cold - 1].end_bt_us = g->free_cold;
                g->free_cold = j->cold - 1;
        }
        size_t size = text_size(g, j);
        *j = (struct job_row){.state = JOB_STATE_FREE, .name = g->free_row};
        g->free_row = row;
        g->n_jobs--;
        texts_waste(g, size);
}

static uint64_t policy_hash(const void *table, uint32_t policy) {
        const struct registry *g = table;
        return hash_64(index_key, &g->policies[policy].when, sizeof(struct job_when));
}

static bool policy_equal(const void *table, uint32_t policy, const void *wanted) {
        const struct registry *g = table;
        return memcmp(&g->policies[policy].when, wanted, sizeof(struct job_when)) == 0;
}

int registry_intern(struct registry *g, const struct job_when *when, uint32_t *ret_policy) {
        uint64_t hash = hash_64(index_key, when, sizeof(*when));
        uint32_t found = index_find(&g->by_policy, hash, policy_equal, g, when);
        if (found != INDEX_NONE) {
                g->policies[found].uses++;
                *ret_policy = found;
                return 0;
        }
        void *policies = g->policies;
        int r = reserve(&policies, &g->allocated_policies, g->n_policies + 1, sizeof(*g->policies));
        g->policies = policies;
        if (r < 0)
                return r;
        bool is_reused = g->free_policy != INDEX_NONE;
        uint32_t policy = is_reused ? g->free_policy : (uint32_t)g->n_policies;
        uint32_t next_free = is_reused ? g->policies[policy].next_free : INDEX_NONE;
        g->policies[policy] = (struct registry_policy){.when = *when, .next_free = next_free};
        r = index_add(&g->by_policy, hash, policy, policy_hash, g);
        if (r < 0)
                return r;
        if (when->agenda)
                agenda_ref(when->agenda);
        if (when->days)
                days_ref(when->days);
        if (when->ties)
                ties_ref(when->ties);
        g->policies[policy].uses = 1;
        if (is_reused)
                g->free_policy = next_free;
        else
                g->n_policies++;
        *ret_policy = policy;
        return 0;
}

void registry_release(struct registry *g, uint32_t policy) {
        if (policy == INDEX_NONE || --g->policies[policy].uses > 0)
                return;
        index_remove(&g->by_policy, policy_hash(g, policy), policy, policy_hash, g);
        job_when_done(&g->policies[policy].when);
        g->policies[policy].next_free = g->free_policy;
        g->free_policy = policy;
}

struct job_cold *registry_warm(struct registry *g, struct job_row *row) {
        if (row->cold)
                return &g->colds[row->cold - 1];
        if (g->free_cold != INDEX_NONE) {
                uint32_t cold = g->free_cold;
                g->free_cold = (uint32_t)g->colds[cold].end_bt_us;
                row->cold = cold + 1;
        } else {
                void *colds = g->colds;
                int r = reserve(&colds, &g->allocated_colds, g->n_colds + 1, sizeof(*g->colds));
                g->colds = colds;
                if (r < 0)
                        return NULL;
                row->cold = (uint32_t)++g->n_colds;
        }
        g->colds[row->cold - 1] = (struct job_cold){0};
        return &g->colds[row->cold - 1];
}
