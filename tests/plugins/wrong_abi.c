// SPDX-License-Identifier: MIT
// A plugin of another version of the interface.

#include "daemon/plugin.h"

static int tick(struct chimed_job *job, const struct chimed_tick *chimed_tick, void *data) {
        (void)job;
        (void)chimed_tick;
        (void)data;
        return CHIMED_SUCCESS;
}

const struct chimed_plugin chimed_plugin = {
        .abi = 99,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .name = "wrong_abi",
        .tick = tick,
};
