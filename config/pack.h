// SPDX-License-Identifier: MIT
// pack: the one binary codec: bounded growing writer, sticky-error reader.
// Link records, definitions and the runner's run table are all written with it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A writer. Zero-initialised it is empty with no bound. Integers are stored in the host's byte order
 * (both ends are one machine). After a failed write every later one is a no-op and pack_result() tells. */
struct pack {
        uint8_t *data;
        size_t size;
        size_t allocated;
        size_t limit; /* most bytes it may hold; 0: no bound */
        int error;    /* 0, -ENOMEM or -EMSGSIZE; sticky */
};

/* Frees what the writer holds and zeroes it. Takes NULL and zeroed ones. */
void pack_done(struct pack *p);
/* Forgets the content and the error, keeps memory and limit. */
void pack_clear(struct pack *p);
/* 0, or the first error: -ENOMEM, -EMSGSIZE (over limit, or a string over 64 KiB). */
int pack_result(const struct pack *p);

void pack_u8(struct pack *p, uint8_t v);
void pack_u16(struct pack *p, uint16_t v);
void pack_u32(struct pack *p, uint32_t v);
void pack_u64(struct pack *p, uint64_t v);
void pack_i64(struct pack *p, int64_t v);
/* Raw bytes, no length before them. */
void pack_raw(struct pack *p, const void *data, size_t size);
/* u16 length, then the bytes. */
void pack_bytes(struct pack *p, const void *data, size_t size);
/* A string as pack_bytes(), NULL as the empty one. */
void pack_string(struct pack *p, const char *s);

/* A reader over borrowed bytes. A read beyond the end sets bad and returns zeros; check once, at the end. */
struct unpack {
        const uint8_t *at;
        const uint8_t *end;
        bool bad;
};

/* A reader over data, which is borrowed. */
struct unpack unpack_from(const void *data, size_t size);
uint8_t unpack_u8(struct unpack *u);
uint16_t unpack_u16(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
int64_t unpack_i64(struct unpack *u);
/* size raw bytes, borrowed from the buffer; NULL (and bad) if they are not there. */
const void *unpack_raw(struct unpack *u, size_t size);
/* u16 length and its bytes, borrowed; *ret_size is 0 and the result non-NULL for an empty one. */
const void *unpack_bytes(struct unpack *u, size_t *ret_size);
/* As unpack_bytes() for text: a fresh NUL-terminated copy is given to the caller; NUL inside is bad. 0, -ENOMEM, -EBADMSG. */
int unpack_string(struct unpack *u, char **ret);
/* 0 if all was there and nothing is left over, else -EBADMSG. */
int unpack_finish(const struct unpack *u);
