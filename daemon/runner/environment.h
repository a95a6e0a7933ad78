// SPDX-License-Identifier: MIT
// environment: a job's environment: a list of NAME=VALUE where the later one wins, and EnvironmentFile=.
#pragma once

#include <stddef.h>

#include "config/job.h"

#define ENVIRONMENT_FILE_MAX (64 * 1024)
#define ENVIRONMENT_MAX      4096 /* variables */

/* A growing NULL-terminated list; zero-initialised it is empty. */
struct environment {
        char **list; /* NULL while empty */
        size_t n, allocated;
};

void environment_done(struct environment *e);
/* Sets "NAME=VALUE" (copied), in place of an earlier one of that name. 0, -ENOMEM, -E2BIG. */
int environment_set(struct environment *e, const char *assignment);
/* The same from name and value. */
int environment_set_value(struct environment *e, const char *name, const char *value);
/* The value of a name, borrowed, or NULL. */
const char *environment_get(const struct environment *e, const char *name);

/* Sets what the text (with a NUL behind its size bytes) says, in systemd's syntax: NAME=VALUE lines, quotes, backslashes, comments in # and ; lines. As there, lines
 * without a valid name are passed over. 0, -ENOMEM, -E2BIG, -EINVAL for NUL bytes or a quote that is not closed. */
int environment_parse(struct environment *e, const char *text, size_t size);
/* Reads a file: regular, at most ENVIRONMENT_FILE_MAX bytes. May block on its file system: for launching threads.
 * 0, or the error: of opening or reading, -EINVAL no regular file, -EFBIG, those of environment_parse(). */
int environment_read_file(struct environment *e, const char *path);

/* Sets those of the list that the words of PassEnvironment= name. 0, -ENOMEM, -E2BIG. */
int environment_pass(struct environment *e, char *const *words, char *const *list);

/* All of a job's: base, its files, its Environment=, then fixed, which nothing overrides. Both lists may be NULL. */
int environment_build(struct environment *e, char *const *base, const struct job_what *what, char *const *fixed);
