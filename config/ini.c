// SPDX-License-Identifier: MIT
// ini: INI text to section and key events with line and column, on inih.
// Distributions build inih with different limits, comment and continuation rules, and it cuts long lines silently. So this module
// is its line source: it classifies each line itself and hands inih a stand-in of a few bytes ("[s]", "key=+", " +"). inih calls
// the handler before it asks for the next line, so the handler takes the line at hand from here, whole and literal.

#include "config/ini.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"

#define KEY_MAX         64
#define SECTION_MAX     256
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct ini {
        const char *file;
        const struct ini_events *events;
        void *userdata;
        struct diags *diags;
        int error;

        const char *next, *end; /* the text that is still to come */
        const char *at;         /* the line at hand */
        size_t size;
        unsigned line;

        bool has_section;
        bool is_swallowing; /* continuation lines belong to a broken line */
        unsigned blank;     /* blank lines since the value's last line */

        /* the value that later lines may still continue */
        bool has_key;
        char key[KEY_MAX + 1];
        unsigned key_line, key_column;
        char *value;
        size_t value_size, value_allocated;
        const char *indent; /* what the continuation lines have in common */
        size_t indent_size;
};

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

static bool is_name_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

static size_t control_find(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
                        return i;
        return size;
}

/* Takes the next line without its end ("\n", "\r\n" or the end of the text). False at the end. */
static bool line_next(struct ini *ini) {
        if (ini->next == ini->end)
                return false;
        const char *end = memchr(ini->next, '\n', (size_t)(ini->end - ini->next));
        ini->at = ini->next;
        ini->next = end ? end + 1 : ini->end;
        ini->size = (size_t)((end ? end : ini->end) - ini->at);
        if (ini->size > 0 && ini->at[ini->size - 1] == '\r')
                ini->size--;
        ini->line++;
        return true;
}

/* Removes the shared indent from the continuation lines and the blanks around the whole. */
static char *value_finish(struct ini *ini) {
        char *from = ini->value, *to = ini->value, *end = ini->value + ini->value_size;

        while (from < end) {
                char c = *from++;
                *to++ = c;
                if (c == '\n' && from < end && *from != '\n')
                        from += ini->indent_size;
        }
        while (to > ini->value && (is_blank(to[-1]) || to[-1] == '\n'))
                to--;
        *to = 0;
        return ini->value + strspn(ini->value, " \t\n");
}

/* Gives out the key at hand: nothing can continue it any more. */
static void key_flush(struct ini *ini) {
        if (!ini->has_key)
                return;
        ini->has_key = false;
        ini->events->key(ini->userdata, ini->key_line, ini->key_column, ini->key, value_finish(ini));
}

static bool value_append(struct ini *ini, const char *data, size_t size) {
        if (ini->value_size + size + 1 > ini->value_allocated) {
                size_t wanted = (ini->value_size + size + 1) * 2;
                char *value = realloc(ini->value, wanted);
                if (!value) {
                        ini->error = -ENOMEM;
                        return false;
                }
                ini->value = value;
                ini->value_allocated = wanted;
        }
        memcpy(ini->value + ini->value_size, data, size);
        ini->value_size += size;
        return true;
}

__attribute__((format(printf, 3, 4))) static const char *line_refuse(struct ini *ini, size_t column, const char *format, ...) {
        char text[200];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(text, sizeof(text), format, arguments);
        va_end(arguments);
        key_flush(ini);
        ini->is_swallowing = true;
        diags_add(ini->diags, false, ini->file, ini->line, (unsigned)column, "%s", text);
        ini->events->broken(ini->userdata, ini->line);
        return "";
}

/* Checks what no line may hold. */
static bool line_is_text(struct ini *ini) {
        size_t bad;

        if (ini->size > INI_LINE_MAX) {
                line_refuse(ini, 0, "the line has %zu bytes; at most %d are allowed, indented lines continue a value",
                            ini->size, INI_LINE_MAX);
                return false;
        }
        bad = control_find(ini->at, ini->size);
        if (bad < ini->size) {
                line_refuse(ini, bad + 1,
                            ini->at[bad] ? "control character 0x%02x; only text and tabs are allowed"
                                         : "NUL byte (0x%02x); the file is damaged or is not text",
                            (unsigned)(unsigned char)ini->at[bad]);
                return false;
        }
        bad = utf8_find_bad(ini->at, ini->size);
        if (bad < ini->size) {
                line_refuse(ini, bad + 1, "byte 0x%02x is not UTF-8; write the file in UTF-8",
                            (unsigned)(unsigned char)ini->at[bad]);
                return false;
        }
        return true;
}

/* "[KIND]" or "[KIND NAME]": inih tells its handler nothing of sections, so the event is made here. */
static const char *line_section(struct ini *ini) {
        char text[SECTION_MAX + 1], *name;
        size_t size = ini->size;
        const char *close = memchr(ini->at, ']', size), *refused = NULL;
        size_t column = 0;

        key_flush(ini);
        ini->has_section = true;
        ini->is_swallowing = true;
        while (is_blank(ini->at[size - 1]))
                size--;
        if (!close) {
                refused = "the section header has no closing ]";
                column = size;
        } else if (close != ini->at + size - 1) {
                refused = "text after the closing ] of the section header";
                for (column = (size_t)(close - ini->at) + 2; is_blank(ini->at[column - 1]);)
                        column++;
        } else if (size - 2 > SECTION_MAX)
                refused = "the section header is too long";
        if (refused) {
                diags_add(ini->diags, false, ini->file, ini->line, (unsigned)column, "%s", refused);
                ini->events->section(ini->userdata, ini->line, "", "");
                return "[s]";
        }
        memcpy(text, ini->at + 1, size - 2);
        text[size - 2] = 0;
        for (size = strlen(text); size > 0 && is_blank(text[size - 1]); size--)
                text[size - 1] = 0;
        char *kind = text + strspn(text, " \t");
        if (!*kind) {
                diags_add(ini->diags, false, ini->file, ini->line, 1, "the section header is empty; write %s",
                          ini->events->header);
                ini->events->section(ini->userdata, ini->line, "", "");
                return "[s]";
        }
        name = kind + strcspn(kind, " \t");
        if (*name)
                *name++ = 0;
        ini->is_swallowing = false;
        ini->events->section(ini->userdata, ini->line, kind, name + strspn(name, " \t"));
        return "[s]";
}

