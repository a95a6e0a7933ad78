// SPDX-License-Identifier: MIT
// parcel: a counted set of parameters that a trigger has passed; nobody changes it. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parcel {
        uint32_t uses;
        uint32_t size; /* 1..PARAMETERS_MAX */
        char data[];   /* a set, see config/parameters.h */
};

/* Of a job at a time: its runs in flight, and what waits. */
#define PARCELS_OF_JOB_MAX 256

/* Stands for the number of an attempt that waits as a slot does, and has none. */
#define PARCEL_OF_WAITING UINT64_MAX

/* A set as a run, or whoever was promised one, has it. */
struct parcel_of {
        uint64_t run;
        struct parcel *parcel; /* one use is its own */
};

/* With one use, for parcel_drop(); the bytes are copied. NULL without memory. */
struct parcel *parcel_new(const void *data, size_t size);
/* The same with one use more. */
static inline struct parcel *parcel_use(struct parcel *parcel) {
        parcel->uses++;
        return parcel;
}
/* One use less. Takes NULL; returns NULL. */
struct parcel *parcel_drop(struct parcel *parcel);
/* True if they are the same set; NULL is the empty one. */
bool parcel_is_same(const struct parcel *a, const void *data, size_t size);
