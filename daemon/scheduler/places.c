// SPDX-License-Identifier: MIT
// places: whoever wants the same pools waits in one heap, so that a place that becomes free costs one look at the head of each: thousands
// may wait for the one place. A head that is the first in all its pools keeps free places from the others, which want fewer pools and
// would else always be before it; one that is not yet keeps none, so that no pool stands idle for somebody whose turn is far off.

#include "daemon/scheduler/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void places_done(struct places *p) {
        for (size_t i = 0; i < p->n_queues; i++)
                free(p->queues[i].heap);
        free(p->queues);
        free(p->waiters);
        free(p->pools);
        *p = (struct places){0};
}

int places_reserve(struct places *p, uint32_t n) {
        if (n <= p->n_pools)
                return 0;
        struct places_pool *pools = realloc(p->pools, n * sizeof(*pools));
        if (!pools)
                return -ENOMEM;
        memset(pools + p->n_pools, 0, (n - p->n_pools) * sizeof(*pools));
        p->pools = pools;
        p->n_pools = n;
        return 0;
}

void places_take(struct places *p, const uint32_t *pools, size_t n) {
        for (size_t i = 0; i < n; i++)
                p->pools[pools[i]].n_taken++;
}

void places_give(struct places *p, const uint32_t *pools, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (p->pools[pools[i]].n_taken > 0)
                        p->pools[pools[i]].n_taken--;
}

static uint32_t n_free(const struct places_pool *pool) {
        if (pool->max == 0)
                return UINT32_MAX;
        return pool->n_taken < pool->max ? pool->max - pool->n_taken : 0;
}

static bool wants(const struct places_queue *queue, uint32_t pool) {
        for (size_t i = 0; i < queue->n_pools; i++)
                if (queue->pools[i] == pool)
                        return true;
        return false;
}

static bool wants_any(const struct places_queue *queue, const uint32_t *pools, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (wants(queue, pools[i]))
                        return true;
        return false;
}

bool places_are_free(const struct places *p, const uint32_t *pools, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (n_free(&p->pools[pools[i]]) == 0)
                        return false;
        for (size_t i = 0; i < p->n_queues && p->n_waiting > 0; i++)
                if (p->queues[i].n > 0 && wants_any(&p->queues[i], pools, n))
                        return false;
        return true;
}

/* ---- the heaps ---- */

static bool is_before(const struct places *p, uint32_t a, uint32_t b) {
        const struct places_waiter *x = &p->waiters[a], *y = &p->waiters[b];
        if (x->priority != y->priority)
                return x->priority > y->priority;
        return x->since_us != y->since_us ? x->since_us < y->since_us : x->number < y->number;
}

static void put(struct places *p, struct places_queue *queue, size_t at, uint32_t waiter) {
        queue->heap[at] = waiter;
        p->waiters[waiter].position = (uint32_t)at;
}

