// SPDX-License-Identifier: MIT
// config_ties: the jobs that others name in OnSuccess= and its kin; for config.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/job.h"

/* A job that some file declares, good (job) or not. */
struct declared {
        struct job *job;
        char *name, *file; /* of their own only without job */
        unsigned line;
        bool is_refused; /* its ties can't be */
};

/* Looks up what the ties of all jobs name, and compiles them. The list is sorted by name; where may_be_unread, a file could not be read that may have
 * more. A name that is not there, and a circle, are errors (told); the jobs that wrote them are refused. What a default names does not hold for the
 * jobs that it names. 0, -ENOMEM. */
int config_ties_resolve(struct declared *list, size_t n, bool may_be_unread, struct agendas *agendas, struct diags *diags);
