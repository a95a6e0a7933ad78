// SPDX-License-Identifier: MIT
// replace: writes a file that is there as a whole or as it was before.
#pragma once

#include <stdbool.h>
#include <stdio.h>

struct replace {
        const char *path; /* borrowed */
        char *temporary;  /* beside it */
        FILE *out;        /* what is to be in it */
};

/* Begins to write. 0; -EEXIST: what has this name is no regular file, and is left alone; another negative errno. */
int replace_begin(struct replace *r, const char *path);
/* Puts it into place, or with is_good false takes it away. 0 or a negative errno: then all is as before. */
int replace_end(struct replace *r, bool is_good);
