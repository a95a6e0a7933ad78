// SPDX-License-Identifier: MIT
// sample: what processes or a cgroup use at this instant.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/plugins/text.h"

enum sample_field {
        SAMPLE_PROCESSES,
        SAMPLE_THREADS,
        SAMPLE_MEMORY,
        SAMPLE_PSS,
        SAMPLE_ANON,
        SAMPLE_SWAP,
        SAMPLE_CPU,
        SAMPLE_DESCRIPTORS,
        SAMPLE_READ,
        SAMPLE_WRITTEN,
        SAMPLE_OOM_KILLS,
        SAMPLE_FIELD_MAX
};

#define SAMPLE_UNKNOWN (-1)

struct sample {
        bool is_cgroup;
        int64_t values[SAMPLE_FIELD_MAX]; /* SAMPLE_UNKNOWN: it may not be read, or the kernel has none */
};

/* Which processes. One of them is set. */
struct sample_of {
        pid_t pid;        /* this one */
        const char *name; /* all whose /proc/PID/comm this is (of a longer name the first 15 bytes) */
        const char *exe;  /* all that run this file; also where it has been replaced since */
        bool with_pss;    /* read smaps_rollup: PSS, swap, and memory to the byte; dear for large processes */
};

/*
 * Adds up what the processes use. proc is the path of a /proc. What cannot be read of one of them is unknown of all. Zombies do
 * not count. 0 (also where there is no such process: SAMPLE_PROCESSES is 0 then), or a negative errno.
 */
int sample_processes(const char *proc, const struct sample_of *of, struct sample *ret);

/* What a cgroup (version 2) uses. -ENOENT: there is no such folder, -ENOTTY: it is no cgroup, or another negative errno. */
int sample_cgroup(const char *folder, struct sample *ret);

/* The header and the line of a CSV file for a sample that was taken at this instant. Unknown is empty. */
void sample_header(bool is_cgroup, struct text *to);
void sample_line(const struct sample *sample, int64_t rt_us, struct text *to);

/* The sample as a JSON object (unknown is null) or as NAME=VALUE with blanks between (unknown is left out). */
void sample_json(const struct sample *sample, struct text *to);
void sample_pairs(const struct sample *sample, struct text *to);

/* A file with the number of a process, as daemons write it. Negative errno; -EBADMSG: it holds none. */
int sample_pid_file(const char *path, pid_t *ret);
