// SPDX-License-Identifier: MIT
// utf8: whether text is UTF-8.
// Pure.
#pragma once

#include <stddef.h>

/* Offset of the first byte of text that is not UTF-8, or size. Refuses overlong forms, surrogates and what is beyond U+10FFFF. */
size_t utf8_find_bad(const char *text, size_t size);
