// SPDX-License-Identifier: MIT
// journal: structured records to journald's native socket, or as logfmt or JSON lines to standard error. Never blocks:
// what can't be written waits in a bounded queue, then is dropped, counted, and the count told when records flow again.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pack.h"
#include "daemon/core/event.h"
#include "daemon/core/loop.h"

enum journal_target {
        JOURNAL_AUTO, /* journald where its socket takes records, else logfmt */
        JOURNAL_JOURNAL,
        JOURNAL_LOGFMT,
        JOURNAL_JSON,
};

#define JOURNAL_QUEUE_LIMIT (1024 * 1024) /* bytes that may wait */
#define JOURNAL_FIELDS_MAX  32

struct journal;

/* "journal", "logfmt", "json" -> the target; -EINVAL. */
int journal_target_from_string(const char *s, enum journal_target *ret);
const char *journal_target_to_string(enum journal_target target);

/* identifier is SYSLOG_IDENTIFIER (copied). The program must ignore SIGPIPE.
 * loop may be NULL (no queue: what can't be written is dropped).
 * socket_path NULL: journald's own. Returns 0, or a negative error where JOURNAL_JOURNAL is asked for and its socket is not there. */
int journal_new(struct loop *loop, enum journal_target target, const char *identifier, const char *socket_path,
                struct journal **ret);
struct journal *journal_free(struct journal *j);
/* What AUTO became. */
enum journal_target journal_target(const struct journal *j);
/* Bytes that wait to be written. */
size_t journal_queued(const struct journal *j);
/* Records lost so far. */
uint64_t journal_dropped(const struct journal *j);
/* Counts n more, which were never made, as lost: they are told with the others. */
void journal_count_dropped(struct journal *j, uint64_t n);

/* A record in the making; value-type, at most JOURNAL_QUEUE_LIMIT bytes and JOURNAL_FIELDS_MAX fields (more are left out).
 * Fields are formatted as they are added; a value may hold any bytes. It must be sent. */
struct journal_record {
        struct journal *journal;
        struct pack fields; /* owned until sent */
        int priority;
        unsigned n_fields;
};

/* Begins a record of one of our kinds: MESSAGE_ID, PRIORITY, CHIMED_EVENT are set from the table. */
struct journal_record journal_begin(struct journal *j, enum event_kind kind);
/* Begins a plain line (a job's output, a program's message) of a priority, under another identifier if not NULL. */
struct journal_record journal_begin_line(struct journal *j, int priority, const char *identifier);
void journal_field(struct journal_record *r, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
void journal_field_bytes(struct journal_record *r, const char *name, const void *value, size_t size);
void journal_field_i64(struct journal_record *r, const char *name, int64_t value);
/* journal_send(r, format, ...): the MESSAGE= and the end: sends or queues the record. Without memory, or over the bound, it is counted as
 * dropped. The record is then empty. journald gets the place of the call with it, as CODE_FILE, CODE_LINE and CODE_FUNC. */
#ifndef __FILE_NAME__ /* its last part: of gcc 12 and clang 9 on */
#define __FILE_NAME__ __FILE__
#endif
#define journal_send(r, ...) journal_send_from((r), __FILE_NAME__, __LINE__, __func__, __VA_ARGS__)
void journal_send_from(struct journal_record *r, const char *file, int line, const char *function, const char *format, ...)
        __attribute__((format(printf, 5, 6)));
/* The same with a message of any bytes, and without the place. */
void journal_send_bytes(struct journal_record *r, const void *message, size_t size);
