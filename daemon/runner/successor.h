// SPDX-License-Identifier: MIT
// successor: asks the program that is to go on in our place what it can be handed over, before anything is given up for it: one that
// can't run here, or knows other forms, would take all runs with it.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "daemon/core/loop.h"
#include "daemon/runner/launch.h"

#define SUCCESSOR_WHY_MAX 320

struct successor;

/* NULL: it can go on in our place; else why it can't, borrowed for the call. */
typedef void (*successor_fn)(void *userdata, const char *why);

/* pool is borrowed. 0 or -ENOMEM. */
int successor_new(struct loop *loop, struct launch_pool *pool, successor_fn on_answer, void *userdata, struct successor **ret);
/* Takes NULL, returns NULL. The loop is not to run any more. */
struct successor *successor_free(struct successor *successor);

/* Executes program with --version. on_answer follows, out of the loop, however long it takes. 0; -EBUSY: the one asked before has not
 * ended; -ENOMEM. */
int successor_ask(struct successor *successor, const char *program);
/* What was asked is not to be answered any more: the program is killed. */
void successor_drop(struct successor *successor);
bool successor_owns_pid(const struct successor *successor, pid_t pid);
