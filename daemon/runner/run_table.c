// SPDX-License-Identifier: MIT
// run_table: the runs that the scheduler has not acknowledged yet.
// Numbers only grow, so the buckets fill evenly. Deadlines are a binary heap with room for every run.

#include "daemon/runner/run_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core/util.h"
#include "daemon/runner/unit.h"

_Static_assert(RUN_TABLE_MAX <= UINT16_MAX, "a definition counts its runs in 16 bits");

void run_table_init(struct run_table *t) {
        *t = (struct run_table){.numbers.next = 1};
}

static void stream_done(struct output_stream *stream) {
        stream->source = loop_source_free(stream->source);
        stream->fd = util_close(stream->fd);
        free(stream->partial);
}

static void drop_output(struct run *run) {
        free((void *)run->start.parent_output);
        run->start.parent_output = NULL;
        run->start.parent_output_size = 0;
}

static struct run *run_free(struct run *run) {
        run->pidfd_source = loop_source_free(run->pidfd_source);
        run->pidfd = util_close(run->pidfd);
        stream_done(&run->streams[0]);
        stream_done(&run->streams[1]);
        run_host_free(run->host);
        output_tail_done(&run->tail);
        drop_output(run);
        free((void *)run->start.parameters);
        free(run);
        return NULL;
}

static struct run *run_new(void) {
        struct run *run = calloc(1, sizeof(*run));

        if (!run)
                return NULL;
        run->pidfd = -1;
        for (int i = 0; i < 2; i++)
                run->streams[i] = (struct output_stream){.fd = -1, .number = (uint8_t)(i + 1), .run = run};
        run->deadline_bt_us = run->due_bt_us = LOOP_NEVER;
        return run;
}

void run_table_done(struct run_table *t) {
        for (size_t i = 0; i < RUN_TABLE_BUCKETS; i++)
                while (t->buckets[i]) {
                        struct run *run = t->buckets[i];
                        t->buckets[i] = run->next;
                        run_free(run);
                }
        free(t->heap);
        run_numbers_done(&t->numbers);
        run_table_init(t);
}

static struct run **bucket_of(const struct run_table *t, uint64_t number) {
        return (struct run **)&t->buckets[number % RUN_TABLE_BUCKETS];
}

/* Takes the run, but not on failure. */
static int run_table_insert(struct run_table *t, struct run *run) {
        struct run **bucket = bucket_of(t, run->start.run);

        if (t->n == t->allocated_heap) {
                size_t allocated = t->allocated_heap ? 2 * t->allocated_heap : 64;
                struct run **heap = reallocarray(t->heap, allocated, sizeof(*heap));
                if (!heap)
                        return -ENOMEM;
                t->heap = heap;
                t->allocated_heap = allocated;
        }
        run->next = *bucket;
        *bucket = run;
        t->n++;
        t->n_in_flight++;
        if (run->start.run >= t->numbers.next)
                t->numbers.next = run->start.run + 1;
        return 0;
}

/* A copy of the bytes; none for none. 0, -ENOMEM. */
static int keep(const void *data, size_t size, const void **ret) {
        void *copy = size > 0 ? malloc(size) : NULL;

        if (size > 0 && !copy)
                return -ENOMEM;
        *ret = size > 0 ? memcpy(copy, data, size) : NULL;
        return 0;
}

void run_table_drop_parameters(struct run_table *t, struct run *run) {
        t->parameters_size -= run->start.parameters_size;
        free((void *)run->start.parameters);
        run->start.parameters = NULL;
        run->start.parameters_size = 0;
}

int run_table_add(struct run_table *t, const struct wire_start *start, const char *name, struct run **ret) {
        struct run *run = run_new();

        if (!run)
                return -ENOMEM;
        run->start = *start;
        run->start.parent_output = run->start.parameters = NULL;
        strncpy(run->name, name, JOB_NAME_MAX);
        /* what the parent put out is kept until the run has ended */
        if (keep(start->parent_output, start->parent_output_size, &run->start.parent_output) < 0 ||
            keep(start->parameters, start->parameters_size, &run->start.parameters) < 0 || run_table_insert(t, run) < 0) {
                run_free(run);
                return -ENOMEM;
        }
        t->parameters_size += run->start.parameters_size;
        *ret = run;
        return 0;
}

struct run *run_table_find(const struct run_table *t, uint64_t number) {
        struct run *run = *bucket_of(t, number);

        while (run && run->start.run != number)
                run = run->next;
        return run;
}

struct run *run_table_walk(const struct run_table *t, const struct run *after) {
        size_t i = 0;

