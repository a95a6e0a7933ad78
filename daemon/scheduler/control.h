// SPDX-License-Identifier: MIT
// control: the server of io.chimed: clients, their rights and bounds, calls and what waits for an answer, subscriptions.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "daemon/core/journal.h"
#include "daemon/core/loop.h"
#include "daemon/scheduler/link.h"

#define CONTROL_CALL_MAX        (64 * 1024)         /* bytes of a call */
#define CONTROL_CLIENTS_MAX     256                 /* connections; */
#define CONTROL_ROOT_RESERVE    8                   /* of them only root's */
#define CONTROL_CLIENTS_UID_MAX 64                  /* of one user */
#define CONTROL_STREAMS_UID_MAX 32                  /* of them streams (Subscribe, Trigger with more), and calls that wait */
#define CONTROL_BUFFERS_MAX     (8 * 1024 * 1024)   /* bytes of all clients together, waiting events included */
#define CONTROL_CALL_TIME_US    (10 * USEC_PER_SEC) /* a call that has begun is whole by then, or its connection is closed */

struct control;

struct control_settings {
        int listen_fd;   /* listening and non-blocking; taken, also on failure */
        gid_t admin_gid; /* of the group chimed; (gid_t)-1: there is none */
};

/* Serves from now on; before the link's first commit calls are answered NotReady. loop, journal and link are borrowed; it becomes the
 * link's listener. 0 or a negative errno. */
int control_new(struct loop *loop, struct journal *journal, struct link *link, const struct control_settings *settings,
                struct control **ret);
/* Says end to the subscribers, as far as their sockets take it, and closes. Takes NULL, returns NULL. */
struct control *control_free(struct control *c);
/* Writes what the pass has gathered. For the loop's flush hook. 0 or a negative error. */
int control_flush(struct control *c);
/* When control_advance() wants to be called (BOOTTIME), INT64_MAX for never. */
int64_t control_next_wake(const struct control *c);
/* Deadlines of calls and clients. 0 or a negative error. */
int control_advance(struct control *c, struct clock_sample now);
