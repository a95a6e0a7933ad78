// SPDX-License-Identifier: MIT
// text: text built into memory of a fixed size, for values and lines. What does not fit is left out, and is_cut says so.

#include "daemon/plugins/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void text_add(struct text *t, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(t->to + t->used, t->size - t->used, format, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= t->size - t->used) {
                t->to[t->used] = '\0';
                t->is_cut = true;
        } else {
                t->used += (size_t)n;
        }
}

/* Bytes of the UTF-8 sequence that begins here; 0: none does. */
static size_t sequence_length(const unsigned char *s) {
        size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

        for (size_t i = 1; i < n; i++)
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
        if ((*s == 0xe0 && s[1] < 0xa0) || (*s == 0xed && s[1] > 0x9f) || (*s == 0xf0 && s[1] < 0x90) ||
            (*s == 0xf4 && s[1] > 0x8f))
                return 0;
        return n;
}

void text_add_json(struct text *t, const char *string) {
        text_add(t, "\"");
        for (const unsigned char *s = (const unsigned char *)string; *s;) {
                size_t n = sequence_length(s);
                if (n == 0)
                        text_add(t, "\xef\xbf\xbd");
                else if (*s == '"' || *s == '\\')
                        text_add(t, "\\%c", *s);
                else if (*s < 0x20 || *s == 0x7f)
                        text_add(t, "\\u%04x", *s);
                else
                        text_add(t, "%.*s", (int)n, (const char *)s);
                s += n ? n : 1;
        }
        text_add(t, "\"");
}

void text_add_time(struct text *t, int64_t rt_us) {
        int64_t fraction = rt_us % 1000000;
        time_t seconds = rt_us / 1000000;
        char words[64];
        struct tm tm;

        if (fraction < 0) {
                fraction += 1000000;
                seconds--;
        }
        if (!gmtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900 ||
            strftime(words, sizeof(words), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
                text_add(t, "%lld", (long long)rt_us);
        else if (fraction)
                text_add(t, "%s.%06lldZ", words, (long long)fraction);
        else
                text_add(t, "%sZ", words);
}

void text_tame(char *string) {
        for (; *string; string++)
                if (*string < 0x20 || *string > 0x7e)
                        *string = '?';
}
