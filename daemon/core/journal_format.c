// SPDX-License-Identifier: MIT
// journal_format: the three forms of a record. logfmt quotes as go-logfmt does; JSON has strings only, as journalctl's has.

#include "daemon/core/journal_format.h"

#include <endian.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/timestamp.h"
#include "daemon/core/util.h"

static void put_text(struct pack *p, const char *text) {
        pack_raw(p, text, strlen(text));
}

/* The length of the UTF-8 sequence at s (RFC 3629: shortest form, no surrogates), 0 where there is none. */
static size_t utf8_length(const uint8_t *s, size_t size) {
        static const struct {
                uint8_t mask, lead; /* of the first byte */
                uint32_t min;       /* the least code point that needs the length */
        } rows[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
        for (size_t n = 1; n <= ARRAY_SIZE(rows) && n <= size; n++) {
                if ((s[0] & rows[n - 1].mask) != rows[n - 1].lead)
                        continue;
                uint32_t point = s[0] & (uint8_t)~rows[n - 1].mask;
                for (size_t i = 1; i < n; i++) {
                        if ((s[i] & 0xc0) != 0x80)
                                return 0;
                        point = point << 6 | (s[i] & 0x3f);
                }
                return point < rows[n - 1].min || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : n;
        }
        return 0;
}

/* True for what a terminal might obey: C0, DEL and, as UTF-8, C1. */
static bool is_control(const uint8_t *s, size_t length) {
        return length == 1 ? *s < 0x20 || *s == 0x7f : length == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

static void put_escaped_control(struct pack *p, const uint8_t *s, size_t length) {
        static const char letters[] = "\bb\ff\nn\rr\tt";
        for (size_t i = 0; length == 1 && letters[i]; i += 2)
                if (letters[i] == *s) {
                        pack_raw(p, (char[]){'\\', letters[i + 1]}, 2);
                        return;
                }
        char text[8];
        snprintf(text, sizeof(text), "\\u%04x", s[length - 1]); /* of a C1 the second byte is the code point */
        put_text(p, text);
}

/* A string with JSON's escapes, quotes included. */
static void put_quoted(struct pack *p, const uint8_t *s, size_t size) {
        put_text(p, "\"");
        for (size_t length; size > 0; s += length, size -= length) {
                length = utf8_length(s, size);
                if (length == 0) {
                        put_text(p, "\xef\xbf\xbd"); /* U+FFFD */
                        length = 1;
                } else if (is_control(s, length))
                        put_escaped_control(p, s, length);
                else {
                        if (*s == '"' || *s == '\\')
                                put_text(p, "\\");
                        pack_raw(p, s, length);
                }
        }
        put_text(p, "\"");
}

/* True where logfmt can show a value as it is. */
static bool is_bare(const uint8_t *s, size_t size) {
        if (size == 0)
                return false;
        for (size_t length; size > 0; s += length, size -= length) {
                length = utf8_length(s, size);
                if (length == 0 || is_control(s, length) || *s == ' ' || *s == '=' || *s == '"')
                        return false;
        }
        return true;
}

static void put_native(struct pack *p, const char *name, const void *value, size_t size) {
        put_text(p, name);
        if (size > 0 && memchr(value, '\n', size)) {
                put_text(p, "\n");
                pack_u64(p, htole64(size));
        } else
                put_text(p, "=");
        pack_raw(p, value, size);
        put_text(p, "\n");
}

static void put_logfmt(struct pack *p, const char *name, const void *value, size_t size) {
        if (strcmp(name, "MESSAGE_ID") == 0 || strcmp(name, "PRIORITY") == 0)
                return;
        put_text(p, " ");
        put_text(p, name);
        put_text(p, "=");
        if (is_bare(value, size))
                pack_raw(p, value, size);
        else
                put_quoted(p, value, size);
}

static void put_json(struct pack *p, const char *name, const void *value, size_t size) {
        put_text(p, ",\"");
        put_text(p, name);
        put_text(p, "\":");
        put_quoted(p, value, size);
}

void journal_format_field(struct pack *p, enum journal_target format, const char *name, const void *value, size_t size) {
        switch (format) {
        case JOURNAL_AUTO:
        case JOURNAL_JOURNAL:
                put_native(p, name, value, size);
                break;
        case JOURNAL_LOGFMT:
                put_logfmt(p, name, value, size);
                break;
        case JOURNAL_JSON:
                put_json(p, name, value, size);
                break;
        }
}

static const char *level_name(int priority) {
        static const char *const names[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
        return (size_t)priority < ARRAY_SIZE(names) ? names[priority] : "invalid";
}

void journal_format_begin(struct pack *p, enum journal_target format, int64_t rt_us, int priority) {
        char time[40], text[128];
        if (format != JOURNAL_LOGFMT && format != JOURNAL_JSON)
                return;
        if (rt_us < 0)
                rt_us = 0;
        /* always with six digits, so that lines sort and align */
        timestamp_print_utc(rt_us - rt_us % 1000000, time);
        snprintf(text, sizeof(text),
                 format == JOURNAL_JSON ? "{\"time\":\"%.*s.%06uZ\",\"level\":\"%s\"" : "time=%.*s.%06uZ level=%s",
                 (int)strcspn(time, "Z"), time, (unsigned)(rt_us % 1000000), level_name(priority));
        put_text(p, text);
}

void journal_format_end(struct pack *p, enum journal_target format) {
        if (format == JOURNAL_LOGFMT)
                put_text(p, "\n");
        else if (format == JOURNAL_JSON)
                put_text(p, "}\n");
}
