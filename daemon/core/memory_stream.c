// SPDX-License-Identifier: MIT
// memory_stream: a stream of the C library with a place of ours behind it: the library then notes itself what could not be written.

#include "daemon/core/memory_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ALLOCATED_FIRST 256

struct place {
        char **text;
        size_t *size, allocated;
};

/* The bytes taken; less than n is an error to the library, 0 with errno. */
static ssize_t take(void *cookie, const char *data, size_t n) {
        struct place *place = cookie;
        size_t wanted = *place->size + n + 1;

        if (wanted > place->allocated) {
                size_t allocated = 2 * place->allocated > wanted ? 2 * place->allocated : wanted;
                char *text = realloc(*place->text, allocated);
                if (!text)
                        return 0;
                *place->text = text;
                place->allocated = allocated;
        }
        memcpy(*place->text + *place->size, data, n);
        *place->size += n;
        (*place->text)[*place->size] = '\0';
        return (ssize_t)n;
}

static int begin_anew(void *cookie, off64_t *position, int whence) {
        struct place *place = cookie;

        if (whence != SEEK_SET || *position != 0) {
                errno = EINVAL;
                return -1;
        }
        *place->size = 0;
        (*place->text)[0] = '\0';
        return 0;
}

static int leave(void *cookie) {
        free(cookie);
        return 0;
}

FILE *memory_stream_open(char **text, size_t *size) {
        struct place *place = malloc(sizeof(*place));
        char *first = malloc(ALLOCATED_FIRST);
        FILE *stream = place && first ? fopencookie(place, "w",
                                                    (cookie_io_functions_t){.write = take, .seek = begin_anew, .close = leave})
                                      : NULL;

        if (!stream) {
                free(place);
                free(first);
                return NULL;
        }
        first[0] = '\0';
        *text = first; /* given */
        *size = 0;
        *place = (struct place){.text = text, .size = size, .allocated = ALLOCATED_FIRST};
        return stream;
}

char *memory_stream_finish(FILE *stream, char **text) {
        if (!stream)
                return NULL;
        bool is_whole = !ferror(stream);
        is_whole = fclose(stream) == 0 && is_whole;
        if (is_whole)
                return *text;
        free(*text);
        *text = NULL;
        return NULL;
}
