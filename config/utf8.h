// SPDX-License-Identifier: MIT
// utf8: whether text is UTF-8, and may be shown.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Offset of the first byte of text that is not UTF-8, or size. Refuses overlong forms, surrogates and what is beyond U+10FFFF. */
size_t utf8_find_bad(const char *text, size_t size);
/* True at a character that a terminal might obey: C0, DEL, C1. at is in a string. */
bool utf8_is_control(const char *at);
/* How many bytes, at most max, of a string are whole characters: for "%.*s". */
int utf8_fit(const char *text, size_t max);
/* What is no UTF-8 or a control character becomes "?", byte by byte; a tab or newline becomes a blank. */
void utf8_make_one_line(char *text);
