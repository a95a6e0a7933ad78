// SPDX-License-Identifier: MIT
// memory_stream: a stream whose text gathers in memory, and which tells where there was none for it.
#pragma once

#include <stddef.h>
#include <stdio.h>

/* As open_memstream(), which goes on without a word behind what it had no memory for: here ferror() is set then, and fclose() is EOF.
 * *text is a text whenever the stream was flushed, and the caller's to free after fclose(), whatever that returns. fseek(f, 0, SEEK_SET)
 * begins anew with nothing. NULL without memory. */
FILE *memory_stream_open(char **text, size_t *size);
/* Closes the stream, and gives its text; where it is not whole frees it. NULL then, and for a stream that is NULL. */
char *memory_stream_finish(FILE *stream, char **text);
