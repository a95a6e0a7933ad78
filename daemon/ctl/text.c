// SPDX-License-Identifier: MIT
// text: strings for terminals.
// What others wrote (descriptions, reasons, output) is printed only after text_clean(): no escape sequence passes.

#include "daemon/ctl/text.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "config/utf8.h"

/* Bytes of the character at s, which is UTF-8. */
static size_t length_of(const char *s) {
        unsigned char c = (unsigned char)*s;

        return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static bool is_control(const char *s, bool is_lines) {
        unsigned char c = (unsigned char)s[0];

        if (is_lines && (c == '\n' || c == '\t'))
                return false;
        return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

void text_clean(char *text, bool is_lines) {
        size_t size = strlen(text);
        char *to = text;

        for (const char *s = text; *s;) {
                size_t length = length_of(s), left = size - (size_t)(s - text);
                if (length > left || utf8_find_bad(s, length) < length) {
                        *to++ = '.';
                        s++;
                        continue;
                }
                if (is_control(s, is_lines))
                        *to++ = '.';
                else {
                        memmove(to, s, length);
                        to += length;
                }
                s += length;
        }
        *to = '\0';
}

/* Columns of the character at s; what the locale does not know counts as one. */
static size_t columns_of(const char *s, size_t length) {
        static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
        wchar_t c = (unsigned char)s[0] & masks[length];

        for (size_t i = 1; i < length; i++)
                c = c << 6 | ((unsigned char)s[i] & 0x3f);
        int n = wcwidth(c);
        return n < 0 ? 1 : (size_t)n;
}

/* The length of the character at s and its columns, also where it is cut off. */
static size_t step(const char *s, size_t *ret_columns) {
        size_t length = length_of(s), there = strnlen(s, length);

        *ret_columns = there < length ? 1 : columns_of(s, length);
        return there;
}

size_t text_width(const char *text) {
        size_t width = 0, columns;

        for (; *text; width += columns)
                text += step(text, &columns);
        return width;
}

/* The bytes of text that fill at most `width` columns. */
static size_t fitting(const char *text, size_t width) {
        size_t n = 0, columns;

        for (size_t used = 0; text[n]; used += columns) {
                size_t length = step(text + n, &columns);
                if (used + columns > width)
                        break;
                n += length;
        }
        return n;
}

char *text_ellipsize(const char *text, size_t width, bool is_utf8) {
        const char *dots = is_utf8 ? "\xe2\x80\xa6" : "..", *tail = text;
        size_t total = text_width(text), n_dots = is_utf8 ? 1 : 2, columns;
        char *cut;

        if (total <= width)
                return strdup(text);
        if (width <= n_dots)
                return strndup(text, fitting(text, width));
        size_t n_tail = (width - n_dots) / 2;
        size_t head = fitting(text, width - n_dots - n_tail);
        for (size_t left = total; left > n_tail; left -= columns)
                tail += step(tail, &columns);
        return asprintf(&cut, "%.*s%s%s", (int)head, text, dots, tail) < 0 ? NULL : cut;
}

void text_wrap(FILE *out, const char *text, size_t at, size_t indent, size_t width) {
        bool is_first = true;

        for (text += strspn(text, " \n\t"); *text; text += strspn(text, " \n\t")) {
                size_t size = strcspn(text, " \n\t");
                char *word = strndup(text, size);
                size_t columns = word ? text_width(word) : size;
                free(word);
                if (!is_first && at + 1 + columns > width) {
                        fprintf(out, "\n%*s", (int)indent, "");
                        at = indent;
                } else if (!is_first) {
                        fputc(' ', out);
                        at++;
                }
                fwrite(text, 1, size, out);
                at += columns;
                text += size;
                is_first = false;
        }
        fputc('\n', out);
}
