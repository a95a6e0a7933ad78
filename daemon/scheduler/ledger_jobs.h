// SPDX-License-Identifier: MIT
// ledger_jobs: what the writer remembers of the jobs whose rows it writes, so that it need not ask the file each time.
// Thrown away when a transaction fails and when it grows over its bound; then each job is read anew when it is next written.
#pragma once

#include "daemon/scheduler/index.h"
#include "daemon/scheduler/ledger.h"

#define LEDGER_JOBS_MAX 65536

enum { LEDGER_PIN_LAST, LEDGER_PIN_GOOD, LEDGER_PIN_FAILED, LEDGER_PIN_MAX };

struct ledger_entry {
        char *name;
        int64_t id;
        uint64_t pins[LEDGER_PIN_MAX],
                old_pins[LEDGER_PIN_MAX];     /* runs that stay, with their values; 0: none; and as in the file */
        uint32_t n_runs, n_slots, n_segments; /* rows; runs that were put again count more than once */
        uint32_t keep_runs;                   /* History= */
        int64_t policy;                       /* of the latest when-text; 0: not asked for yet */
        struct hash128 policy_hash;
        int64_t tail_id; /* of the latest row of slots; 0: none */
        struct ledger_range tail;
        bool is_tail_dirty;
        const uint8_t *latest; /* where the newest row of the job itself is in the transaction's batches */
        bool is_touched;       /* is in the list of this transaction */
        bool is_crowded;       /* is in the list of those that have more rows than they may */
};

struct ledger_jobs {
        struct ledger_entry *entries;
        size_t n, allocated;
        struct index by_name;
        uint32_t *touched, *crowded;
        size_t n_touched, n_crowded;
};

void ledger_jobs_done(struct ledger_jobs *j);
/* The entry of a name, or INDEX_NONE. */
uint32_t ledger_jobs_find(const struct ledger_jobs *j, const char *name);
/* A zeroed entry for a name that has none. 0, -ENOMEM. */
int ledger_jobs_add(struct ledger_jobs *j, const char *name, uint32_t *ret);
/* Puts an entry into the lists, once. */
void ledger_jobs_touch(struct ledger_jobs *j, uint32_t entry);
void ledger_jobs_crowd(struct ledger_jobs *j, uint32_t entry);
/* Hash of a text under a key of no secrecy. */
struct hash128 ledger_jobs_hash(const char *text);
