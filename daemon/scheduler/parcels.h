// SPDX-License-Identifier: MIT
// parcels: which runs have parameters, by job and number: runs in flight, those that triggers were promised, and those that have failed and
// whose next attempt is to come. Few runs have any, so nothing is kept of the others. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/scheduler/index.h"
#include "daemon/scheduler/parcel.h"

#define PARCELS_MAX      65536
#define PARCELS_SIZE_MAX (64 * 1024 * 1024) /* bytes of all, each as often as it is there */

struct parcels_row {
        uint32_t job;
        bool is_stale; /* the first of its job: some of the job's may not be needed any more */
        struct parcel_of of;
};

/* Zero-initialise. */
struct parcels {
        struct parcels_row *rows; /* sorted by job, then by run */
        size_t n, allocated, size;
        bool is_stale; /* some row is */
};

void parcels_done(struct parcels *p);
/* The set of a run; NULL: it has none. Borrowed. */
struct parcel *parcels_find(const struct parcels *p, uint32_t job, uint64_t run);
/* True if that run has this set; an empty one where it has none. */
bool parcels_are_same(const struct parcels *p, uint32_t job, uint64_t run, const void *data, size_t size);
/* True if one more of a size may come from outside. */
bool parcels_have_room(const struct parcels *p, size_t size);
/* A run that has none gets one; the use is taken, but on failure. 0, -ENOMEM. */
int parcels_add(struct parcels *p, uint32_t job, uint64_t run, struct parcel *parcel);
/* Another run of the job gets that of the first, too, where that has one and it has none. 0, -ENOMEM. */
int parcels_pass(struct parcels *p, uint32_t job, uint64_t from, uint64_t to);
/* A list of a job's, PARCELS_OF_JOB_MAX at most, with a use of each for the caller; NULL where it has none. 0, -ENOMEM. */
int parcels_list(const struct parcels *p, uint32_t job, struct parcel_of **ret, uint32_t *ret_n);
/* The state of a job has changed. */
void parcels_mark(struct parcels *p, uint32_t job);
/* The first such job behind `after` (INDEX_NONE: of all), which is looked at now; INDEX_NONE: there is none. */
uint32_t parcels_next_stale(struct parcels *p, uint32_t after);
/* The job loses those of the runs that are not needed; or all of them. */
void parcels_forget(struct parcels *p, uint32_t job);
void parcels_keep(struct parcels *p, uint32_t job, bool (*is_needed)(const void *userdata, uint64_t run), const void *userdata);
