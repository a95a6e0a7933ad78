// SPDX-License-Identifier: MIT
// clock: the one place where time is read.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* One reading of the clocks, in microseconds. */
struct clock_sample {
        int64_t rt_us; /* CLOCK_REALTIME: wall clock, can step */
        int64_t bt_us; /* CLOCK_BOOTTIME: since boot, goes on in suspend, never steps */
};

/* Reads both clocks, close together. Never fails. */
struct clock_sample clock_now(void);
/* True if the kernel says that something keeps the wall clock in step with a time server. */
bool clock_is_synchronised(void);
/* Microseconds since boot without the time asleep. Never fails. */
int64_t clock_awake_us(void);
