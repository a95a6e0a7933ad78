// SPDX-License-Identifier: MIT
// acyclic: which edges of a graph close a circle: those that lead back onto the path by which they were reached, depth first. The path is kept as
// a list, for a circle may be as long as there are edges.

#include "config/acyclic.h"

#include <errno.h>
#include <stdlib.h>

enum mark { NODE_NEW, NODE_ON_PATH, NODE_DONE };

struct walk {
        const struct edge *edges;
        size_t n;
        uint8_t *marks; /* a node's enum mark */
        uint32_t *path; /* at each step, the edge that is being looked at */
        size_t n_path;
};

int edge_compare(const void *a, const void *b) {
        const struct edge *x = a, *y = b;

        if (x->from != y->from)
                return x->from < y->from ? -1 : 1;
        if (x->to != y->to)
                return x->to < y->to ? -1 : 1;
        return (x->tag > y->tag) - (x->tag < y->tag);
}

static size_t first_of(const struct walk *w, uint32_t node) {
        size_t first = 0, end = w->n;

        while (first < end) {
                size_t middle = first + (end - first) / 2;
                if (w->edges[middle].from < node)
                        first = middle + 1;
                else
                        end = middle;
        }
        return first;
}

/* A node without edges of its own is on no circle. */
static void enter(struct walk *w, uint32_t node) {
        size_t first = first_of(w, node);

        w->marks[node] = NODE_DONE;
        if (first == w->n || w->edges[first].from != node)
                return;
        w->marks[node] = NODE_ON_PATH;
        w->path[w->n_path++] = (uint32_t)first;
}

/* To the next edge, of the node at the path's end or of one before it. */
static void go_on(struct walk *w) {
        while (w->n_path > 0) {
                uint32_t at = w->path[w->n_path - 1]++, node = w->edges[at].from;
                if (at + 1 < w->n && w->edges[at + 1].from == node)
                        return;
                w->marks[node] = NODE_DONE;
                w->n_path--;
        }
}

int edges_find_circles(const struct edge *edges, size_t n, uint32_t n_nodes,
                       void (*found)(void *userdata, const uint32_t *circle, size_t n_circle), void *userdata) {
        struct walk w = {
                .edges = edges,
                .n = n,
                .marks = calloc(n_nodes + 1, sizeof(*w.marks)),
                .path = calloc(n + 1, sizeof(*w.path)),
        };
        int r = w.marks && w.path ? 0 : -ENOMEM;

        for (size_t i = 0; r == 0 && i < n; i++) {
                if (w.marks[edges[i].from] == NODE_NEW)
                        enter(&w, edges[i].from);
                while (w.n_path > 0) {
                        uint32_t to = edges[w.path[w.n_path - 1]].to;
                        if (w.marks[to] == NODE_NEW) {
                                enter(&w, to);
                                continue;
                        }
                        size_t step = w.n_path - 1;
                        while (w.marks[to] == NODE_ON_PATH && edges[w.path[step]].from != to)
                                step--;
                        if (w.marks[to] == NODE_ON_PATH)
                                found(userdata, w.path + step, w.n_path - step);
                        go_on(&w);
                }
        }
        free(w.marks);
        free(w.path);
        return r;
}
