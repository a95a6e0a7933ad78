// SPDX-License-Identifier: MIT
// A plugin that calls what is nowhere.

#include "daemon/plugin.h"

int a_function_that_is_nowhere(void);

static int tick(struct chimed_job *job, const struct chimed_tick *chimed_tick, void *data) {
        (void)job;
        (void)chimed_tick;
        (void)data;
        return a_function_that_is_nowhere();
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .name = "unresolved",
        .tick = tick,
};
