// SPDX-License-Identifier: MIT
// zone_news: which time zones are others than at the reading before.

#include "daemon/runner/zone_news.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MACHINE    "/" /* no name of a zone */
#define NONE       "/"
#define NAMED_MAX  3  /* zones that are named, then they are counted */
#define NAME_SHOWN 64 /* bytes of a name */

struct line {
        char name[ZONE_NAME_MAX + 1], found[ZONE_NAME_MAX + 1];
};

struct news {
        char machine[ZONE_NAME_MAX + 1]; /* its zone has become this one; "": it has not */
        char named[NAMED_MAX][ZONE_NAME_MAX + 1];
        size_t n;
};

void zone_line_print(const char *name, const struct zone *zone, char ret[static ZONE_LINE_MAX]) {
        struct hash128 hash = zone ? zone_hash(zone) : (struct hash128){};

        snprintf(ret, ZONE_LINE_MAX, "%.*s %.*s %016" PRIx64 "%016" PRIx64, ZONE_NAME_MAX, name ? name : MACHINE, ZONE_NAME_MAX,
                 zone ? zone_name(zone) : NONE, hash.word[0], hash.word[1]);
}

/* The word at *text, which moves behind it and its blank. */
static bool read_word(const char **text, char ret[static ZONE_NAME_MAX + 1]) {
        size_t size = strcspn(*text, " ");

        if (size == 0 || size > ZONE_NAME_MAX)
                return false;
        memcpy(ret, *text, size);
        ret[size] = '\0';
        *text += size + ((*text)[size] == ' ');
        return true;
}

static bool read_line(const char *text, struct line *ret) {
        return read_word(&text, ret->name) && read_word(&text, ret->found);
}

/* The line of the same name, or NULL. */
static const char *find_line(const char *const *lines, size_t n, const char *text) {
        size_t size = strcspn(text, " ") + 1;

        for (size_t i = 0; i < n; i++)
                if (strncmp(lines[i], text, size) == 0)
                        return lines[i];
        return NULL;
}

static void note_changed(struct news *news, const char *name) {
        for (size_t i = 0; i < news->n && i < NAMED_MAX; i++)
                if (strcmp(news->named[i], name) == 0) /* the machine's, too */
                        return;
        if (news->n < NAMED_MAX)
                snprintf(news->named[news->n], sizeof(news->named[0]), "%s", name);
        news->n++;
}

static void note(struct news *news, const struct line *old, const struct line *now) {
        bool is_found = strcmp(now->found, NONE) != 0;

        if (strcmp(now->name, MACHINE) != 0)
                note_changed(news, now->name);
        else if (is_found && strcmp(now->found, old->found) != 0)
                snprintf(news->machine, sizeof(news->machine), "%s", now->found);
        else
                note_changed(news, is_found ? now->found : old->found);
}

static void print(const struct news *news, char ret[static WIRE_WHY_MAX]) {
        size_t n = 0;

        ret[0] = '\0';
        if (news->machine[0])
                n += (size_t)snprintf(ret, WIRE_WHY_MAX, "the machine's time zone is %.*s", NAME_SHOWN, news->machine);
        for (size_t i = 0; i < news->n && i < NAMED_MAX; i++) {
                const char *before = i == 0 ? (n > 0 ? "; zone data of " : "zone data of ") : i + 1 == news->n ? " and " : ", ";
                n += (size_t)snprintf(ret + n, WIRE_WHY_MAX - n, "%s%.*s", before, NAME_SHOWN, news->named[i]);
        }
        if (news->n > NAMED_MAX)
                n += (size_t)snprintf(ret + n, WIRE_WHY_MAX - n, " and %zu more", news->n - NAMED_MAX);
        if (news->n > 0)
                snprintf(ret + n, WIRE_WHY_MAX - n, " changed");
}

bool zone_news(const char *const *before, size_t n_before, const char *const *after, size_t n_after,
               char ret_why[static WIRE_WHY_MAX]) {
        struct news news = {};
        struct line old, now;
        bool is_back = false;

        for (size_t i = 0; i < n_after; i++) {
                const char *text = find_line(before, n_before, after[i]);
                if (!text || strcmp(text, after[i]) == 0 || !read_line(text, &old) || !read_line(after[i], &now))
                        continue;
                note(&news, &old, &now);
                is_back = is_back || strcmp(old.found, NONE) == 0;
        }
        print(&news, ret_why);
        return is_back;
}
