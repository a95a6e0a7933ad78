// SPDX-License-Identifier: MIT
// image: what the engine must know of a job after any death: its plan and phase, what is open, its holds. Plain data with a versioned
// binary form, which the ledger keeps without looking into it. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pack.h"
#include "daemon/scheduler/parcel.h"
#include "daemon/scheduler/registry.h"

#define IMAGE_VERSION 9

struct job_image {
        uint8_t boot_id[16];    /* BOOTTIME instants below are of this boot */
        int64_t offset_us;      /* REALTIME minus BOOTTIME then: makes them wall-clock instants in another boot */
        uint32_t segment;       /* 0: it never had a plan */
        int64_t anchor_us, key; /* as in job_row; key is the first slot without an outcome, but for what waits */
        int64_t next_us;        /* of that key; INT64_MAX: a delay from an end to come, or a calendar is over */
        int64_t since_us;
        bool is_planned; /* its slots come: it is defined, enabled, not cancelled and not finished */
        bool is_boot_done;
        bool is_paused, is_cancelled, is_finished, is_failed;
        int64_t paused_until_rt_us; /* INT64_MAX: no end */
        int64_t every_us;           /* set by command; 0: the definition's */
        struct job_run run;         /* in flight */
        struct job_waiting waiting; /* its slot, and the number of a promise to a trigger, which ends with the scheduler */
        uint32_t n_line, n_beside;  /* slots behind it, and runs beside that one; both are owned: */
        struct job_line *line;
        struct job_run *beside;
        uint32_t n_parcels; /* parameters of its runs, owned; of those that failed, for their next attempt */
        struct parcel_of *parcels;
        struct job_retry retry;
        uint32_t n_failed;
        int64_t good_bt_us, overdue_bt_us;
        struct job_range merging;
        uint64_t missed_since_run;
        uint32_t n_scheduled;
        uint64_t ended_run; /* the latest whose result is in the ledger */
        int64_t end_bt_us, last_slot_us;
        int64_t delay_bt_us;
        enum run_result last_result;
        bool is_late;     /* its slots start late, each claimed on its own: the horizon does not speak for it, */
        int64_t late_key; /* slots up to this one may have been started, none after it */
        struct hash128
                calendar; /* agenda_hash() of what the plan counts by, the data of zones too; zeros: no calendar, or not known */
};

/* The first key of its plan at hand that has no outcome, whatever waits or is on its way. */
int64_t image_first_open(const struct job_image *image);
/* How many slots of a segment from key first to last have no outcome, because they wait, or their runs are not known to have begun. */
uint64_t image_count_open(const struct job_image *image, uint32_t segment, int64_t first, int64_t last);
/* True if a run is in flight. */
bool image_has_run(const struct job_image *image, uint64_t run);
/* Appends the binary form; errors are in the writer. */
void image_encode(const struct job_image *image, struct pack *p);
/* Reads a whole one, for image_done(). 0; -EBADMSG: it is none, or of a later version; -ENOMEM; *ret is untouched then. */
int image_decode(const void *data, size_t size, struct job_image *ret);
void image_done(struct job_image *image);
/* The first slots of a line (NULL: of none) for the caller, NULL if there is none. 0, -ENOMEM. */
int image_copy_line(const struct job_line *from, uint32_t at_most, struct job_line **ret);
/* A copy, for image_done(). 0, -ENOMEM. */
int image_copy(const struct job_image *image, struct job_image *ret);
/* Moves BOOTTIME instants to another boot, by the wall clock: by_us is what is added. Those of a wall grid are left alone. */
void image_shift(struct job_image *image, bool is_wall, int64_t by_us);
