// SPDX-License-Identifier: MIT
// control_rights: who may do what, from what the kernel says of the peer of a connection and what a job allows.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "config/job.h"
#include "daemon/scheduler/control.h"
#include "daemon/varlink/api.h"

/* The peer as it was when it connected. */
struct control_peer {
        uid_t uid;
        gid_t gid;
        const gid_t *groups; /* borrowed */
        size_t n_groups;
};

/* True for those who may do everything: root, the daemon's own user, the group admin_gid ((gid_t)-1: there is none). */
bool control_is_admin(const struct control_peer *peer, uid_t own_uid, gid_t admin_gid);
/* The highest right that a job gives to a peer that is no admin. */
enum api_right control_right_of(const struct control_peer *peer, const struct job_when *when);
/* Who has a right to a job, or to all members of a group, in words for the one who has not. */
const char *control_holders(enum api_right right, bool is_group);

/* What stands in the way of one more connection; NULL: nothing. Static text. */
const char *control_refusal(bool is_root, size_t n_clients, size_t n_of_uid);
