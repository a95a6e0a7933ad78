// SPDX-License-Identifier: MIT
// ledger_jobs: a table that only grows until it is thrown away, and two lists into it that have room for every entry.

#include "daemon/scheduler/ledger_jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t hash_key[16]; /* names come from root's files: nobody makes them collide */

struct hash128 ledger_jobs_hash(const char *text) {
        return hash_128(hash_key, text, strlen(text));
}

static uint64_t hash_of(const void *table, uint32_t row) {
        const struct ledger_jobs *j = table;
        return hash_64(hash_key, j->entries[row].name, strlen(j->entries[row].name));
}

static bool is_equal(const void *table, uint32_t row, const void *wanted) {
        const struct ledger_jobs *j = table;
        return strcmp(j->entries[row].name, wanted) == 0;
}

void ledger_jobs_done(struct ledger_jobs *j) {
        for (size_t k = 0; k < j->n; k++)
                free(j->entries[k].name);
        free(j->entries);
        free(j->touched);
        free(j->crowded);
        index_done(&j->by_name);
        *j = (struct ledger_jobs){0};
}

uint32_t ledger_jobs_find(const struct ledger_jobs *j, const char *name) {
        return index_find(&j->by_name, hash_64(hash_key, name, strlen(name)), is_equal, j, name);
}

static int resize(void **list, size_t n, size_t size) {
        void *bigger = reallocarray(*list, n, size);
        if (!bigger)
                return -ENOMEM;
        *list = bigger;
        return 0;
}

static int grow(struct ledger_jobs *j) {
        size_t n = j->allocated + j->allocated / 2 + 16;
        int r = resize((void **)&j->entries, n, sizeof(*j->entries));
        if (r >= 0)
                r = resize((void **)&j->touched, n, sizeof(*j->touched));
        if (r >= 0)
                r = resize((void **)&j->crowded, n, sizeof(*j->crowded));
        if (r >= 0)
                j->allocated = n;
        return r;
}

int ledger_jobs_add(struct ledger_jobs *j, const char *name, uint32_t *ret) {
        int r = j->n < j->allocated ? 0 : grow(j);
        if (r < 0)
                return r;
        j->entries[j->n] = (struct ledger_entry){.name = strdup(name)};
        if (!j->entries[j->n].name)
                return -ENOMEM;
        r = index_add(&j->by_name, hash_64(hash_key, name, strlen(name)), (uint32_t)j->n, hash_of, j);
        if (r < 0) {
                free(j->entries[j->n].name);
                return r;
        }
        *ret = (uint32_t)j->n++;
        return 0;
}

void ledger_jobs_touch(struct ledger_jobs *j, uint32_t entry) {
        if (j->entries[entry].is_touched)
                return;
        j->entries[entry].is_touched = true;
        j->touched[j->n_touched++] = entry;
}

void ledger_jobs_crowd(struct ledger_jobs *j, uint32_t entry) {
        if (j->entries[entry].is_crowded)
                return;
        j->entries[entry].is_crowded = true;
        j->crowded[j->n_crowded++] = entry;
}
