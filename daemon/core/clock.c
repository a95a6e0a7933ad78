// SPDX-License-Identifier: MIT
// clock: the one place where time is read.

#include "daemon/core/clock.h"

#include <sys/timex.h>
#include <time.h>

static int64_t clock_read(clockid_t id) {
        /* fails only for an id that the kernel does not know, or a bad pointer */
        struct timespec ts = {};
        (void)clock_gettime(id, &ts);
        return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct clock_sample clock_now(void) {
        return (struct clock_sample){
                .rt_us = clock_read(CLOCK_REALTIME),
                .bt_us = clock_read(CLOCK_BOOTTIME),
        };
}

bool clock_is_synchronised(void) {
        struct timex now = {.modes = 0};
        return adjtimex(&now) >= 0 && !(now.status & STA_UNSYNC);
}

int64_t clock_awake_us(void) {
        return clock_read(CLOCK_MONOTONIC);
}
