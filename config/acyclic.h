// SPDX-License-Identifier: MIT
// acyclic: which edges of a graph close a circle.
// Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct edge {
        uint32_t from, to; /* numbers of nodes */
        uint32_t tag;      /* the caller's */
};

/* For qsort(): by from, then to, then tag. */
int edge_compare(const void *a, const void *b);

/* Calls found() for each edge that closes a circle, with the edges of the circle in their order, the closing one last; without those all others are
 * free of circles. The edges are sorted; nodes are below n_nodes. Linear. 0, -ENOMEM. */
int edges_find_circles(const struct edge *edges, size_t n, uint32_t n_nodes,
                       void (*found)(void *userdata, const uint32_t *circle, size_t n_circle), void *userdata);
