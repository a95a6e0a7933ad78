// SPDX-License-Identifier: MIT
// watch: tells when job files or settings have changed (inotify), once things have settled.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "config/duration.h"
#include "daemon/core/loop.h"

#define WATCH_SETTLE_US (250 * USEC_PER_MSEC) /* quiet for so long */
#define WATCH_LIMIT_US  (2 * USEC_PER_SEC)    /* or so long after the first change */
#define WATCH_MAX       10000                 /* folders */

struct watch;

/* Called once for a burst of changes. */
typedef void (*watch_fn)(void *userdata);

/* settle_us: WATCH_SETTLE_US but in tests. */
int watch_new(struct loop *loop, int64_t settle_us, watch_fn fn, void *userdata, struct watch **ret);
struct watch *watch_free(struct watch *watch);

/* Watches a folder for all but hidden files; where it is missing, the nearest folder above for the way down to it.
 * Returns 1 where that is new, 0 where it was watched already or WATCH_MAX is reached; a negative error (ENOSPC: the user's watches
 * are used up). */
int watch_folder(struct watch *watch, const char *path);
/* Watches the folder of path for its last part only, be it a file, a link or missing; as watch_folder() where the folder is missing. */
int watch_name(struct watch *watch, const char *path);
/* watch_name(), unless it is something that is no regular file. */
int watch_file(struct watch *watch, const char *path);
