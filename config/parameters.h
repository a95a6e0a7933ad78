// SPDX-License-Identifier: MIT
// parameters: what a trigger passes to the run that it asks for: NAME=VALUE, each ended by a NUL, in the order of their names.
// Pure. One set has one form, so that two are the same where their bytes are.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define PARAMETERS_MAX     (16 * 1024) /* bytes of a set, with the ends */
#define PARAMETERS_N_MAX   64          /* of a set, and names that a job accepts */
#define PARAMETER_NAME_MAX 64          /* bytes; letters, digits and _, first none of the digits */

struct parameter {
        const char *name; /* not ended: name_size bytes */
        size_t name_size;
        const char *value;
};

/* True for the name of a parameter. */
bool parameter_name_is_valid(const char *name, size_t size);
/* True for a set in its one form: within the bounds, no name twice, values UTF-8 without NUL. An empty one has no bytes. */
bool parameters_are_valid(const void *data, size_t size);
/* The parameter at *at, which begins as 0 and is moved behind it; false behind the last. Of a valid set only; borrows it. */
bool parameters_next(const void *data, size_t size, size_t *at, struct parameter *ret);
/* True if a name is among those accepted: NULL-terminated, NULL: none. */
bool parameter_is_accepted(const struct parameter *parameter, char *const *accepted);
/* A set of the n texts NAME=VALUE, in any order, for the caller: NULL where it is empty. 0; -EINVAL: not NAME=VALUE; -EILSEQ: no UTF-8;
 * -EEXIST: a name twice; -E2BIG: over the bounds; *ret_bad (may be NULL) is the first text that is wrong, if one is; -ENOMEM. */
int parameters_make(const char *const *texts, size_t n, char **ret, size_t *ret_size, size_t *ret_bad);
