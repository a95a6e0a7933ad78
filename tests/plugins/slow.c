// SPDX-License-Identifier: MIT
// A plugin that takes 8 ms: it can't keep up with a shorter interval.

#include <unistd.h>

#include "daemon/plugin.h"

static int tick(struct chimed_job *job, const struct chimed_tick *chimed_tick, void *data) {
        (void)job;
        (void)chimed_tick;
        (void)data;
        usleep(8000);
        return CHIMED_SUCCESS;
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .name = "slow",
        .description = "Take 8 ms.",
        .tick = tick,
};
