// SPDX-License-Identifier: MIT
// nearest: which of many known names somebody may have meant by a misspelt one.

#include "config/nearest.h"

#include <ctype.h>
#include <string.h>

static unsigned min3(unsigned a, unsigned b, unsigned c) {
        unsigned m = a < b ? a : b;
        return m < c ? m : c;
}

/* Edit distance (Levenshtein) without regard to case; b at most NEAREST_MAX bytes. */
static unsigned distance(const char *a, const char *b) {
        unsigned row[NEAREST_MAX + 1];
        size_t size = strlen(b);

        for (size_t k = 0; k <= size; k++)
                row[k] = (unsigned)k;
        for (size_t i = 0; a[i]; i++) {
                unsigned diagonal = row[0];
                row[0] = (unsigned)i + 1;
                for (size_t k = 1; k <= size; k++) {
                        unsigned differs = tolower((unsigned char)a[i]) != tolower((unsigned char)b[k - 1]);
                        unsigned best = min3(row[k] + 1, row[k - 1] + 1, diagonal + differs);
                        diagonal = row[k];
                        row[k] = best;
                }
        }
        return row[size];
}

struct nearest nearest_begin(const char *name) {
        size_t size = strlen(name);

        return (struct nearest){.name = name, .limit = size > NEAREST_MAX ? 0 : 2 + (unsigned)size / 5};
}

void nearest_offer(struct nearest *n, const char *candidate) {
        if (n->limit == 0 || strlen(candidate) > NEAREST_MAX)
                return;
        unsigned d = distance(n->name, candidate);
        if (d < n->limit) {
                n->limit = d;
                n->found = candidate;
        }
}
