// SPDX-License-Identifier: MIT
// host: the process that does the work of hosted jobs: its loop, its jobs and its end.
#pragma once

#include "daemon/core/loop.h"

struct host;

/* Takes over TICK_FD, ORDERS_FD and PAGE_FD. 0 or a negative errno. */
int host_new(struct host **ret);
struct host *host_free(struct host *h);
/* Serves until it is told to end. The exit status, or a negative errno. */
int host_run(struct host *h);
