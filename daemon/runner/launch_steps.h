// SPDX-License-Identifier: MIT
// launch_steps: the steps of a child on its way to exec that take its rights, priorities and limits; for launch*.c only.
// Each runs in memory shared with the runner: raw system calls only. 0, or a negative error: then nothing is executed.
#pragma once

#include "daemon/runner/launch.h"

int launch_set_oom_score(struct launch_child *c);
/* All limits but that of descriptors, of which the hard one is raised at most. */
int launch_set_limits(struct launch_child *c);
/* That of descriptors, once no more are opened. */
int launch_set_descriptor_limit(struct launch_child *c);
/* Policy, nice level and class of disk access. */
int launch_set_scheduling(struct launch_child *c);
/* A session keyring that nobody else has. */
int launch_set_keyring(struct launch_child *c);
/* No capabilities beyond those that the user gives. */
int launch_set_capabilities(struct launch_child *c);
int launch_set_root(struct launch_child *c);
int launch_set_groups(struct launch_child *c);
int launch_set_group(struct launch_child *c);
int launch_set_user(struct launch_child *c);
int launch_set_no_new_privileges(struct launch_child *c);

/* Before the clone, on the thread that launches: what a limit that is asked for as infinity stands for. 0 or a negative error. */
int launch_resolve_limits(struct limits *limits);
