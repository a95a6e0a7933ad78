// SPDX-License-Identifier: MIT
// text: what is good is found with utf8_find_bad() and taken in one go; at a bad byte it is looked whether more bytes could help.

#include "daemon/varlink/text.h"

#include <stdint.h>
#include <string.h>

#include "config/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD"

/* How many bytes a character has that begins so; 0 for what begins none. */
static size_t length_of(unsigned char first) {
        if (first < 0x80)
                return 1;
        if (first >= 0xC2 && first <= 0xDF)
                return 2;
        if (first >= 0xE0 && first <= 0xEF)
                return 3;
        return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

/* True where these bytes begin a character, but don't end it. */
static bool is_begun(const char *data, size_t size) {
        static const char *const endings[] = {"\x80\x80\x80", "\x90\x80\x80", "\xA0\x80\x80", "\xBF\xBF\xBF"};
        size_t whole = length_of((unsigned char)data[0]);
        if (size >= whole || size > 3)
                return false;
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
                char trial[4];
                memcpy(trial, data, size);
                memcpy(trial + size, endings[i], whole - size);
                if (utf8_find_bad(trial, whole) == whole)
                        return true;
        }
        return false;
}

static size_t find_bad(const char *data, size_t size) {
        size_t good = utf8_find_bad(data, size);
        const char *nul = memchr(data, '\0', good);
        return nul ? (size_t)(nul - data) : good;
}

/* Appends what is there but an end that may go on; returns how much was taken. */
static size_t put_some(struct pack *out, const char *data, size_t size, bool is_last) {
        size_t at = 0;
        while (at < size) {
                size_t good = find_bad(data + at, size - at);
                pack_raw(out, data + at, good);
                at += good;
                if (at == size || (!is_last && is_begun(data + at, size - at)))
                        break;
                pack_raw(out, REPLACEMENT, strlen(REPLACEMENT));
                at++;
        }
        return at;
}

void text_put_utf8(struct pack *out, struct text_carry *carry, const char *data, size_t size, bool is_last) {
        struct text_carry none = {0};
        if (!carry) {
                carry = &none;
                is_last = true;
        }
        while (carry->n > 0) {
                /* what waits is looked at together with the byte that comes, until it is a character or is none */
                char joined[4];
                size_t n = carry->n;
                memcpy(joined, carry->bytes, n);
                if (size > 0) {
                        joined[n++] = *data++;
                        size--;
                } else if (!is_last)
                        return;
                size_t taken = put_some(out, joined, n, is_last && size == 0);
                carry->n = (unsigned char)(n - taken);
                memcpy(carry->bytes, joined + taken, n - taken);
        }
        size_t taken = size > 0 ? put_some(out, data, size, is_last) : 0;
        carry->n = (unsigned char)(size - taken);
        if (size > taken)
                memcpy(carry->bytes, data + taken, size - taken);
}

bool text_is_utf8(const char *data, size_t size) {
        return size == 0 || find_bad(data, size) == size;
}

void text_put_base64(struct pack *out, const char *data, size_t size) {
        static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const unsigned char *at = (const unsigned char *)data;
        for (; size > 0; at += 3) {
                size_t n = size < 3 ? size : 3;
                uint32_t bits = (uint32_t)at[0] << 16 | (n > 1 ? (uint32_t)at[1] << 8 : 0) | (n > 2 ? at[2] : 0);
                char quad[4] = {letters[bits >> 18], letters[bits >> 12 & 63], n > 1 ? letters[bits >> 6 & 63] : '=',
                                n > 2 ? letters[bits & 63] : '='};
                pack_raw(out, quad, sizeof(quad));
                size -= n;
        }
}
