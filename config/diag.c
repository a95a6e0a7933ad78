// SPDX-License-Identifier: MIT
// diag: the diagnostics of one reading of the configuration, in order, bounded.
// Adding never fails: a reader must be able to report in any state, so what can't be kept is counted.

#include "config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"

void diags_done(struct diags *d) {
        if (!d)
                return;
        for (size_t i = 0; i < d->n; i++) {
                free(d->list[i].file);
                free(d->list[i].text);
        }
        free(d->list);
        *d = (struct diags){};
}

/* Grows the list by powers of two; its capacity is the next one above n. */
static bool diags_grow(struct diags *d) {
        if (d->n & (d->n - 1) || (d->n > 0 && d->n < 8))
                return true;
        size_t capacity = d->n ? d->n * 2 : 8;
        struct diag *list = realloc(d->list, capacity * sizeof(*list));
        if (!list)
                return false;
        d->list = list;
        return true;
}

void diags_add(struct diags *d, bool is_warning, const char *file, unsigned line, unsigned column, const char *format, ...) {
        va_list arguments;
        struct diag diag = {.line = line, .column = column, .is_warning = is_warning};

        *(is_warning ? &d->n_warnings : &d->n_errors) += 1;
        if (d->n >= DIAGS_MAX || (is_warning && d->n_warnings > DIAGS_MAX / 2))
                return;
        diag.file = strdup(file ? file : "");
        va_start(arguments, format);
        if (vasprintf(&diag.text, format, arguments) < 0)
                diag.text = NULL;
        va_end(arguments);
        if (!diag.file || !diag.text || !diags_grow(d)) {
                free(diag.file);
                free(diag.text);
                d->out_of_memory = true;
                return;
        }
        /* names and values are quoted in texts, often cut, and a text is one line of UTF-8 wherever it is shown */
        utf8_make_one_line(diag.file);
        utf8_make_one_line(diag.text);
        d->list[d->n++] = diag;
}

static bool is_after(const struct diag *a, const struct diag *b) {
        int order = strcmp(a->file, b->file);

        if (order != 0)
                return order > 0;
        return a->line != b->line ? a->line > b->line : a->column > b->column;
}

void diags_sort(struct diags *d) {
        /* by insertion: stable, the list is bounded, and its files come nearly in order */
        for (size_t i = 1; i < d->n; i++) {
                struct diag diag = d->list[i];
                size_t k = i;
                for (; k > 0 && is_after(&d->list[k - 1], &diag); k--)
                        d->list[k] = d->list[k - 1];
                d->list[k] = diag;
        }
}

char *diag_print(const struct diag *d) {
        char place[32] = "", *text;

        if (d->line > 0 && d->column > 0)
                snprintf(place, sizeof(place), ":%u:%u", d->line, d->column);
        else if (d->line > 0)
                snprintf(place, sizeof(place), ":%u", d->line);
        if (asprintf(&text, "%s%s%s%s%s", d->file, place, d->file[0] ? ": " : "", d->is_warning ? "warning: " : "", d->text) <
            0)
                return NULL;
        return text;
}
