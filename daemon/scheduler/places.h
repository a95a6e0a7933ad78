// SPDX-License-Identifier: MIT
// places: pools with a limit of runs, and who waits for a place in them. A run takes one place in each of its pools, all at once.
// Pure. Pools are named by small numbers, which the caller gives.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/index.h"

#define PLACES_POOLS_MAX 65 /* pools of one job: its groups, and the one of all */

struct places_pool {
        uint32_t max;     /* runs at the same time; 0: no limit */
        uint32_t n_taken; /* may be above the limit: runs of before */
        uint32_t first;   /* while places are granted: the queue whose head is the first of all that want this pool */
};

/* Those who want the same pools, in one heap: the first of them speaks for all. */
struct places_queue {
        uint32_t pools[PLACES_POOLS_MAX]; /* ascending */
        uint32_t n_pools;
        uint32_t *heap; /* of numbers of waiters */
        size_t n, allocated;
        bool is_first; /* while places are granted: its head is the first in each of its pools */
};

struct places_waiter {
        uint32_t job; /* INDEX_NONE: not in use */
        int32_t priority;
        int64_t since_us;
        uint64_t number; /* who came first in the same microsecond */
        uint32_t queue;
        uint32_t position; /* in its heap; not in use: the next such number + 1 */
        bool is_granted;   /* the places are its own, and are counted as taken; it is in no heap */
};

/* Zero-initialise. */
struct places {
        struct places_pool *pools;
        size_t n_pools;
        struct places_queue *queues; /* some empty, to be used again */
        size_t n_queues;
        struct places_waiter *waiters;
        size_t n_waiters, allocated_waiters;
        uint32_t free_waiter; /* number + 1 of one that was given back; 0: none */
        size_t n_waiting;     /* in heaps */
        size_t n_used;        /* these, and those who were granted their places */
        uint64_t n_arrived;
};

void places_done(struct places *p);
/* Pools below n may be named; new ones have no limit. 0, -ENOMEM. */
int places_reserve(struct places *p, uint32_t n);
/* A run takes one place in each pool, whether there is one or not, and gives them back. */
void places_take(struct places *p, const uint32_t *pools, size_t n);
void places_give(struct places *p, const uint32_t *pools, size_t n);
/* True if there is a place in each pool, and nobody waits for one of them: who comes now need not queue. */
bool places_are_free(const struct places *p, const uint32_t *pools, size_t n);
/* A job waits for a place in each of the pools (ascending, PLACES_POOLS_MAX at most), behind those of a higher priority, and those of the
 * same that have waited for longer. *ret is its number. 0, -ENOMEM. */
int places_wait(struct places *p, uint32_t job, const uint32_t *pools, size_t n, int32_t priority, int64_t since_us,
                uint32_t *ret);
/* It does not wait any more; places that were granted go to its run, or are given back by places_give(). */
void places_leave(struct places *p, uint32_t waiter);
/* Grants the next waiter its places: the first one, by priority and arrival, for whom there is one in each of its pools. One that is the first in
 * all its pools keeps a place in each of them from those behind it, until it has them all. Returns its number, INDEX_NONE: there is none. */
uint32_t places_grant(struct places *p);
/* One that waits is of other pools and another priority now; since when it waits stays. One that has been granted places waits for them
 * again; it is for the caller to count them as free. 0, -ENOMEM. */
int places_move(struct places *p, uint32_t waiter, const uint32_t *pools, size_t n, int32_t priority);
/* How many that want one of its pools go before one that waits. It takes as long as there are waiters. */
size_t places_count_before(const struct places *p, uint32_t waiter);
/* How many wait for a place in a pool. */
size_t places_count_waiting(const struct places *p, uint32_t pool);
