// SPDX-License-Identifier: MIT
// nearest: which of many known names somebody may have meant by a misspelt one.

#include "config/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static unsigned min3(unsigned a, unsigned b, unsigned c) {
        unsigned m = a < b ? a : b;
        return m < c ? m : c;
}

static bool is_same(char a, char b) {
        return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edit distance without regard to case, where two letters that changed places count once (optimal string alignment); b at most
 * NEAREST_MAX bytes. */
static unsigned distance(const char *a, const char *b) {
        unsigned rows[3][NEAREST_MAX + 1]; /* of the letter at hand and the two before it */
        size_t size = strlen(b), i = 0;

        for (size_t k = 0; k <= size; k++)
                rows[0][k] = (unsigned)k;
        for (; a[i]; i++) {
                const unsigned *before = rows[(i + 2) % 3], *last = rows[i % 3];
                unsigned *row = rows[(i + 1) % 3];
                row[0] = (unsigned)i + 1;
                for (size_t k = 1; k <= size; k++) {
                        row[k] = min3(last[k] + 1, row[k - 1] + 1, last[k - 1] + !is_same(a[i], b[k - 1]));
                        if (i > 0 && k > 1 && is_same(a[i], b[k - 2]) && is_same(a[i - 1], b[k - 1]))
                                row[k] = min3(row[k], before[k - 2] + 1, row[k]);
                }
        }
        return rows[i % 3][size];
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
