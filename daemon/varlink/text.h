// SPDX-License-Identifier: MIT
// text: bytes of jobs and files as text that JSON can hold: UTF-8 with U+FFFD for what is none, or Base64.
// Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "config/pack.h"

/* A character that a piece of a stream has begun and the next one should end. Zero-initialise. */
struct text_carry {
        char bytes[3];
        unsigned char n;
};

/* Appends a piece to out (errors are in the writer): each byte that can't be part of UTF-8 becomes U+FFFD, as does NUL. What may
 * still become a character at the end of the piece waits in carry; with is_last, or without a carry, it is bad too. */
void text_put_utf8(struct pack *out, struct text_carry *carry, const char *data, size_t size, bool is_last);
/* True where all of it is UTF-8 without NUL. */
bool text_is_utf8(const char *data, size_t size);
/* Appends bytes as Base64, padded. */
void text_put_base64(struct pack *out, const char *data, size_t size);
