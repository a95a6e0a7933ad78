// SPDX-License-Identifier: MIT
// upkeep: keeps a scheduler running: starts it, holds the sockets to it, reads what a dead one left behind, starts the next one. Or
// serves those that somebody else starts, one after the other.
// Beside them each scheduler gets the control socket on which clients wait, so that they outlive it.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/core/channel.h"
#include "daemon/core/loop.h"
#include "daemon/runner/launch.h"

#define UPKEEP_CONTROL_QUEUE (512 * 1024) /* bytes that may wait; on_room comes below half of it */
#define UPKEEP_OUTPUT_QUEUE  (256 * 1024)
#define UPKEEP_BACKOFF_MIN   (100 * USEC_PER_MSEC)
#define UPKEEP_BACKOFF_MAX   (10 * USEC_PER_SEC)
#define UPKEEP_SETTLED_US    (10 * USEC_PER_SEC) /* a scheduler that lived so long begins anew with the back-off */

struct upkeep;

struct upkeep_settings {
        const char *program; /* the scheduler's path; borrowed for the upkeep's life */
        const char *log;     /* value of its --log= */
        const char *state;   /* of its --state=, NULL: none; borrowed */
        bool has_identity;   /* it runs as this user, who alone may connect; else as ours */
        uid_t uid;
        gid_t gid;
        bool has_admins; /* members of this group may control everything */
        gid_t admin_gid;
        int listen_fd;         /* the control socket, -1: there is none; borrowed for the upkeep's life */
        int link_fd;           /* where schedulers connect that somebody else starts; -1: we start them; borrowed as well */
        int64_t first_word_us; /* so long such a one may say nothing */
};

struct upkeep_callbacks {
        void (*on_start)(void *userdata); /* a new one is there: the control channel takes its HELLO */
        channel_record_fn on_record;      /* a record on its control channel; an error ends it */
        void (*on_room)(void *userdata);  /* its control channel can take more, or the socket for hosts */
        /* It has ended and all it had said was handled. delay_us: until the next one starts, or is let in; LOOP_NEVER: none, it is held. why: ""
         * where it had been started by another, and has closed the link itself. */
        void (*on_end)(void *userdata, int64_t delay_us, const char *why);
};

/* Starts the first one at once. settings and callbacks are copied. */
int upkeep_new(struct loop *loop, struct launch_pool *pool, const struct upkeep_settings *settings,
               const struct upkeep_callbacks *callbacks, void *userdata, struct upkeep **ret);
struct upkeep *upkeep_free(struct upkeep *upkeep);

/* The channels of the scheduler that is there, or NULL. Both are gone once on_end is called. */
struct channel *upkeep_control(const struct upkeep *upkeep);
struct channel *upkeep_output(const struct upkeep *upkeep);
/* Gives it the descriptors of a host, borrowed: see struct wire_host_arrival. 0; -EAGAIN: not now, on_room is called when it may be tried again;
 * -EPIPE: it does not want them. */
int upkeep_give_host(struct upkeep *upkeep, const struct wire_host_arrival *arrival, int ticks_fd, int page_fd);
/* Has on_room called in a moment, as that does. */
void upkeep_pause(struct upkeep *upkeep);
/* Whether that moment is still to come. */
bool upkeep_is_pausing(const struct upkeep *upkeep);
/* Sends what was batched. */
void upkeep_flush(struct upkeep *upkeep);
/* Asks the scheduler that is there to leave in order, and starts no other before upkeep_release(). */
void upkeep_hold(struct upkeep *upkeep);
void upkeep_release(struct upkeep *upkeep);
/* If none is there and we start none: we do so from now on, and true. One that has not committed yet is heard no more: when on_end says that it
 * has ended, this may be called again. */
bool upkeep_begin_own(struct upkeep *upkeep);
/* Whether no scheduler is there, and all that the last one said was handled. */
bool upkeep_is_idle(const struct upkeep *upkeep);
/* No more restarts; closes the link, upon which the scheduler exits. on_end is not called any more. */
void upkeep_stop(struct upkeep *upkeep);
/* After upkeep_stop(): whether it is gone. */
bool upkeep_is_gone(const struct upkeep *upkeep);
/* KILL to the scheduler that is there; one that another has started is heard no more. */
void upkeep_kill(struct upkeep *upkeep);
bool upkeep_owns_pid(const struct upkeep *upkeep, pid_t pid);
