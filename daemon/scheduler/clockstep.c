// SPDX-License-Identifier: MIT
// clockstep: BOOTTIME is the measure. The wall clock was set by what it moved beyond BOOTTIME; the machine slept for what BOOTTIME moved
// beyond MONOTONIC. Time servers that slew do it to all three alike, so a slew is no difference here.

#include "daemon/scheduler/clockstep.h"

static const char *const words[CLOCKSTEP_MAX] = {
        [CLOCKSTEP_NONE] = "none",
        [CLOCKSTEP_SLEW] = "slew",
        [CLOCKSTEP_FORWARD] = "step-forward",
        [CLOCKSTEP_BACK] = "step-back",
        [CLOCKSTEP_NEW_TIME_LINE] = "new-time-line",
        [CLOCKSTEP_SUSPEND] = "suspend",
        [CLOCKSTEP_SYNC] = "sync",
};

const char *clockstep_kind_to_string(enum clockstep_kind kind) {
        return (unsigned)kind < CLOCKSTEP_MAX ? words[kind] : "invalid";
}

static enum clockstep_kind kind_of(int64_t step_us, int64_t slept_us, bool is_first_sync) {
        if (step_us < -CLOCKSTEP_LIMIT_US)
                return CLOCKSTEP_NEW_TIME_LINE;
        if (is_first_sync)
                return CLOCKSTEP_SYNC;
        if (step_us >= CLOCKSTEP_MIN_US)
                return CLOCKSTEP_FORWARD;
        if (step_us <= -CLOCKSTEP_MIN_US)
                return CLOCKSTEP_BACK;
        if (slept_us > 0)
                return CLOCKSTEP_SUSPEND;
        return step_us == 0 ? CLOCKSTEP_NONE : CLOCKSTEP_SLEW;
}

struct clockstep clockstep_compare(const struct clockstep_reading *before, const struct clockstep_reading *after) {
        int64_t passed_us = after->bt_us - before->bt_us;
        int64_t step_us = after->rt_us - before->rt_us - passed_us;
        int64_t slept_us = passed_us - (after->awake_us - before->awake_us);
        if (slept_us < CLOCKSTEP_SLEEP_US)
                slept_us = 0;
        return (struct clockstep){
                .kind = kind_of(step_us, slept_us, after->is_synchronised && !before->is_synchronised),
                .step_us = step_us,
                .slept_us = slept_us,
        };
}
