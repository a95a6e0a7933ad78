// SPDX-License-Identifier: MIT
// ticks: what a host knows of ticks: those to be answered, and the answers that no scheduler has acknowledged yet.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/core/tick.h"

#define TICKS_OPEN_MAX  (256 * 1024)       /* ticks that wait or are under way */
#define TICKS_BYTES_MAX (32 * 1024 * 1024) /* of what is answered */

struct chimed_job;

struct tick {
        struct tick *next_of_slot;    /* in the table */
        struct tick *previous, *next; /* in the list of the open ones, or of the answered ones */
        struct tick *next_waiting;    /* of its job, or of those without */
        struct chimed_job *job;       /* NULL: its definition is not there, or it is answered */
        uint64_t run;
        uint32_t handle;
        uint32_t told;             /* the resync that has told it last */
        int64_t begin_bt_us;       /* 0: it has not begun; without a job when it came */
        enum run_result wish;      /* of a CANCEL: what becomes of it; NONE */
        bool is_begun;             /* it is under way, and noted so; */
        bool is_begun_told;        /* and told */
        struct tick_answer answer; /* where it was answered; its value is owned */
        uint32_t record_size;
        uint8_t record[]; /* the RUN as it came */
};

/* Zero-initialise. */
struct ticks {
        struct tick **slots; /* by run; a power of two of them, or none */
        size_t n, n_slots, n_open;
        struct tick *open_first, *open_last;         /* in the order in which they came */
        struct tick *answered_first, *answered_last; /* in the order of their numbers */
        struct tick *valued;                         /* those answered before it have no value any more; NULL: all */
        uint64_t n_answered;                         /* ANSWERs made */
        uint64_t n_forgotten;                        /* the first of them, acknowledged or dropped */
        uint64_t n_sent;                             /* at least so many have gone out: only these are dropped */
        size_t bytes;
        struct tick *spare; /* memory of forgotten ones, by next */
        size_t n_spare;
};

void ticks_done(struct ticks *ticks);

struct tick *ticks_find(const struct ticks *ticks, uint64_t run);
/* What its record says; parameters are in it. */
struct tick_run tick_read(const struct tick *tick);
/* Takes over a RUN that was decoded from record, and lets its parameters point into the copy. 0; 1: the run is known; -ENOSPC:
 * TICKS_OPEN_MAX are there; -ENOMEM. */
int ticks_add(struct ticks *ticks, struct tick_run *run, const void *record, size_t size, struct tick **ret);
/* The answer to an open one gets its number. answer is copied; where there is no memory for its value it has none. */
void ticks_answer(struct ticks *ticks, struct tick *tick, const struct tick_answer *answer);
/* Answers up to number are safe. */
void ticks_acknowledge(struct ticks *ticks, uint64_t number);
