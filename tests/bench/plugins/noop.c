// SPDX-License-Identifier: MIT
// noop: a plugin that does nothing, and counts how late it was called: in Option.stats=FILE.PID, a table of 10,001 counts of 64 bits, one a
// microsecond, the last one for all that was later.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "daemon/plugin.h"

#define N 10001

static uint64_t *counts;

static int load(struct chimed_job *job, void **data) {
        char path[PATH_MAX];
        (void)data;
        if (counts)
                return 0;
        snprintf(path, sizeof(path), "%s.%d", chimed_option_string(job, "stats"), (int)getpid());
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0 || ftruncate(fd, N * sizeof(*counts)) < 0)
                return chimed_fail(job, 0, "%s: %m", path);
        void *p = mmap(NULL, N * sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (p == MAP_FAILED)
                return chimed_fail(job, 0, "%s: %m", path);
        counts = p;
        return 0;
}

static int tick(struct chimed_job *job, const struct chimed_tick *t, void *data) {
        struct timespec now;
        (void)job;
        (void)data;
        clock_gettime(CLOCK_REALTIME, &now);
        int64_t late_us = now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000 - t->slot_us;
        counts[late_us < 0 ? 0 : late_us < N - 1 ? late_us : N - 1]++;
        return CHIMED_SUCCESS;
}

static const struct chimed_option options[] = {
        {.name = "stats", .type = CHIMED_STRING, .is_required = 1, .max = 4000, .help = "Where counts go."},
};

const struct chimed_plugin chimed_plugin = {
        .abi = CHIMED_PLUGIN_ABI,
        .size = sizeof(chimed_plugin),
        .option_size = sizeof(options[0]),
        .n_options = 1,
        .name = "noop",
        .description = "Does nothing and counts how late.",
        .options = options,
        .load = load,
        .tick = tick,
};
