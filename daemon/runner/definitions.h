// SPDX-License-Identifier: MIT
// definitions: the store of what jobs run: by hash and by name, one generation in force and the next in the making.
// The only source of what a START may run. A definition holds what is its own; what many have alike (the when-text, the manner of
// running) is kept once.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/hash.h"
#include "config/job.h"
#include "config/pack.h"
#include "daemon/core/clock.h"
#include "daemon/core/wire.h"
#include "daemon/runner/blob.h"

enum definition_state {
        DEFINITION_NEXT,    /* of the generation in the making; not to be run yet */
        DEFINITION_CURRENT, /* in force */
        DEFINITION_RETIRED, /* replaced or removed; a START that is on its way may still name it */
};

struct definition {
        struct hash128 hash;
        int64_t since_rt_us, since_bt_us; /* when its name was first in force */
        struct wire_trail *trail;         /* what a new scheduler must know; NULL before the first START */
        struct blob *when;                /* the canonical text */
        struct blob *manner;              /* the leading part of the encoded what */
        struct blob *file;                /* the path of where it came from, with its NUL */
        uint16_t n_uses;                  /* runs that hold it */
        uint16_t command_size;            /* the rest of the encoded what */
        uint32_t line : 27;               /* in the file */
        uint32_t state : 2;
        bool is_unsent : 1;  /* the scheduler must learn of it (current), or of its name's end (retired) */
        bool is_removed : 1; /* retired, and nothing took its name over */
        bool is_next : 1;    /* of the generation in the making, whatever its state */
        char text[];         /* name, command */
};

static inline const char *definition_name(const struct definition *d) {
        return d->text;
}

static inline const char *definition_file(const struct definition *d) {
        return (const char *)d->file->data;
}

/* Appends the encoded what half, whole. Errors are in the writer. */
void definition_put_what(const struct definition *d, struct pack *p);
/* Appends it as the link tells it: its hash, when half and trail. */
void definition_put_define(const struct definition *d, struct pack *p);
/* True where its work is done by a host. */
bool definition_is_hosted(const struct definition *d);
/* What its host is called, for people; what: its own. Borrowed of both. */
const char *definition_host_name(const struct definition *d, const struct job_what *what);
/* Which definitions may share that. 0; -EBADMSG: its what half can't be decoded; -ENOMEM. */
int definition_host_hash(const struct definition *d, struct hash128 *ret);
/* Decodes it. *ret as for job_what_decode(); so are the errors. */
int definition_decode_what(const struct definition *d, struct job_what *ret);

/* A definition as the reader tells it; all is borrowed and copied. */
struct definition_text {
        struct hash128 hash;
        const char *name, *file;
        uint32_t line;
        const void *when, *what;
        size_t when_size, what_size;
};

/* A hash table of borrowed definitions; open addressing. */
struct definition_table {
        struct definition **slots;
        size_t n, allocated; /* allocated is 0 or a power of two */
};

struct definitions {
        struct definition_table by_hash; /* all */
        struct definition_table current; /* by name: the generation in force */
        struct definition_table next;    /* by name: the one in the making */
        struct definition **retired;
        size_t n_retired, allocated_retired;
        struct blobs shared;
        uint64_t *broken; /* of the next generation: keys of files and jobs that could not be read */
        size_t n_broken, allocated_broken;
};

struct definitions_delta {
        uint32_t n_added, n_changed, n_removed;
};

void definitions_init(struct definitions *d);
void definitions_done(struct definitions *d);

/* Keys that name a file, or a job, in definitions_add_broken(). */
uint64_t definitions_file_key(const char *file);
uint64_t definitions_name_key(const char *name);

/* Puts one back as another process had it, in force or retired. All is borrowed and copied; since and trail are those of define.
 * 0; -EEXIST: its hash, or its name in force, is already there; -EINVAL: no job name; -ENOMEM. */
int definitions_restore(struct definitions *d, const struct definition_text *text, const struct wire_define *define,
                        bool is_retired);
/* Adds to the next generation. An equal one (by hash) is used again. 0; -EEXIST: its name is already there; -EINVAL: no job name; -EMSGSIZE; -ENOMEM. */
int definitions_add(struct definitions *d, const struct definition_text *text);
/* What had this key in force stays in force where the next generation does not define it anew. 0, -ENOMEM. */
int definitions_add_broken(struct definitions *d, uint64_t key);
/* True if that was said of this key since the last swap. */
bool definitions_is_broken(const struct definitions *d, uint64_t key);
/* Forgets the generation in the making. */
void definitions_abandon(struct definitions *d);
/* Puts the next generation into force and retires what it replaced. What is new or gone is marked is_unsent.
 * 0, or -ENOMEM: nothing has changed. */
int definitions_swap(struct definitions *d, struct clock_sample now, struct definitions_delta *ret);
/* Frees the retired ones that no run holds: no START can name them any more. */
void definitions_purge(struct definitions *d);

/* The definition that may be run under this hash, in force or retired; or NULL. Borrowed. */
struct definition *definitions_by_hash(const struct definitions *d, const struct hash128 *hash);
/* The one in force under this name, or NULL. Borrowed. */
struct definition *definitions_by_name(const struct definitions *d, const char *name);
/* Walks those in force: *cursor begins at 0. NULL at the end. Valid while nothing is swapped. */
struct definition *definitions_walk(const struct definitions *d, size_t *cursor);

/* The trail of the job of this definition, made where there is none; NULL where its name is gone, or without memory. */
struct wire_trail *definitions_trail(struct definitions *d, const struct definition *of);
