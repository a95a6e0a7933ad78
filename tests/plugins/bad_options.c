// SPDX-License-Identifier: MIT
// A plugin whose option has a default that it can't have.

#include "daemon/plugin.h"

static int tick(struct chimed_job *job, const struct chimed_tick *chimed_tick, void *data) {
        (void)job;
        (void)chimed_tick;
        (void)data;
        return CHIMED_SUCCESS;
}

static const struct chimed_option options[] = {
        {.name = "count", .type = CHIMED_INTEGER, .default_value = "many"},
};

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = 1,
        .options = options,
        .name = "bad_options",
        .tick = tick,
};
