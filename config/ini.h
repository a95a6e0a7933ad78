// SPDX-License-Identifier: MIT
// ini: INI text to section and key events with line and column, on inih.
// Values arrive whole and literal, whatever limits the distribution's inih was built with.
#pragma once

#include <stddef.h>

#include "config/diag.h"

#define INI_LINE_MAX 65536 /* longest line in bytes; a longer one is an error */

/* What ini_parse_text() calls, in file order. All strings are borrowed for the call. */
struct ini_events {
        const char *header; /* how the first section of such a file is written, for its errors */
        /* "[KIND NAME]" or "[KIND]" (name is then ""). kind is "" for a header that is broken (told in diags). */
        void (*section)(void *userdata, unsigned line, const char *kind, const char *name);
        /* "KEY=VALUE". The value has no surrounding blanks; continuation lines are joined to it with '\n', each without the
         * indent that all of them share. column is where the value begins. Not called for keys before any section (an error). */
        void (*key)(void *userdata, unsigned line, unsigned column, const char *key, const char *value);
        /* A line that is none of the above (also told in diags). The section at hand, if any, cannot be trusted to be complete. */
        void (*broken)(void *userdata, unsigned line);
};

/* Walks text (size bytes, borrowed, any content) and reports every error to diags under the name file.
 * Returns 0 also where there were errors in the text; -ENOMEM. */
int ini_parse_text(const char *file, const char *text, size_t size, const struct ini_events *events, void *userdata,
                   struct diags *diags);
