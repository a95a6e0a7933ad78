// SPDX-License-Identifier: MIT
// utf8: whether text is UTF-8.

#include "config/utf8.h"

#include <stdint.h>

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
