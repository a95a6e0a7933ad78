// SPDX-License-Identifier: MIT
// ticks: a table by run and two lists. Numbers of runs come in sequence, so they are their own hash. At any rate of ticks memory is
// taken from those that were forgotten last.

#include "daemon/host/ticks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPARE_MAX  4096
#define SPARE_SIZE 72 /* bytes of a record without parameters: only such memory is kept */
#define SLOTS_MIN  64

static struct tick **find_place(const struct ticks *ticks, uint64_t run) {
        struct tick **place = &ticks->slots[run & (ticks->n_slots - 1)];

        while (*place && (*place)->run != run)
                place = &(*place)->next_of_slot;
        return place;
}

struct tick *ticks_find(const struct ticks *ticks, uint64_t run) {
        return ticks->n_slots > 0 ? *find_place(ticks, run) : NULL;
}

static int make_slots(struct ticks *ticks) {
        size_t n_old = ticks->n_slots;
        struct tick **old = ticks->slots;

        if (ticks->n < n_old)
                return 0;
        struct tick **slots = calloc(n_old ? n_old * 2 : SLOTS_MIN, sizeof(struct tick *));
        if (!slots)
                return n_old ? 0 : -ENOMEM;
        ticks->slots = slots;
        ticks->n_slots = n_old ? n_old * 2 : SLOTS_MIN;
        for (size_t i = 0; i < n_old; i++)
                for (struct tick *tick = old[i], *next; tick; tick = next) {
                        struct tick **place = &slots[tick->run & (ticks->n_slots - 1)];
                        next = tick->next_of_slot;
                        tick->next_of_slot = *place;
                        *place = tick;
                }
        free(old);
        return 0;
}

/* Memory for a tick, zeroed but for the record. */
static struct tick *take_memory(struct ticks *ticks, size_t record_size) {
        struct tick *tick = ticks->spare;

        if (record_size > SPARE_SIZE || !tick)
                tick = malloc(sizeof(*tick) + (record_size > SPARE_SIZE ? record_size : SPARE_SIZE));
        else {
                ticks->spare = tick->next;
                ticks->n_spare--;
        }
        if (tick)
                *tick = (struct tick){.record_size = (uint32_t)record_size};
        return tick;
}

static void give_memory(struct ticks *ticks, struct tick *tick) {
        if (tick->record_size > SPARE_SIZE || ticks->n_spare == SPARE_MAX) {
                free(tick);
                return;
        }
        tick->next = ticks->spare;
        ticks->spare = tick;
        ticks->n_spare++;
}

static void list_append(struct tick **first, struct tick **last, struct tick *tick) {
        tick->next = NULL;
        tick->previous = *last;
        if (*last)
                (*last)->next = tick;
        else
                *first = tick;
        *last = tick;
}

static void list_remove(struct tick **first, struct tick **last, struct tick *tick) {
        if (tick->previous)
                tick->previous->next = tick->next;
        else
                *first = tick->next;
        if (tick->next)
                tick->next->previous = tick->previous;
        else
                *last = tick->previous;
}

struct tick_run tick_read(const struct tick *tick) {
        struct tick_run run = {};

        (void)tick_get_run(tick->record, tick->record_size, &run); /* it was read before */
        return run;
}

int ticks_add(struct ticks *ticks, struct tick_run *run, const void *record, size_t size, struct tick **ret) {
        if (ticks->n_open >= TICKS_OPEN_MAX)
                return -ENOSPC;
        int r = make_slots(ticks);
        if (r < 0)
                return r;
        struct tick **place = find_place(ticks, run->start.run);
        if (*place)
                return 1;
        struct tick *tick = take_memory(ticks, size);
        if (!tick)
                return -ENOMEM;
        tick->run = run->start.run;
        tick->handle = run->handle;
        memcpy(tick->record, record, size);
        if (run->parameters)
                run->parameters = tick->record + (size - run->parameters_size);
        *place = tick;
        ticks->n++;
        ticks->n_open++;
        list_append(&ticks->open_first, &ticks->open_last, tick);
        *ret = tick;
        return 0;
}

static size_t weight(const struct tick *tick) {
        return sizeof(*tick) + tick->record_size + tick->answer.value_size;
}

static void drop_value(struct ticks *ticks, struct tick *tick) {
        ticks->bytes -= tick->answer.value_size;
        free((void *)tick->answer.value);
        tick->answer.value = NULL;
        tick->answer.value_size = 0;
}

static void forget_first(struct ticks *ticks) {
        struct tick *tick = ticks->answered_first;
        struct tick **place = find_place(ticks, tick->run);

        if (ticks->valued == tick)
                ticks->valued = tick->next;
        list_remove(&ticks->answered_first, &ticks->answered_last, tick);
        *place = tick->next_of_slot;
        drop_value(ticks, tick);
        ticks->bytes -= weight(tick);
        ticks->n--;
        ticks->n_forgotten++;
        give_memory(ticks, tick);
}

/* The oldest values go first, then the oldest answers. */
static void keep_bound(struct ticks *ticks) {
        /* the last one is kept whole: it was not even sent yet */
        while (ticks->bytes > TICKS_BYTES_MAX && ticks->valued && ticks->valued != ticks->answered_last) {
                drop_value(ticks, ticks->valued);
                ticks->valued = ticks->valued->next;
        }
        while (ticks->bytes > TICKS_BYTES_MAX && ticks->n_forgotten < ticks->n_sent)
                forget_first(ticks);
}

void ticks_answer(struct ticks *ticks, struct tick *tick, const struct tick_answer *answer) {
        list_remove(&ticks->open_first, &ticks->open_last, tick);
        ticks->n_open--;
        list_append(&ticks->answered_first, &ticks->answered_last, tick);
        tick->job = NULL;
        void *value = answer->value_size > 0 ? malloc(answer->value_size) : NULL;
        if (value)
                memcpy(value, answer->value, answer->value_size);
        tick->answer = *answer;
        tick->answer.value = value;
        tick->answer.value_size = value ? answer->value_size : 0;
        if (!ticks->valued)
                ticks->valued = tick;
        ticks->bytes += weight(tick);
        ticks->n_answered++;
        keep_bound(ticks);
}

void ticks_acknowledge(struct ticks *ticks, uint64_t number) {
        while (ticks->n_forgotten < number && ticks->n_forgotten < ticks->n_sent)
                forget_first(ticks);
}

static void free_list(struct tick *tick) {
        while (tick) {
                struct tick *next = tick->next;
                free((void *)tick->answer.value);
                free(tick);
                tick = next;
        }
}

void ticks_done(struct ticks *ticks) {
        free_list(ticks->open_first);
        free_list(ticks->answered_first);
        for (struct tick *tick = ticks->spare, *next; tick; tick = next) {
                next = tick->next;
                free(tick);
        }
        free(ticks->slots);
        *ticks = (struct ticks){};
}
