// SPDX-License-Identifier: MIT
// zone_files: the zones of the machine: their files, the link that says which is its own, and the lists of their names.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/nearest.h"
#include "config/zone_internal.h"

#define FOLDER       "/usr/share/zoneinfo"
#define MACHINE_LINK "/etc/localtime"
#define MACHINE_NAME "localtime"
#define LINKS_MAX    40

/* The smallest file there is: version 1, one type with offset 0, four characters. */
static const uint8_t utc_file[] = {'T', 'Z', 'i', 'f', [39] = 1, [43] = 4, [50] = 'U', 'T', 'C', 0};

static const char *folder_or_usual(const char *folder) {
        if (!folder)
                folder = getenv("TZDIR");
        return folder && *folder ? folder : FOLDER;
}

/* Names are paths below the folder, each part of them plain. */
static bool is_name(const char *name) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-./";
        size_t size = strlen(name);
        bool is_part_begin = true;

        if (size == 0 || size > ZONE_NAME_MAX || strspn(name, plain) < size)
                return false;
        for (; *name; name++) {
                if (is_part_begin && (*name == '/' || *name == '.'))
                        return false;
                is_part_begin = *name == '/';
        }
        return !is_part_begin;
}

/* Fills up to size bytes; fewer, if the file has become shorter. */
static int read_up_to(int fd, char *bytes, size_t size, size_t *ret_size) {
        size_t done = 0;

        while (done < size) {
                ssize_t n = read(fd, bytes + done, size - done);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                done += (size_t)n;
        }
        *ret_size = done;
        return 0;
}

static int regular_file_read(int fd, char **ret_bytes, size_t *ret_size) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -ENOENT;
        if (st.st_size > ZONE_FILE_MAX)
                return -EBADMSG;
        char *bytes = malloc((size_t)st.st_size + 1);
        if (!bytes)
                return -ENOMEM;
        int r = read_up_to(fd, bytes, (size_t)st.st_size, ret_size);
        if (r < 0) {
                free(bytes);
                return r;
        }
        bytes[*ret_size] = 0;
        *ret_bytes = bytes;
        return 0;
}

/* Reads a regular file below a folder (NULL: path is a whole one) and ends it with a 0 byte that its size does not count.
 * -ENOENT: there is none. */
