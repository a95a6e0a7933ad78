// SPDX-License-Identifier: MIT
// tick: what scheduler and host say to each other on the socket of ticks, the runner's orders to the host, and the page that a
// host leaves behind. Pure. Each end treats the other's bytes as hostile.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"
#include "config/pack.h"
#include "daemon/core/run.h"
#include "daemon/core/wire.h"

#define TICK_VERSION        1
#define TICK_VALUE_MAX      (60 * 1024)
#define TICK_PARAMETERS_MAX (16 * 1024)

/* Descriptors of a host. */
#define TICK_FD   3 /* ticks: the other end is the scheduler's */
#define ORDERS_FD 4 /* of the runner, which only writes; its end means that the runner is dead */
#define PAGE_FD   5 /* struct tick_page */

/* S: sent by the scheduler, H: by the host. */
enum tick_type {
        TICK_HELLO = 1, /* S: a new scheduler is there; H: its answer */
        TICK_LOADED,    /* H, in a resync: a definition that it has */
        TICK_RUN,    /* S: a tick. H, in a resync: a tick that it knows of; its ANSWER follows now (if it was answered and not
                           acknowledged) or later */
        TICK_BEGUN,  /* H: the tick is under way and will be answered later */
        TICK_ANSWER, /* H */
        TICK_SYNCED, /* H: all is told that a HELLO asks for */
        TICK_ACK,    /* S: answers up to this number are safe: the count of ANSWERs since the host began */
        TICK_CANCEL, /* S: end this tick; it is answered when it has ended */
        TICK_UNLOAD, /* S: the handle is no longer used */
        TICK_QUIT,   /* S: no more ticks: answer what is under way, unload, exit 0 */
        TICK_TYPE_MAX
};

struct tick_hello {
        uint16_t version;
        uint64_t epoch;    /* S: the scheduler's; H: the same */
        uint64_t answered; /* H: the number of the last ANSWER that will not be told again: the next one is this plus 1; S: 0 */
};

struct tick_loaded {
        uint32_t handle;
        struct hash128 hash;
};

struct tick_run {
        uint32_t handle;
        struct wire_start start; /* not on the wire, and 0: hash, the flags, the parent */
        uint64_t seal;           /* by which a later scheduler knows that it is an earlier one's */
        const void *parameters;  /* NAME=VALUE, each ended by a NUL; borrowed in both directions */
        size_t parameters_size;  /* 0..TICK_PARAMETERS_MAX */
};

struct tick_begun {
        uint64_t run;
        int64_t begin_bt_us;
};

struct tick_answer {
        uint64_t run;
        enum run_result result; /* not NONE */
        int16_t exit_code;      /* of a coprocess that exited in it, else -1 */
        uint8_t signal;         /* that ended the coprocess, else 0 */
        enum run_step step;     /* start-failed: where */
        uint32_t error;         /* start-failed: errno there, or 0 */
        int64_t begin_bt_us;    /* 0: it never began */
        uint64_t duration_us;
        const void *value; /* where the result is good; else the message, UTF-8; borrowed in both directions */
        size_t value_size; /* 0..TICK_VALUE_MAX */
};

struct tick_cancel {
        uint64_t run;
        enum run_result result; /* TIMEOUT or CANCELLED */
};

/* Each tick_put_X() and tick_get_X() is as those of wire.h. */
void tick_put_hello(struct pack *p, const struct tick_hello *v);
int tick_get_hello(const void *data, size_t size, struct tick_hello *ret);
void tick_put_loaded(struct pack *p, const struct tick_loaded *v);
int tick_get_loaded(const void *data, size_t size, struct tick_loaded *ret);
void tick_put_run(struct pack *p, const struct tick_run *v);
int tick_get_run(const void *data, size_t size, struct tick_run *ret);
void tick_put_begun(struct pack *p, const struct tick_begun *v);
int tick_get_begun(const void *data, size_t size, struct tick_begun *ret);
void tick_put_answer(struct pack *p, const struct tick_answer *v);
int tick_get_answer(const void *data, size_t size, struct tick_answer *ret);
void tick_put_cancel(struct pack *p, const struct tick_cancel *v);
int tick_get_cancel(const void *data, size_t size, struct tick_cancel *ret);
/* UNLOAD: a handle. */
void tick_put_handle(struct pack *p, uint32_t handle);
int tick_get_handle(const void *data, size_t size, uint32_t *ret);
/* ACK is a number, as wire_put_number(). SYNCED and QUIT have no payload. */
/* The record's name for messages ("ANSWER"), "?" for an unknown type. */
const char *tick_type_to_string(uint8_t type);

/* R: sent by the runner. */
enum order_type {
        ORDER_LOAD = 1, /* R: what a handle means */
        ORDER_TYPE_MAX
};

struct order_load {
        uint32_t handle;
        struct hash128 hash;
        uint32_t owner;   /* the user to whom a plugin's file may belong beside root: the runner's own */
        const char *name; /* of the job; borrowed in encode; decode gives a fresh copy, freed by order_load_done() */
        const void *what; /* job_what_encode(); borrowed in both directions */
        size_t what_size; /* 0..JOB_WHAT_MAX */
};

void order_put_load(struct pack *p, const struct order_load *v);
int order_get_load(const void *data, size_t size, struct order_load *ret);
void order_load_done(struct order_load *v);

/* What a host leaves behind when it dies: plain memory, one writer, hostile for the reader. */
#define TICK_RING 1024

enum tick_phase {
        TICK_PHASE_IDLE,
        TICK_PHASE_LOAD,
        TICK_PHASE_RUN,
        TICK_PHASE_CANCEL,
        TICK_PHASE_UNLOAD,
        TICK_PHASE_RENEW, /* it left by itself, to be started anew at once: the plugin's file has changed */
        TICK_PHASE_MAX
};

struct tick_page {
        uint64_t current; /* run whose plugin code is being executed; 0: of none */
        uint32_t phase;   /* enum tick_phase: of which code; IDLE: of the host itself */
        uint32_t handle;  /* whose, where the phase is not IDLE or RENEW */
        uint64_t noted;   /* BEGUNs and ANSWERs made, sent or not */
        struct {
                uint64_t run;
                uint32_t result;      /* enum run_result; NONE: it is under way (BEGUN) */
                uint32_t duration_us; /* UINT32_MAX: that or more */
        } ring[TICK_RING]; /* note number n, from 1, is at n % TICK_RING; made before other code runs that may crash */
};
/* "load", "run" ..., for messages; "?" for an unknown one. */
const char *tick_phase_to_string(uint32_t phase);
