// SPDX-License-Identifier: MIT
// The example of chimed-plugin(3), which a test compares with it.

#include <stdio.h>
#include <stdlib.h>

#include "daemon/plugin.h"

struct watcher {
        unsigned long last;
};

static const struct chimed_option options[] = {
        {.name = "path", .type = CHIMED_STRING, .default_value = "/proc/loadavg", .help = "File whose first number is read."},
        {.name = "max", .type = CHIMED_INTEGER, .is_required = 1, .min = 0, .max = 1000000, .help = "Fail above this."},
};

static int load(struct chimed_job *job, void **ret_data) {
        (void)job;
        *ret_data = calloc(1, sizeof(struct watcher));
        return *ret_data ? 0 : -1;
}

static int tick(struct chimed_job *job, const struct chimed_tick *tick, void *data) {
        const char *path = chimed_option_string(job, "path");
        struct watcher *w = data;
        unsigned long now;
        FILE *f = fopen(path, "re");
        int n = f ? fscanf(f, "%lu", &now) : 0;

        if (f)
                fclose(f);
        if (n != 1)
                return chimed_fail(job, tick->run, "%s has no number", path);
        if (now == w->last)
                return CHIMED_SKIPPED;
        w->last = now;
        chimed_value_printf(job, tick->run, "%lu", now);
        if (now > (unsigned long)chimed_option_integer(job, "max"))
                return chimed_fail(job, tick->run, "%lu is too much", now);
        return CHIMED_SUCCESS;
}

static void unload(struct chimed_job *job, void *data) {
        (void)job;
        free(data);
}

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(struct chimed_plugin),
        .option_size = sizeof(struct chimed_option),
        .n_options = sizeof(options) / sizeof(options[0]),
        .name = "watch-number",
        .description = "Read a number from a file.",
        .options = options,
        .load = load,
        .tick = tick,
        .unload = unload,
};