static const char *line_key(struct ini *ini) {
        size_t size = 0;
        const char *equals = memchr(ini->at, '=', ini->size);

        while (size < ini->size && is_name_char(ini->at[size]))
                size++;
        size_t value = size;
        while (value < ini->size && is_blank(ini->at[value]))
                value++;
        if (!equals)
                return line_refuse(ini, 1,
                                   "neither [section], KEY=VALUE nor a comment; a line that continues a value is indented");
        if (size == 0 || ini->at + value != equals)
                return line_refuse(ini, value + 1, "the key before = may hold only letters and digits");
        if (size > KEY_MAX)
                return line_refuse(ini, 1, "the key has %zu bytes; at most %d are allowed", size, KEY_MAX);
        if (!ini->has_section)
                return line_refuse(ini, 1, "%.*s= stands before any section; begin with %s", (int)size, ini->at,
                                   ini->events->header);
        key_flush(ini);
        memcpy(ini->key, ini->at, size);
        ini->key[size] = 0;
        for (value++; value < ini->size && is_blank(ini->at[value]); value++)
                ;
        ini->key_line = ini->line;
        ini->key_column = (unsigned)value + 1;
        ini->at += value;
        ini->size -= value;
        ini->is_swallowing = false;
        return "key=+";
}

static const char *line_continuation(struct ini *ini) {
        if (ini->is_swallowing)
                return "";
        if (!ini->has_key)
                return line_refuse(ini, 1,
                                   "an indented line, but no value before it that it could continue; keys begin in column 1");
        return " +";
}

/* Makes the stand-in that tells inih the kind of the line at hand. */
static const char *line_classify(struct ini *ini) {
        size_t blank = 0;

        if (ini->size > 0 && (ini->at[0] == '#' || ini->at[0] == ';')) {
                /* a comment may be in any encoding, but a NUL or endless line in it is no text file */
                return ini->size <= INI_LINE_MAX && !memchr(ini->at, 0, ini->size) ? "" : (line_is_text(ini), "");
        }
        if (!line_is_text(ini))
                return "";
        while (blank < ini->size && is_blank(ini->at[blank]))
                blank++;
        if (blank == ini->size) {
                ini->blank += ini->has_key;
                return "";
        }
        if (blank > 0)
                return line_continuation(ini);
        if (ini->at[0] == '[')
                return line_section(ini);
        return line_key(ini);
}

/* inih's line source, in the shape of fgets(). */
static char *on_line(char *buf, int size, void *userdata) {
        struct ini *ini = userdata;

        if (ini->error < 0 || !line_next(ini))
                return NULL;
        snprintf(buf, (size_t)size, "%s\n", line_classify(ini));
        return buf;
}

static int continue_value(struct ini *ini) {
        size_t indent = 0;

        while (is_blank(ini->at[indent]))
                indent++;
        if (!ini->indent) {
                ini->indent = ini->at;
                ini->indent_size = indent;
        }
        for (size_t i = 0; i < ini->indent_size; i++)
                if (i >= indent || ini->at[i] != ini->indent[i])
                        ini->indent_size = i;
        for (; ini->blank > 0; ini->blank--)
                if (!value_append(ini, "\n", 1))
                        return 0;
        return value_append(ini, "\n", 1) && value_append(ini, ini->at, ini->size);
}

/* inih's handler: what it passes are the stand-ins; the line itself is in ini. */
static int on_key(void *userdata, const char *section, const char *name, const char *value) {
        struct ini *ini = userdata;

        (void)section, (void)name, (void)value;
        if (ini->has_key)
                return continue_value(ini);
        ini->has_key = true;
        ini->value_size = 0;
        ini->indent = NULL;
        ini->indent_size = 0;
        ini->blank = 0;
        return value_append(ini, ini->at, ini->size);
}

int ini_parse_text(const char *file, const char *text, size_t size, const struct ini_events *events, void *userdata,
                   struct diags *diags) {
        struct ini ini = {.file = file, .events = events, .userdata = userdata, .diags = diags};
        size_t mark = sizeof(BYTE_ORDER_MARK) - 1;

        if (size == 0)
                return 0;
        ini.next = text;
        ini.end = text + size;
        if (size >= mark && memcmp(text, BYTE_ORDER_MARK, mark) == 0)
                ini.next += mark;
        int r = ini_parse_stream(on_line, &ini, on_key, &ini);
        if (ini.error == 0 && r != 0) {
                /* the stand-ins leave inih nothing to refuse but its own lack of memory */
                if (r == -2)
                        ini.error = -ENOMEM;
                else
                        diags_add(diags, false, file, 0, 0, "the INI library refuses line %d", r);
        }
        if (ini.error == 0)
                key_flush(&ini);
        free(ini.value);
        return ini.error;
}
