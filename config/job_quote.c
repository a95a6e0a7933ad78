// SPDX-License-Identifier: MIT
// job_quote: an argument list as text for people, which Command= reads back as the same list.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/job.h"
#include "config/utf8.h"

#define ELLIPSIS "\xe2\x80\xa6"

struct quoter {
        char *text;
        size_t size, max;
        bool is_cut;
};

/* One character or escape: whole or not at all. */
static void put(struct quoter *q, const char *unit, size_t size) {
        if (q->size + size + strlen(ELLIPSIS) > q->max)
                q->is_cut = true;
        if (q->is_cut)
                return;
        memcpy(q->text + q->size, unit, size);
        q->size += size;
}

/* How many bytes the character at s has; 1 for a byte that is none. */
static size_t character_size(const char *s) {
        unsigned char c = (unsigned char)*s;
        size_t size = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

        return strnlen(s, size) == size && utf8_find_bad(s, size) == size ? size : 1;
}

static void put_character(struct quoter *q, const char *s, size_t size, char quote) {
        char escape[8];
        unsigned char c = (unsigned char)*s;

        if (c == '\\' || (c == (unsigned char)quote && quote))
                snprintf(escape, sizeof(escape), "\\%c", c);
        else if (c == '\n' || c == '\t')
                snprintf(escape, sizeof(escape), "\\%c", c == '\n' ? 'n' : 't');
        else if (c < ' ' || c == 0x7f || (c >= 0x80 && size == 1))
                snprintf(escape, sizeof(escape), "\\x%02x", c);
        else {
                put(q, s, size);
                return;
        }
        put(q, escape, strlen(escape));
}

static void put_word(struct quoter *q, const char *word) {
        bool needs_quotes = !*word || word[strcspn(word, " \t\n\"'\\")];
        char quote = !needs_quotes ? '\0' : strchr(word, '"') && !strchr(word, '\'') ? '\'' : '"';

        if (quote)
                put(q, &quote, 1);
        for (size_t size; *word && !q->is_cut; word += size) {
                size = character_size(word);
                put_character(q, word, size, quote);
        }
        if (quote)
                put(q, &quote, 1);
}

/* Words with a blank before each but the first of all. */
static void put_words(struct quoter *q, char *const *words) {
        for (size_t i = 0; words && words[i] && !q->is_cut; i++) {
                if (q->size > 0)
                        put(q, " ", 1);
                put_word(q, words[i]);
        }
}

static char *finish(struct quoter *q) {
        if (q->is_cut) {
                memcpy(q->text + q->size, ELLIPSIS, strlen(ELLIPSIS));
                q->size += strlen(ELLIPSIS);
        }
        q->text[q->size] = '\0';
        return q->text;
}

int job_command_print(char *const *argv, size_t max, char **ret) {
        struct quoter q = {.text = malloc(max + 1), .max = max};

        if (!q.text)
                return -ENOMEM;
        put_words(&q, argv);
        *ret = finish(&q);
        return 0;
}

int job_work_print(const struct job_what *what, size_t max, char **ret) {
        static const char *const kinds[JOB_WORK_MAX] = {[JOB_WORK_PLUGIN] = "plugin", [JOB_WORK_COPROCESS] = "coprocess"};

        if (!kinds[what->work])
                return job_command_print(what->argv, max, ret);
        struct quoter q = {.text = malloc(max + 1), .max = max};
        if (!q.text)
                return -ENOMEM;
        put(&q, kinds[what->work], strlen(kinds[what->work]));
        if (what->work == JOB_WORK_PLUGIN) {
                const char *name = strrchr(what->argv[0], '/') + 1, *dot = strrchr(name, '.');
                put(&q, " ", 1);
                put(&q, name, dot ? (size_t)(dot - name) : strlen(name));
                put_words(&q, what->options);
        } else
                put_words(&q, what->argv);
        *ret = finish(&q);
        return 0;
}
