// SPDX-License-Identifier: MIT
// table: columns as wide as their cells, and no wider than the screen together.
// Two blanks between columns where there is room for them, else one; then the widest of the columns that may shrink does.

#include "daemon/ctl/table.h"

#include <errno.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdlib.h>

#include "daemon/core/util.h"
#include "daemon/ctl/text.h"

#define COLUMNS_MAX 12

struct table {
        const struct table_column *columns;
        size_t n_columns;
        char **cells; /* row by row; NULL: none was set */
        enum view_color *colors;
        size_t n_rows, allocated;
        size_t next; /* column of the next cell */
        bool has_failed;
};

int table_new(const struct table_column *columns, size_t n, struct table **ret) {
        struct table *t = n <= COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;

        if (!t)
                return -ENOMEM;
        t->columns = columns;
        t->n_columns = n;
        *ret = t;
        return 0;
}

struct table *table_free(struct table *t) {
        if (!t)
                return NULL;
        for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
                free(t->cells[i]);
        free(t->cells);
        free(t->colors);
        free(t);
        return NULL;
}

static bool grow(struct table *t) {
        size_t wanted = t->allocated ? t->allocated * 2 : 32;
        char **cells = reallocarray(t->cells, wanted * t->n_columns, sizeof(*cells));
        if (cells)
                t->cells = cells;
        enum view_color *colors = reallocarray(t->colors, wanted, sizeof(*colors));
        if (colors)
                t->colors = colors;
        if (!cells || !colors)
                return false;
        t->allocated = wanted;
        return true;
}

void table_row(struct table *t, enum view_color color) {
        if (t->n_rows == t->allocated && !grow(t)) {
                t->has_failed = true;
                return;
        }
        t->colors[t->n_rows] = color;
        for (size_t i = 0; i < t->n_columns; i++)
                t->cells[t->n_rows * t->n_columns + i] = NULL;
        t->n_rows++;
        t->next = 0;
}

void table_cell(struct table *t, const char *format, ...) {
        va_list arguments;
        char *cell = NULL;

        if (t->has_failed || t->n_rows == 0 || t->next == t->n_columns)
                return;
        va_start(arguments, format);
        if (vasprintf(&cell, format, arguments) < 0)
                t->has_failed = true;
        else
                t->cells[(t->n_rows - 1) * t->n_columns + t->next++] = cell;
        va_end(arguments);
}

static const char *cell_at(const struct table *t, size_t row, size_t column) {
        const char *cell = t->cells[row * t->n_columns + column];

        return cell ? cell : "-";
}

static size_t total(const size_t *widths, size_t n, size_t gap) {
        size_t sum = gap * (n - 1);

        for (size_t i = 0; i < n; i++)
                sum += widths[i];
        return sum;
}

/* Sets the widths, returns the blanks between columns. */
static size_t lay_out(const struct table *t, const struct view *v, size_t *widths) {
        for (size_t i = 0; i < t->n_columns; i++) {
                widths[i] = v->has_legend ? text_width(t->columns[i].header) : 0;
                for (size_t row = 0; row < t->n_rows; row++) {
                        size_t width = text_width(cell_at(t, row, i));
                        widths[i] = width > widths[i] ? width : widths[i];
                }
        }
        if (total(widths, t->n_columns, 2) <= v->width)
                return 2;
        while (total(widths, t->n_columns, 1) > v->width) {
                size_t *widest = NULL;
                for (size_t i = 0; i < t->n_columns; i++)
                        if (t->columns[i].min > 0 && widths[i] > t->columns[i].min && (!widest || widths[i] > *widest))
                                widest = &widths[i];
                if (!widest)
                        break;
                (*widest)--;
        }
        return 1;
}

/* A row, or the header. Blanks are printed only before what is not blank. */
static int print_row(const struct table *t, const struct view *v, const size_t *widths, size_t gap, size_t row, bool is_header,
                     FILE *out) {
        size_t blanks = 0;

        for (size_t i = 0; i < t->n_columns; i++) {
                const char *text = is_header ? t->columns[i].header : cell_at(t, row, i);
                enum view_color color = is_header ? VIEW_HEADER : i == 0 ? t->colors[row] : VIEW_PLAIN;
                _cleanup_free_ char *cut = text_ellipsize(text, t->columns[i].min > 0 ? widths[i] : SIZE_MAX, v->is_utf8);
                if (!cut)
                        return -ENOMEM;
                size_t used = text_width(cut), pad = used < widths[i] ? widths[i] - used : 0;
                if (t->columns[i].is_right)
                        blanks += pad;
                if (used > 0) {
                        fprintf(out, "%*s", (int)blanks, "");
                        blanks = 0;
                }
                if (color != VIEW_PLAIN)
                        view_color(v, out, color);
                fputs(cut, out);
                if (color != VIEW_PLAIN)
                        view_color(v, out, VIEW_PLAIN);
                blanks += gap + (t->columns[i].is_right ? 0 : pad);
        }
        fputc('\n', out);
        return 0;
}

int table_print(const struct table *t, const struct view *v, FILE *out) {
        size_t widths[COLUMNS_MAX] = {};

        if (t->has_failed)
                return -ENOMEM;
        if (t->n_rows == 0)
                return 0;
        size_t gap = lay_out(t, v, widths);
        int r = v->has_legend ? print_row(t, v, widths, gap, 0, true, out) : 0;
        for (size_t row = 0; r == 0 && row < t->n_rows; row++)
                r = print_row(t, v, widths, gap, row, false, out);
        return r;
}
