// SPDX-License-Identifier: MIT
// pattern_words: what a pattern means, in English.
// Pure.
#pragma once

#include "config/pattern.h"

#define PATTERN_WORDS_MAX 4096 /* bytes with the end; what a pattern's text can hold stays below */

/* Prints when a pattern matches ("at 02:30 on Monday to Friday"), without its zone. It is made from what matches and not from the text, so
 * patterns that match the same times are told in the same words. Returns buf. */
char *pattern_words(const struct pattern *p, char buf[static PATTERN_WORDS_MAX]);
