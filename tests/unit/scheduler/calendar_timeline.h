// SPDX-License-Identifier: MIT
// calendar_timeline: the words of timelines with dates: instants in UTC, policies as the text that a scheduler gets.
#pragma once

#include "config/timestamp.h"
#include "tests/sim/calendars.h"
#include "tests/unit/scheduler/timeline.h"

/* Instants are written in UTC. */
static inline int64_t when_is(const char *text) {
        char buf[40];
        const char *why;
        int64_t rt_us = 0;
        snprintf(buf, sizeof(buf), "%s UTC", text);
        if (timestamp_parse(buf, &rt_us, &why) < 0)
                ck_abort_msg("%s: %s", text, why);
        return rt_us;
}

static inline void begin_on(const char *text) {
        world_init(&w, when_is(text), BOOTED);
        w.run_of = fixed_run;
        w.watched = "job";
        run_us = 0;
        run_result = RUN_RESULT_SUCCESS;
}

static inline void go_to(const char *text) {
        world_run_to(&w, w.now.bt_us + when_is(text) - w.now.rt_us);
        ck_assert_msg(!w.error[0], "%s", w.error);
}

/* A policy, in Berlin if nothing else is said. */
static inline struct job_when calendar(const char *keys) {
        char text[400];
        snprintf(text, sizeof(text), "%s\n%s", keys, strstr(keys, "TimeZone=") ? "" : "TimeZone=Europe/Berlin\n");
        return sim_when(text);
}

static inline void expect_ran_at(size_t i, const char *slot, int64_t lag_us) {
        expect_ran(i, when_is(slot), lag_us);
}
