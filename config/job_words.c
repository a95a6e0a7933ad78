// SPDX-License-Identifier: MIT
// job_words: values that are lists of words, with systemd's quoting rules, and NULL-terminated lists.
// Quotes may begin anywhere in a word; escapes count inside and outside of quotes; an unknown one stays as it is, with a warning.

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/job_draft.h"

#define WORDS_MAX 20000

struct splitter {
        struct job_draft *draft;
        const struct job_setting *setting;
        const char *at;
        char *out; /* the word at hand; as long as the value, since no escape is shorter than what it stands for */
        size_t size;
        bool is_quoted;
};

static size_t offset(const struct splitter *p, const char *at) {
        return (size_t)(at - p->setting->value);
}

static bool is_separator(char c) {
        return c == ' ' || c == '\t' || c == '\n';
}

static int digit_value(char c, int base) {
        int v = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : base;
        return v < base ? v : -1;
}

static void put_utf8(struct splitter *p, uint32_t c) {
        static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
        int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

        for (int i = n - 1; i > 0; i--, c >>= 6)
                p->out[p->size + (size_t)i] = (char)(0x80 | (c & 0x3f));
        p->out[p->size] = (char)(first[n] | c);
        p->size += (size_t)n;
}

/* \xHH, \NNN, \uHHHH, \UHHHHHHHH; at stands on the digits. */
static int number_escape(struct splitter *p, const char *start, int base, int digits, bool is_unicode) {
        uint32_t v = 0;

        for (int i = 0; i < digits; i++) {
                int digit = digit_value(p->at[i], base);
                if (digit < 0)
                        return draft_error(p->draft, p->setting, offset(p, start), "the escape needs %d digits to base %d",
                                           digits, base);
                v = v * (uint32_t)base + (uint32_t)digit;
        }
        p->at += digits;
        if (v == 0)
                return draft_error(p->draft, p->setting, offset(p, start), "a NUL byte can't be part of a word");
        if (is_unicode ? v > 0x10ffff || (v >= 0xd800 && v < 0xe000) : v > 0xff)
                return draft_error(p->draft, p->setting, offset(p, start), "the escape stands for no character");
        if (is_unicode)
                put_utf8(p, v);
        else
                p->out[p->size++] = (char)v;
        return 0;
}

static int escape(struct splitter *p) {
        static const char from[] = "abfnrtvs\\\"';", to[] = "\a\b\f\n\r\t\v \\\"';";
        const char *start = p->at++;
        char c = *p->at;

        if (c == 0 || c == '\n')
                return draft_error(p->draft, p->setting, offset(p, start),
                                   "no backslash at the end of a line; an indented line continues the value");
        p->is_quoted = true;
        const char *simple = strchr(from, c);
        if (simple) {
                p->at++;
                p->out[p->size++] = to[simple - from];
                return 0;
        }
        if (c >= '0' && c <= '7')
                return number_escape(p, start, 8, 3, false);
        if (c == 'x' || c == 'u' || c == 'U') {
                p->at++;
                return number_escape(p, start, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8, c != 'x');
        }
        if (is_separator(c)) {
                draft_warn(p->draft, p->setting, offset(p, start),
                           "the backslash before the blank stays in the word, too; quote the word, or write \\s for a blank");
                p->at++;
        } else
                draft_warn(p->draft, p->setting, offset(p, start),
                           "unknown escape \\%c stays as it is; write \\\\ for a backslash", c);
        p->out[p->size++] = '\\';
        if (is_separator(c))
                p->out[p->size++] = c;
        return 0;
}

/* Reads one word into out; at stands on its first byte. */
static int word(struct splitter *p) {
        const char *quote = NULL;

        p->size = 0;
        p->is_quoted = false;
        for (; *p->at && (quote || !is_separator(*p->at));) {
                char c = *p->at;
                if (c == '\\') {
                        int r = escape(p);
                        if (r)
                                return r;
                        continue;
                }
                if (quote ? c == *quote : c == '"' || c == '\'') {
                        quote = quote ? NULL : p->at;
                        p->is_quoted = true;
                } else
                        p->out[p->size++] = c == '\n' ? ' ' : c;
                p->at++;
        }
        if (quote)
                return draft_error(p->draft, p->setting, offset(p, quote), "the quote %c is not closed", *quote);
        return 0;
}

static int words_add(struct job_word **words, size_t n, const struct splitter *p, const char *start) {
        if ((n & (n - 1)) == 0) {
                struct job_word *grown = realloc(*words, (n ? n * 2 : 1) * sizeof(*grown));
                if (!grown)
                        return -ENOMEM;
                *words = grown;
        }
        char *text = strndup(p->out, p->size);
        if (!text)
                return -ENOMEM;
        (*words)[n] = (struct job_word){.text = text, .offset = offset(p, start), .is_quoted = p->is_quoted};
        return 0;
}

int draft_split(struct job_draft *d, const struct job_setting *s, struct job_word **ret, size_t *ret_n) {
        struct splitter p = {.draft = d, .setting = s, .at = s->value};
        struct job_word *words = NULL;
        size_t n = 0;
        int r = 0;

        p.out = malloc(strlen(s->value) + 1);
        if (!p.out)
                return -ENOMEM;
        while (r == 0) {
                while (is_separator(*p.at))
                        p.at++;
                if (!*p.at)
                        break;
                const char *start = p.at;
                if (n == WORDS_MAX)
                        r = draft_error(d, s, offset(&p, start), "more than %d words", WORDS_MAX);
                if (r == 0)
                        r = word(&p);
                if (r == 0)
                        r = words_add(&words, n, &p, start);
                if (r == 0)
                        n++;
        }
        free(p.out);
        if (r) {
                words_free(words, n);
                return r;
        }
        *ret = words;
        *ret_n = n;
        return 0;
}

int draft_each_word(struct job_draft *d, const struct job_setting *s,
                    int (*fn)(struct job_draft *d, const struct job_setting *s, struct job_word *word)) {
        struct job_word *words;
        size_t n;
        int r = draft_split(d, s, &words, &n);

        if (r)
                return r;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = fn(d, s, &words[i]);
        words_free(words, n);
        return r;
}

struct job_word *words_free(struct job_word *words, size_t n) {
        for (size_t i = 0; words && i < n; i++)
                free(words[i].text);
        free(words);
        return NULL;
}

char **strv_free(char **list) {
        for (char **item = list; item && *item; item++)
                free(*item);
        free(list);
        return NULL;
}

size_t strv_count(char *const *list) {
        size_t n = 0;

        while (list && list[n])
                n++;
        return n;
}

int strv_take(char ***list, size_t n, char *item) {
        char **grown = item ? realloc(*list, (n + 2) * sizeof(*grown)) : NULL;

        if (!grown) {
                free(item);
                return -ENOMEM;
        }
        grown[n] = item;
        grown[n + 1] = NULL;
        *list = grown;
        return 0;
}

int strv_of(char *word, char ***ret) {
        char **list = NULL;
        int r = strv_take(&list, 0, word);

        if (r == 0) {
                strv_free(*ret);
                *ret = list;
        }
        return r;
}
