// SPDX-License-Identifier: MIT
// A plugin that does nothing: what a tick costs beside its work.

#include "daemon/plugin.h"

static int tick(struct chimed_job *job, const struct chimed_tick *chimed_tick, void *data) {
        (void)job;
        (void)chimed_tick;
        (void)data;
        return CHIMED_SUCCESS;
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .name = "noop",
        .description = "Do nothing.",
        .tick = tick,
};
