// SPDX-License-Identifier: MIT
// table: columns as wide as their cells, and no wider than the screen together.
#pragma once

#include "daemon/ctl/view.h"

struct table_column {
        const char *header;
        bool is_right; /* aligned so */
        size_t min;    /* cells are cut in the middle down to this where the screen is too narrow; 0: never */
};

struct table;

/* columns is borrowed. 0, -ENOMEM. */
int table_new(const struct table_column *columns, size_t n, struct table **ret);
struct table *table_free(struct table *t);
/* Begins a row; the colour is for its first cell. */
void table_row(struct table *t, enum view_color color);
/* The next cell of the row. Lack of memory is told by table_print(). */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints header (where the view has a legend and there are rows) and rows, without blanks at the ends of lines. 0, -ENOMEM. */
int table_print(const struct table *t, const struct view *v, FILE *out);