        if (after) {
                if (after->next)
                        return after->next;
                i = after->start.run % RUN_TABLE_BUCKETS + 1;
        }
        while (i < RUN_TABLE_BUCKETS && !t->buckets[i])
                i++;
        return i < RUN_TABLE_BUCKETS ? t->buckets[i] : NULL;
}

static void unlink_ended(struct run_table *t, struct run *run) {
        if (run->previous_ended)
                run->previous_ended->next_ended = run->next_ended;
        else if (t->oldest_ended == run)
                t->oldest_ended = run->next_ended;
        if (run->next_ended)
                run->next_ended->previous_ended = run->previous_ended;
        else if (t->newest_ended == run)
                t->newest_ended = run->previous_ended;
        run->next_ended = run->previous_ended = NULL;
}

void run_table_remove(struct run_table *t, struct run *run) {
        struct run **at = bucket_of(t, run->start.run);

        while (*at != run)
                at = &(*at)->next;
        *at = run->next;
        run_table_set_due(t, run, LOOP_NEVER);
        unlink_ended(t, run);
        t->tails_size -= run->tail.allocated;
        t->parameters_size -= run->start.parameters_size;
        t->n_in_flight -= run->phase != RUN_PHASE_ENDED;
        t->n--;
        run_free(run);
}

void run_table_end(struct run_table *t, struct run *run) {
        if (run->phase == RUN_PHASE_ENDED)
                return;
        run->phase = RUN_PHASE_ENDED;
        drop_output(run);
        run_table_set_due(t, run, LOOP_NEVER);
        t->n_in_flight--;
        run->previous_ended = t->newest_ended;
        if (t->newest_ended)
                t->newest_ended->next_ended = run;
        else
                t->oldest_ended = run;
        t->newest_ended = run;
}

static void drop_oldest_tails(struct run_table *t) {
        struct run *run = t->oldest_ended;

        while (run && t->tails_size > RUN_TABLE_TAILS_MAX) {
                struct run *next = run->next_ended;
                t->n_tails_dropped += run->tail.size > 0;
                t->tails_size -= run->tail.allocated;
                output_tail_done(&run->tail);
                unlink_ended(t, run);
                run = next;
        }
}

void run_table_add_tail(struct run_table *t, struct run *run, const void *data, size_t size) {
        size_t before = run->tail.allocated;
        size_t least = run->is_unit && before < UNIT_LINE_MAX ? UNIT_LINE_MAX : before; /* its result is read from there */

        if (t->tails_size > RUN_TABLE_TAILS_MAX && least < run->tail.limit) {
                /* those that run hold it all: what this one has does not grow */
                run->tail.limit = least;
                t->n_tails_dropped++;
        }
        output_tail_add(&run->tail, data, size);
        t->tails_size += run->tail.allocated - before;
        if (t->tails_size > RUN_TABLE_TAILS_MAX)
                drop_oldest_tails(t);
}

/* The heap: parents are due no later than their children; heap_index counts from 1. */
static void heap_place(struct run_table *t, struct run *run, size_t index) {
        t->heap[index - 1] = run;
        run->heap_index = index;
}

static void heap_up(struct run_table *t, struct run *run, size_t index) {
        while (index > 1 && t->heap[index / 2 - 1]->due_bt_us > run->due_bt_us) {
                heap_place(t, t->heap[index / 2 - 1], index);
                index /= 2;
        }
        heap_place(t, run, index);
}

static void heap_down(struct run_table *t, struct run *run, size_t index) {
        for (;;) {
                size_t child = 2 * index;
                if (child > t->n_heap)
                        break;
                if (child < t->n_heap && t->heap[child]->due_bt_us < t->heap[child - 1]->due_bt_us)
                        child++;
                if (t->heap[child - 1]->due_bt_us >= run->due_bt_us)
                        break;
                heap_place(t, t->heap[child - 1], index);
                index = child;
        }
        heap_place(t, run, index);
}

static void heap_remove(struct run_table *t, struct run *run) {
        size_t index = run->heap_index;
        struct run *last = t->heap[--t->n_heap];

        run->heap_index = 0;
        if (last == run)
                return;
        heap_up(t, last, index);
        heap_down(t, last, last->heap_index);
}

void run_table_set_due(struct run_table *t, struct run *run, int64_t due_bt_us) {
        if (run->due_bt_us == due_bt_us)
                return;
        if (run->heap_index > 0)
                heap_remove(t, run);
        run->due_bt_us = due_bt_us;
        if (due_bt_us != LOOP_NEVER)
                heap_up(t, run, ++t->n_heap);
}

struct run *run_table_first_due(const struct run_table *t) {
        return t->n_heap > 0 ? t->heap[0] : NULL;
}
