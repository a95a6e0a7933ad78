// SPDX-License-Identifier: MIT
// utf8: whether text is UTF-8, and may be shown.

#include "config/utf8.h"

#include <stdint.h>
#include <string.h>

size_t utf8_find_bad(const char *text, size_t size) {
        const uint8_t *p = (const uint8_t *)text;
        size_t i = 0;

        while (i < size) {
                uint8_t c = p[i];
                size_t more = c < 0x80 ? 0 : c < 0xc2 ? SIZE_MAX : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : SIZE_MAX;
                if (more == SIZE_MAX || more > size - i - 1)
                        return i;
                for (size_t k = 1; k <= more; k++)
                        if ((p[i + k] & 0xc0) != 0x80)
                                return i;
                if ((c == 0xe0 && p[i + 1] < 0xa0) || (c == 0xed && p[i + 1] > 0x9f) || (c == 0xf0 && p[i + 1] < 0x90) ||
                    (c == 0xf4 && p[i + 1] > 0x8f))
                        return i;
                i += more + 1;
        }
        return size;
}

bool utf8_is_control(const char *at) {
        const uint8_t *s = (const uint8_t *)at;

        return (*s > 0 && *s < ' ') || *s == 0x7f || (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0);
}

int utf8_fit(const char *text, size_t max) {
        return (int)utf8_find_bad(text, strnlen(text, max));
}

void utf8_make_one_line(char *text) {
        size_t size = strlen(text);

        for (size_t at = utf8_find_bad(text, size); at < size; at += utf8_find_bad(text + at, size - at))
                text[at] = '?';
        for (; *text; text++) {
                if (!utf8_is_control(text))
                        continue;
                if ((uint8_t)*text == 0xc2) /* of two bytes */
                        *text++ = '?';
                *text = *text == '\n' || *text == '\t' ? ' ' : '?';
        }
}
