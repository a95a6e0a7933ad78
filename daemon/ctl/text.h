// SPDX-License-Identifier: MIT
// text: strings for terminals: what must not reach one, how wide they are, how they are cut and wrapped.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Replaces in place what a terminal might obey by ".": C0, DEL, and C1 as UTF-8; with is_lines line breaks and tabs stay. Bytes
 * that are no UTF-8 become ".", too. */
void text_clean(char *text, bool is_lines);
/* How many columns it takes. */
size_t text_width(const char *text);
/* A copy of at most `width` columns, cut in the middle, given to the caller; NULL without memory. */
char *text_ellipsize(const char *text, size_t width, bool is_utf8);
/* Prints words between `indent` and `width`, the first line from column `at` on, and ends the line. */
void text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t width);
