// SPDX-License-Identifier: MIT
// diag: the diagnostics of one reading of the configuration, in order, bounded.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define DIAGS_MAX 1000 /* kept, at most half of them warnings; more are only counted */

struct diag {
        char *file;
        unsigned line;   /* from 1; 0: the file as a whole */
        unsigned column; /* from 1, in bytes; 0: the line as a whole */
        bool is_warning;
        char *text; /* what is wrong, and what would be right; one line */
};

struct diags {
        struct diag *list;
        size_t n;
        size_t n_errors, n_warnings; /* all, the dropped ones too */
        bool out_of_memory;          /* something could not be recorded */
};

void diags_done(struct diags *d);
/* Adds one; file is copied. Never fails: what can't be kept is counted. */
void diags_add(struct diags *d, bool is_warning, const char *file, unsigned line, unsigned column, const char *format, ...)
        __attribute__((format(printf, 6, 7)));
/* Orders what is kept by file and place; what is at one place keeps its order. */
void diags_sort(struct diags *d);
/* "file:line:column: warning: text" without newline, given to the caller; NULL without memory. */
char *diag_print(const struct diag *d);