static void sift_up(struct places *p, struct places_queue *queue, size_t at, uint32_t waiter) {
        for (; at > 0 && is_before(p, waiter, queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
                put(p, queue, at, queue->heap[(at - 1) / 2]);
        put(p, queue, at, waiter);
}

static void sift_down(struct places *p, struct places_queue *queue, size_t at, uint32_t waiter) {
        for (size_t child; (child = 2 * at + 1) < queue->n; at = child) {
                child += child + 1 < queue->n && is_before(p, queue->heap[child + 1], queue->heap[child]);
                if (!is_before(p, queue->heap[child], waiter))
                        break;
                put(p, queue, at, queue->heap[child]);
        }
        put(p, queue, at, waiter);
}

static void heap_remove(struct places *p, uint32_t waiter) {
        struct places_queue *queue = &p->queues[p->waiters[waiter].queue];
        size_t at = p->waiters[waiter].position;
        uint32_t last = queue->heap[--queue->n];
        p->n_waiting--;
        if (last == waiter)
                return;
        if (at > 0 && is_before(p, last, queue->heap[(at - 1) / 2]))
                sift_up(p, queue, at, last);
        else
                sift_down(p, queue, at, last);
}

/* ---- waiters ---- */

/* The queue of those pools; an empty one, or one more, where there is none. INDEX_NONE: no memory. */
static uint32_t find_queue(struct places *p, const uint32_t *pools, size_t n) {
        uint32_t empty = INDEX_NONE;
        for (uint32_t i = 0; i < p->n_queues; i++) {
                const struct places_queue *queue = &p->queues[i];
                if (queue->n == 0)
                        empty = i;
                else if (queue->n_pools == n && memcmp(queue->pools, pools, n * sizeof(*pools)) == 0)
                        return i;
        }
        if (empty == INDEX_NONE) {
                struct places_queue *queues = realloc(p->queues, (p->n_queues + 1) * sizeof(*queues));
                if (!queues)
                        return INDEX_NONE;
                p->queues = queues;
                empty = (uint32_t)p->n_queues++;
                p->queues[empty] = (struct places_queue){0};
        }
        memcpy(p->queues[empty].pools, pools, n * sizeof(*pools));
        p->queues[empty].n_pools = (uint32_t)n;
        return empty;
}

static int enqueue(struct places *p, uint32_t waiter, const uint32_t *pools, size_t n) {
        uint32_t number = find_queue(p, pools, n);
        if (number == INDEX_NONE)
                return -ENOMEM;
        struct places_queue *queue = &p->queues[number];
        if (queue->n == queue->allocated) {
                size_t allocated = queue->allocated * 2 + 8;
                uint32_t *heap = realloc(queue->heap, allocated * sizeof(*heap));
                if (!heap)
                        return -ENOMEM;
                queue->heap = heap;
                queue->allocated = allocated;
        }
        p->waiters[waiter].queue = number;
        sift_up(p, queue, queue->n++, waiter);
        p->n_waiting++;
        return 0;
}

/* A number that nobody has, or INDEX_NONE. Those that were given back are in a row, by their positions. */
static uint32_t new_waiter(struct places *p) {
        if (p->free_waiter > 0) {
                uint32_t waiter = p->free_waiter - 1;
                p->free_waiter = p->waiters[waiter].position;
                return waiter;
        }
        if (p->n_waiters == p->allocated_waiters) {
                size_t n = p->allocated_waiters * 2 + 16;
                struct places_waiter *waiters = realloc(p->waiters, n * sizeof(*waiters));
                if (!waiters)
                        return INDEX_NONE;
                p->waiters = waiters;
                p->allocated_waiters = n;
        }
        return (uint32_t)p->n_waiters++;
}

static void free_waiter(struct places *p, uint32_t waiter) {
        p->n_used--;
        p->waiters[waiter] = (struct places_waiter){.job = INDEX_NONE, .position = p->free_waiter};
        p->free_waiter = waiter + 1;
}

int places_wait(struct places *p, uint32_t job, const uint32_t *pools, size_t n, int32_t priority, int64_t since_us,
                uint32_t *ret) {
        uint32_t waiter = new_waiter(p);
        if (waiter == INDEX_NONE)
                return -ENOMEM;
        p->waiters[waiter] = (struct places_waiter){
                .job = job,
                .priority = priority,
                .since_us = since_us,
                .number = p->n_arrived++,
        };
        p->n_used++;
        int r = enqueue(p, waiter, pools, n);
        if (r < 0) {
                free_waiter(p, waiter);
                return r;
        }
        *ret = waiter;
        return 0;
}

void places_leave(struct places *p, uint32_t waiter) {
        if (!p->waiters[waiter].is_granted)
                heap_remove(p, waiter);
        free_waiter(p, waiter);
}

int places_move(struct places *p, uint32_t waiter, const uint32_t *pools, size_t n, int32_t priority) {
        if (!p->waiters[waiter].is_granted)
                heap_remove(p, waiter);
        p->waiters[waiter].is_granted = false;
        p->waiters[waiter].priority = priority;
        return enqueue(p, waiter, pools, n);
}

/* ---- whose turn it is ---- */

/* Finds the first of all that want a pool, for each, and who is that in all of its own. */
static void rank(struct places *p) {
        for (uint32_t i = 0; i < p->n_queues; i++)
                for (size_t k = 0; p->queues[i].n > 0 && k < p->queues[i].n_pools; k++)
                        p->pools[p->queues[i].pools[k]].first = INDEX_NONE;
        for (uint32_t i = 0; i < p->n_queues; i++)
                for (size_t k = 0; p->queues[i].n > 0 && k < p->queues[i].n_pools; k++) {
                        uint32_t *first = &p->pools[p->queues[i].pools[k]].first;
                        if (*first == INDEX_NONE || is_before(p, p->queues[i].heap[0], p->queues[*first].heap[0]))
                                *first = i;
                }
        for (uint32_t i = 0; i < p->n_queues; i++) {
                struct places_queue *queue = &p->queues[i];
                queue->is_first = queue->n > 0;
                for (size_t k = 0; queue->is_first && k < queue->n_pools; k++)
                        queue->is_first = p->pools[queue->pools[k]].first == i;
        }
}

static bool can_start(const struct places *p, uint32_t number) {
        const struct places_queue *queue = &p->queues[number];
        for (size_t k = 0; k < queue->n_pools; k++) {
                const struct places_pool *pool = &p->pools[queue->pools[k]];
                bool is_kept = pool->first != number && p->queues[pool->first].is_first;
                if (n_free(pool) < 1U + is_kept)
                        return false;
        }
        return true;
}

uint32_t places_grant(struct places *p) {
        uint32_t best = INDEX_NONE;
        if (p->n_waiting == 0)
                return INDEX_NONE;
        rank(p);
        for (uint32_t i = 0; i < p->n_queues; i++)
                if (p->queues[i].n > 0 && can_start(p, i) &&
                    (best == INDEX_NONE || is_before(p, p->queues[i].heap[0], p->queues[best].heap[0])))
                        best = i;
        if (best == INDEX_NONE)
                return INDEX_NONE;
        uint32_t waiter = p->queues[best].heap[0];
        places_take(p, p->queues[best].pools, p->queues[best].n_pools);
        heap_remove(p, waiter);
        p->waiters[waiter].is_granted = true;
        return waiter;
}

/* ---- what is asked ---- */

size_t places_count_before(const struct places *p, uint32_t waiter) {
        const struct places_queue *own = &p->queues[p->waiters[waiter].queue];
        size_t n = 0;
        for (size_t i = 0; i < p->n_queues; i++) {
                const struct places_queue *queue = &p->queues[i];
                for (size_t k = 0; k < queue->n && wants_any(own, queue->pools, queue->n_pools); k++)
                        n += is_before(p, queue->heap[k], waiter);
        }
        return n;
}

size_t places_count_waiting(const struct places *p, uint32_t pool) {
        size_t n = 0;
        for (size_t i = 0; i < p->n_queues; i++)
                if (p->queues[i].n > 0 && wants(&p->queues[i], pool))
                        n += p->queues[i].n;
        return n;
}
