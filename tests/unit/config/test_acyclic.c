// SPDX-License-Identifier: MIT
// acyclic: each circle is found once, by the edge that closes it, and without those edges there is none.

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "config/acyclic.h"
#include "tests/unit/run_suite.h"

/* Edges as "ab bc": from a to b, from b to c. */
static const struct {
        const char *edges, *circles;
} graphs[] = {
        {"", ""},
        {"ab bc cd", ""},
        {"ab ac bd cd", ""},
        {"aa", "aa "},
        {"ab ba", "abba "},
        {"ab bc ca", "abbcca "},
        {"ab bc cd db", "bccddb "},
        {"ab ba bc cb", "abba bccb "},
        {"ab bc ca cd de ec", "abbcca cddeec "},
        {"ab ac ba ca", "abba acca "},
        {"ba cb ac", "accbba "},
        {"ab bc bd db ca", "abbcca bddb "},
};

struct found {
        const struct edge *edges;
        char text[200];
        bool is_closing[20];
};

static void on_circle(void *userdata, const uint32_t *circle, size_t n) {
        struct found *found = userdata;

        for (size_t i = 0; i < n; i++) {
                const struct edge *edge = &found->edges[circle[i]];
                char text[] = {(char)('a' + edge->from), (char)('a' + edge->to), 0};
                strcat(found->text, text);
        }
        strcat(found->text, " ");
        found->is_closing[circle[n - 1]] = true;
}

START_TEST(circles_are_found) {
        struct edge edges[20];
        struct found found = {.edges = edges}, again = {.edges = edges};
        size_t n = 0, n_left = 0;

        for (const char *at = graphs[_i].edges; *at; at += at[2] ? 3 : 2)
                edges[n++] = (struct edge){.from = (uint32_t)(at[0] - 'a'), .to = (uint32_t)(at[1] - 'a')};
        qsort(edges, n, sizeof(edges[0]), edge_compare);
        ck_assert_int_eq(edges_find_circles(edges, n, 26, on_circle, &found), 0);
        ck_assert_msg(strcmp(found.text, graphs[_i].circles) == 0, "\"%s\" has \"%s\"", graphs[_i].edges, found.text);
        for (size_t i = 0; i < n; i++)
                if (!found.is_closing[i])
                        edges[n_left++] = edges[i];
        ck_assert_int_eq(edges_find_circles(edges, n_left, 26, on_circle, &again), 0);
        ck_assert_str_eq(again.text, "");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("acyclic");
        TCase *tcase = tcase_create("acyclic");

        tcase_add_loop_test(tcase, circles_are_found, 0, sizeof(graphs) / sizeof(graphs[0]));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
