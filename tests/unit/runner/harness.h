// SPDX-License-Identifier: MIT
// harness: what the runner's tests share: waiting for a condition on a loop, bounded in time.
#pragma once

#include <check.h>
#include <stdbool.h>

#include "daemon/core/clock.h"
#include "daemon/core/loop.h"

#define HARNESS_LIMIT_US 10000000

/* Runs the loop until the condition holds; fails the test after HARNESS_LIMIT_US. */
#define wait_until(loop, condition)                                                                                            \
        do {                                                                                                                   \
                int64_t limit_bt_us_ = clock_now().bt_us + HARNESS_LIMIT_US;                                                   \
                while (!(condition)) {                                                                                         \
                        ck_assert_msg(clock_now().bt_us < limit_bt_us_, "in vain: %s", #condition);                            \
                        ck_assert_int_ge(loop_run_once(loop, 50000), 0);                                                       \
                }                                                                                                              \
        } while (0)
