// SPDX-License-Identifier: MIT
// fake_host: the functions of daemon/plugin.h for one plugin that is linked into the test, with a loop of its own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/plugin.h"

struct fake_option {
        const char *name, *value;
};

/* What the plugin was last asked for, and what it has said. */
struct fake_run {
        uint64_t run;
        int result; /* enum chimed_result; CHIMED_LATER: not answered */
        int n_answers;
        char value[2048], message[1024];
};

/* Loads the plugin for job "fake" with these options, whose list ends with a NULL name. What load() has returned, -1: an option is
 * wrong; its message is in fake_run(). */
int fake_load(const struct fake_option *options);

/* A tick, and the loop until it is answered. */
const struct fake_run *fake_tick(void);
/* Only its beginning; and the loop until it is answered (true) or the time is over. */
void fake_begin(void);
bool fake_wait(int64_t us);
void fake_cancel(void);

/* Unloads it. The number of watches and timers that it has left. */
int fake_unload(void);

const struct fake_run *fake_run(void);

/* How many of the plugin's options a host would not take, with what is wrong printed. */
int fake_count_bad_options(void);
