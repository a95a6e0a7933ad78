// SPDX-License-Identifier: MIT
// control_groups: what calls say of groups: ListGroups, and commands for "@NAME".
#pragma once

#include "daemon/scheduler/control_internal.h"

/* The group that a parameter "job" means: "@NAME". False where it means a job. *ret is INDEX_NONE where there is no such group. */
bool control_find_group(const struct engine *e, const char *job, uint32_t *ret);
/* The right that the command asks of those who call it for a group, instead of `right` for a job. */
enum api_right control_group_needs(const struct control_call *call, enum api_right right);
/* What the caller may do to all members of a group; to hold it, who joins it later is meant too. */
enum api_right control_group_right(const struct control_call *call);
/* Whether a method takes a group in the place of a job. */
bool control_takes_group(enum api_method method);
/* Does a call for call->group. As control_dispatch(). */
int control_do_group(struct control_call *call);
int control_do_list_groups(struct control_call *call);
