// SPDX-License-Identifier: MIT
// run_host: what the runner keeps of a run that is a host, beside what it keeps of any run.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"
#include "config/job.h"
#include "config/pack.h"
#include "daemon/core/loop.h"

/* A definition that it is to load. */
struct host_load {
        uint32_t handle;
        struct hash128 hash;
};

struct run_host {
        char name[JOB_NAME_MAX + 1]; /* for people */
        struct hash128 hash;         /* of all definitions that it may have */
        /* copies of what the scheduler has: for the next one, until the run is acknowledged */
        int ticks_fd, page_fd;
        int orders_fd; /* our end; -1: it is told nothing more */

        struct host_load *loads; /* that wait until it reads what it was sent before, in their order */
        size_t n_loads, allocated_loads;
        struct loop_source *source; /* of orders_fd, while there are any */
};

/* With sockets and page, of which the host's ends go to ret_fds: its ticks, orders and page; all close-on-exec. 0 or a negative error. */
int run_host_new(const char *name, const struct hash128 *hash, int ret_fds[static 3], struct run_host **ret);
/* Closes its descriptors. Takes NULL, returns NULL. */
struct run_host *run_host_free(struct run_host *host);

/* Adds a load behind those that wait. 0, -ENOMEM. */
int run_host_keep_load(struct run_host *host, const struct host_load *load);
/* Forgets the first n loads. */
void run_host_drop_loads(struct run_host *host, size_t n);

/* The form of the run table, without loads; NULL: it is no host. Errors are in the writer. */
void run_host_put(const struct run_host *host, struct pack *p);
/* Reads it back, NULL where it is no host: descriptors by their number, whose errors are the caller's to find. 0, -EBADMSG, -ENOMEM. */
int run_host_get(struct unpack *u, struct run_host **ret);
