// SPDX-License-Identifier: MIT
// journal_format: one record as journald's native datagram, as a logfmt line or as a JSON line. Pure.
// For journal.c and its tests only. Errors are in the writer.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "config/pack.h"
#include "daemon/core/journal.h"

/* Begins a record: time and level in the two line formats, nothing in the native one. */
void journal_format_begin(struct pack *p, enum journal_target format, int64_t rt_us, int priority);
/* Adds a field; value may hold any bytes. In the lines bytes that are no UTF-8 become U+FFFD and control characters are
 * escaped. logfmt leaves out MESSAGE_ID and PRIORITY, which its readers have no use for. */
void journal_format_field(struct pack *p, enum journal_target format, const char *name, const void *value, size_t size);
/* Ends a line. */
void journal_format_end(struct pack *p, enum journal_target format);
