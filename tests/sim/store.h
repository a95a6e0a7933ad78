// SPDX-License-Identifier: MIT
// store: the ledger in memory, for the simulation: rows gather in batches, batches become durable one after the other, a cut loses those
// that are not. What is durable is checked at each commit: every slot of every plan up to its mark has exactly one outcome.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/keeper.h"

#define STORE_GROUPS 8
#define STORE_JOBS   64
#define STORE_RANGES 64
#define STORE_OWED   32

struct store_range {
        int64_t first, last;
};

/* What is durable of a job. */
struct store_job {
        char name[32];
        bool has_image;
        struct job_image image;
        struct job_when when;
        uint32_t segment; /* of the plan at hand */
        int64_t anchor_us, first_key;
        struct store_range ranges[STORE_RANGES]; /* accounted in it; sorted, apart */
        size_t n_ranges;
        struct store_range loose; /* of rows that leave out what others have, or one is still to have: so many slots of these */
        uint64_t n_loose;
        struct store_range owed[STORE_OWED]; /* of plans before: what the image still had open */
        uint32_t owed_segment[STORE_OWED];
        size_t n_owed;
};

/* A row that stays, of a job or (clocks) of none. */
struct store_kept {
        const struct store_job *job;
        enum { STORE_KEPT_RANGE, STORE_KEPT_SEGMENT, STORE_KEPT_RUN, STORE_KEPT_CLOCK } kind;
        union {
                struct ledger_range range;
                struct ledger_segment segment; /* its text is owned */
                struct ledger_run run;
                struct ledger_clock clock;
        };
};

/* Whether a group is held. */
struct store_group {
        char name[16];
        bool is_held;
        int64_t until_rt_us;
};

struct store {
        struct store_group groups[STORE_GROUPS];
        size_t n_groups;
        struct store_job jobs[STORE_JOBS];
        size_t n_jobs;
        struct clock_sample horizon;
        uint8_t boot;                  /* that it is of */
        struct clock_sample now, last; /* the clocks: as they are, and at the latest durable batch, */
        uint8_t now_boot, last_boot;   /* in which boot */
        uint8_t instance[16];          /* of the runner under which it was written last */
        uint64_t committed;            /* number of the latest durable batch */
        uint64_t number;               /* of the latest one that was handed over */
        struct store_row *rows;
        size_t n_rows, allocated_rows;
        uint64_t n_commits;
        int planted;             /* as world.planted */
        struct store_kept *kept; /* oldest first */
        size_t n_kept, allocated_kept;
        char error[256];
};

extern const struct keeper_sink store_sink;

void store_done(struct store *s);
void store_put_life(struct store *s, const uint8_t instance[static 16]);
void store_put_horizon(struct store *s, struct clock_sample horizon, uint8_t boot);
/* A scheduler has begun. */
void store_put_start(struct store *s, struct clock_sample now, const uint8_t boot_id[static 16]);
/* Makes the batches up to a number durable. */
void store_sync(struct store *s, uint64_t number);
/* What is not durable is lost. */
void store_cut(struct store *s);
/* All that is durable, judged by the audit; a fault is the store's error. Returns how many slots it has looked at. */
uint64_t store_audit(struct store *s, struct clock_sample now);
const struct store_job *store_find(const struct store *s, const char *name);
