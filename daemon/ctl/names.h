// SPDX-License-Identifier: MIT
// names: the jobs that the command line means: names, patterns and groups.
#pragma once

#include "daemon/ctl/session.h"

struct names {
        char **list; /* sorted as they were given; owned */
        size_t n;
};

/* Turns names, patterns (fnmatch) and groups (@NAME) into jobs, each once; without any, none. Nothing is taken where one means no job, so that
 * starting is all or nothing; a single plain name is not looked up. An exit status; failures are told. */
int names_resolve(struct session *s, char *const *given, size_t n, struct names *ret);
/* The same for what is done to a group as one: "@NAME" stays. */
int names_resolve_targets(struct session *s, char *const *given, size_t n, struct names *ret);
void names_done(struct names *names);
/* The jobs that names and patterns mean, or without any all, as ListJobs gives them: an array given to the caller. An exit status;
 * failures are told. */
int names_list_jobs(struct session *s, char *const *given, size_t n, json_t **ret);
/* The job whose name is nearest to one that there is not, given to the caller; NULL: none is near, or nobody could be asked. */
char *names_nearest(struct session *s, const char *name);