static int file_read(const char *folder, const char *path, char **ret_bytes, size_t *ret_size) {
        char whole[PATH_MAX];

        int n = snprintf(whole, sizeof(whole), "%s%s%s", folder ? folder : "", folder ? "/" : "", path);
        if (n >= (int)sizeof(whole))
                return -ENOENT;
        int fd = open(whole, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOTDIR || errno == ENAMETOOLONG ? -ENOENT : -errno;
        int r = regular_file_read(fd, ret_bytes, ret_size);
        close(fd);
        return r;
}

static int zone_read(const char *folder, const char *path, const char *name, struct zone **ret) {
        char *bytes;
        size_t size;
        int r = file_read(folder, path, &bytes, &size);

        if (r < 0)
                return r;
        r = zone_parse(bytes, size, name, ret);
        free(bytes);
        return r;
}

static int utc_open(struct zone **ret) {
        return zone_parse(utc_file, sizeof(utc_file), "UTC", ret);
}

/* Where there is no such link, and where it names UTC, which needs no data. */
static bool machine_is_utc(const char *name, bool has_link) {
        return !has_link || strcmp(name, "UTC") == 0 || strcmp(name, "Etc/UTC") == 0;
}

static int machine_open(struct zone **ret) {
        static const char marker[] = "/zoneinfo/";
        char target[PATH_MAX] = "";
        ssize_t n = readlink(MACHINE_LINK, target, sizeof(target) - 1);

        if (n >= 0)
                target[n] = 0;
        const char *below = strstr(target, marker), *name = below ? below + sizeof(marker) - 1 : "";
        int r = zone_read(NULL, MACHINE_LINK, is_name(name) ? name : MACHINE_NAME, ret);
        return r == -ENOENT && machine_is_utc(name, n >= 0) ? utc_open(ret) : r;
}

int zone_open(const char *folder, const char *name, struct zone **ret) {
        if (!name)
                return machine_open(ret);
        if (!is_name(name))
                return -EINVAL;
        if (strcmp(name, "UTC") == 0)
                return utc_open(ret);
        return zone_read(folder_or_usual(folder), name, name, ret);
}

int zone_path(const char *folder, const char *name, char ret[static PATH_MAX]) {
        if (name && !is_name(name))
                return -EINVAL;
        int n = name ? snprintf(ret, PATH_MAX, "%s/%s", folder_or_usual(folder), name) : snprintf(ret, PATH_MAX, MACHINE_LINK);
        return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* A path while it is walked: at is where we are, free of links; rest is to come. */
struct walk {
        char at[PATH_MAX], rest[PATH_MAX];
        int n_links;
};

/* Puts the target of the link at w->at in front of what is to come; from its folder on, or from the top. */
static int walk_link(struct walk *w) {
        char target[PATH_MAX], rest[PATH_MAX];
        ssize_t n = readlink(w->at, target, sizeof(target) - 1);

        if (n < 0)
                return -errno;
        target[n] = 0;
        if (++w->n_links > LINKS_MAX)
                return -ELOOP;
        if (snprintf(rest, sizeof(rest), "%s/%s", target, w->rest) >= (int)sizeof(rest))
                return -ENAMETOOLONG;
        memcpy(w->rest, rest, sizeof(rest));
        *(target[0] == '/' ? w->at : strrchr(w->at, '/')) = 0;
        return 0;
}

/* Goes one part of the path on: 1, or 0 where there is none left. */
static int walk_part(struct walk *w) {
        size_t begin = strspn(w->rest, "/"), size = strcspn(w->rest + begin, "/"), n = strlen(w->at);
        const char *part = w->rest + begin;

        if (size == 0)
                return 0;
        if (size == 2 && memcmp(part, "..", 2) == 0)
                *(n > 0 ? strrchr(w->at, '/') : w->at) = 0;
        else if (size != 1 || *part != '.') {
                if (n + 1 + size >= sizeof(w->at))
                        return -ENAMETOOLONG;
                w->at[n] = '/';
                memcpy(w->at + n + 1, part, size);
                w->at[n + 1 + size] = 0;
        }
        memmove(w->rest, part + size, strlen(part + size) + 1);
        return 1;
}

int zone_trace(const char *folder, const char *name, int (*fn)(void *userdata, const char *path), void *userdata) {
        struct walk w = {};
        struct stat st;
        int r = name && strcmp(name, "UTC") == 0 ? 1 : zone_path(folder, name, w.rest);

        if (r > 0) /* it has no file */
                return 0;
        while (r >= 0 && (r = walk_part(&w)) > 0) {
                bool is_there = lstat(w.at[0] ? w.at : "/", &st) == 0, is_link = is_there && S_ISLNK(st.st_mode);
                if (is_there && S_ISDIR(st.st_mode))
                        continue;
                r = fn(userdata, w.at);
                if (r < 0 || !is_link)
                        return r;
                r = walk_link(&w);
        }
        return r;
}

/* The name in a line of tzdata.zi ("Z NAME ...", "L TARGET NAME") or of a table ("CODE PLACE NAME ..."); NULL: there is none. */
static char *name_in_line(char *line, bool is_table) {
        static const char blanks[] = " \t";
        char *state = NULL, *first = strtok_r(line, blanks, &state), *second = strtok_r(NULL, blanks, &state);

        if (!first || !second || *first == '#')
                return NULL;
        if (is_table || strcmp(first, "L") == 0)
                return strtok_r(NULL, blanks, &state);
        return strcmp(first, "Z") == 0 ? second : NULL;
}

static const char *last_part(const char *name) {
        const char *slash = strrchr(name, '/');
        return slash ? slash + 1 : name;
}

/* Looks for a name as a whole and for its last part, the city; a name of one part is more likely a city. */
static int list_search(char *text, bool is_table, const char *name, char ret[static ZONE_NAME_MAX + 1]) {
        struct nearest whole = nearest_begin(name), city = nearest_begin(last_part(name));
        const char *whole_of_city = NULL;
        char *state = NULL;

        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *known = name_in_line(line, is_table);
                if (!known || !is_name(known))
                        continue;
                const char *found = city.found;
                nearest_offer(&whole, known);
                nearest_offer(&city, last_part(known));
                if (city.found != found)
                        whole_of_city = known;
        }
        const char *found = whole_of_city && (!whole.found || !strchr(name, '/')) ? whole_of_city : whole.found;
        if (!found)
                return -ENOENT;
        snprintf(ret, ZONE_NAME_MAX + 1, "%s", found);
        return 0;
}

int zone_suggest(const char *folder, const char *name, char ret[static ZONE_NAME_MAX + 1]) {
        static const struct {
                const char *path;
                bool is_table;
        } lists[] = {{"tzdata.zi", false}, {"zone1970.tab", true}, {"zone.tab", true}};
        char *text = NULL;
        size_t size = 0, i = 0;
        int r = -ENODATA;

        for (; i < sizeof(lists) / sizeof(lists[0]) && r < 0; i++)
                r = file_read(folder_or_usual(folder), lists[i].path, &text, &size);
        if (r < 0)
                return r == -ENOENT ? -ENODATA : r;
        r = list_search(text, lists[i - 1].is_table, name, ret);
        free(text);
        return r;
}
