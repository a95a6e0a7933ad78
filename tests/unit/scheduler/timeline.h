// SPDX-License-Identifier: MIT
// timeline: the words in which timelines are written: a clock, a job named "job", and the outcomes that must come of it.
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/world.h"

#define SEC  USEC_PER_SEC
#define MIN  USEC_PER_MINUTE
#define HOUR USEC_PER_HOUR

/* 2026-03-20 12:00:00 UTC, a day after boot. */
#define NOON   (INT64_C(1774008000) * SEC)
#define BOOTED (24 * HOUR)

static struct world w;
static int64_t run_us;
static enum run_result run_result;

static inline void fixed_run(void *userdata, struct world *world, struct world_job *job, int64_t *ret_duration_us,
                             struct run_end *ret_end) {
        (void)userdata;
        (void)world;
        (void)job;
        *ret_duration_us = run_us;
        ret_end->result = run_result;
}

/* A world whose clock says h:m:s. */
static inline void begin_at(int h, int m, int s) {
        world_init(&w, NOON + (h - 12) * HOUR + m * MIN + s * SEC, BOOTED);
        w.run_of = fixed_run;
        w.watched = "job";
        run_us = 0;
        run_result = RUN_RESULT_SUCCESS;
}

static inline int64_t at(int h, int m, int s) {
        return NOON + (h - 12) * HOUR + m * MIN + s * SEC;
}

static inline void run_to(int h, int m, int s) {
        world_run_to(&w, w.now.bt_us + at(h, m, s) - w.now.rt_us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

/* As run_to(), but ends and slots of the very instant are still to come. */
static inline void run_before(int h, int m, int s) {
        world_run_to(&w, w.now.bt_us + at(h, m, s) - 1 - w.now.rt_us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

static inline struct job_when every(int64_t every_us, enum job_mode mode) {
        struct job_when when;
        job_when_init(&when);
        when.every_us = every_us;
        when.mode = (uint8_t)mode;
        when.catch_up = mode == JOB_MODE_FIXED_RATE && every_us < HOUR ? JOB_CATCH_UP_NONE : JOB_CATCH_UP_ONE;
        return when;
}

/* A grid on the wall clock through the full hours. */
static inline struct job_when wall_grid(int64_t every_us, int64_t align_us) {
        struct job_when when = every(every_us, JOB_MODE_FIXED_RATE);
        when.align = JOB_ALIGN_WALL;
        when.align_us = align_us;
        return when;
}

static inline void define(struct job_when when) {
        world_define(&w, "job", &when);
        world_commit(&w);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

static inline char *entry_print(const struct world_entry *e, char *buf, size_t size) {
        int64_t first = (e->first_rt_us - NOON) / SEC + 12 * 3600, last = (e->last_rt_us - NOON) / SEC + 12 * 3600;
        snprintf(buf, size, "%s %s %lld:%02lld:%02lld..%lld:%02lld:%02lld n %llu lag %lld s",
                 slot_outcome_to_string(e->outcome), slot_reason_to_string(e->reason), (long long)first / 3600,
                 (long long)first / 60 % 60, (long long)first % 60, (long long)last / 3600, (long long)last / 60 % 60,
                 (long long)last % 60, (unsigned long long)e->n, (long long)(e->lag_us / SEC));
        return buf;
}

/* The i-th outcome is this one; and a range of n slots from first to last. */
static inline const struct world_entry *expect(size_t i, enum slot_outcome outcome, enum slot_reason reason, int64_t first_us,
                                               int64_t last_us, uint64_t n) {
        char buf[160];
        ck_assert_msg(i < w.n_entries, "only %zu outcomes", w.n_entries);
        const struct world_entry *e = &w.entries[i];
        ck_assert_msg(e->outcome == outcome && e->reason == reason && e->first_rt_us == first_us && e->last_rt_us == last_us &&
                              e->n == n,
                      "outcome %zu is: %s", i, entry_print(e, buf, sizeof(buf)));
        return e;
}

static inline void expect_ran(size_t i, int64_t slot_us, int64_t lag_us) {
        const struct world_entry *e = expect(i, SLOT_RAN, SLOT_REASON_NONE, slot_us, slot_us, 1);
        ck_assert_msg(e->lag_us == lag_us, "outcome %zu ran %lld us late, not %lld", i, (long long)e->lag_us,
                      (long long)lag_us);
}

/* Lets the job's next slot come; it must be at that time of day. */
static inline void expect_next_at(int h, int m, int s) {
        size_t n = w.n_entries;
        run_before(h, m, s);
        ck_assert_msg(w.n_entries == n, "a slot came before %d:%02d:%02d", h, m, s);
        run_to(h, m, s);
        ck_assert_msg(w.n_entries == n + 1, "no slot at %d:%02d:%02d", h, m, s);
        expect_ran(n, at(h, m, s), 0);
}
