// SPDX-License-Identifier: MIT
// nearest: which of many known names somebody may have meant by a misspelt one.
// Pure.
#pragma once

#define NEAREST_MAX 64 /* bytes of a name that is compared; longer ones are near to nothing */

struct nearest {
        const char *name;  /* what was written; borrowed */
        const char *found; /* the nearest one offered so far, borrowed; NULL: none is near enough */
        unsigned limit;    /* private */
};

/* Begins with a misspelt name; then offer each known one, and take `found`. */
struct nearest nearest_begin(const char *name);
void nearest_offer(struct nearest *n, const char *candidate);
