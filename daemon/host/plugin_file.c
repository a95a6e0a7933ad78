// SPDX-License-Identifier: MIT
// plugin_file: dlopen() goes by /proc/self/fd, so what was checked is what is loaded. It compares names first: the descriptor stays
// open as long as the process, so that its number means this file for ever. Nothing is ever unloaded, since a library can leave
// threads and handlers behind that dlclose() would pull the code from under; a changed file takes a new process.

#include "daemon/host/plugin_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/pack.h"
#include "config/utf8.h"
#include "daemon/core/util.h"

_Static_assert((int)CHIMED_STRING == PLUGIN_OPTION_STRING && (int)CHIMED_INTEGER == PLUGIN_OPTION_INTEGER &&
                       (int)CHIMED_BOOL == PLUGIN_OPTION_BOOL && (int)CHIMED_DURATION == PLUGIN_OPTION_DURATION &&
                       (int)CHIMED_SIZE == PLUGIN_OPTION_SIZE && (int)CHIMED_CHOICE == PLUGIN_OPTION_CHOICE,
               "the same order");

static struct plugin_file *file_free(struct plugin_file *file) {
        if (!file)
                return NULL;
        for (size_t i = 0; i < file->description.n_options; i++)
                free((char *)file->description.options[i].choices);
        free(file->description.options);
        util_close(file->fd);
        free(file->path);
        free(file);
        return NULL;
}

void plugin_files_done(struct plugin_files *files) {
        while (files->first) {
                struct plugin_file *file = files->first;
                files->first = file->next;
                file_free(file);
        }
        files->n = 0;
}

static int64_t mtime_of(const struct stat *st) {
        return st->st_mtim.tv_sec * INT64_C(1000000000) + st->st_mtim.tv_nsec;
}

static bool is_same(const struct plugin_file *file, const struct stat *st) {
        return st->st_dev == file->dev && st->st_ino == file->ino && st->st_size == file->size &&
               mtime_of(st) == file->mtime_ns;
}

bool plugin_file_has_changed(const struct plugin_file *file) {
        struct stat st;

        return stat(file->path, &st) == 0 && !is_same(file, &st);
}

bool plugin_files_is_outdated(const struct plugin_files *files, const char *path) {
        struct stat st;

        if (!files->first || stat(path, &st) < 0)
                return false;
        for (const struct plugin_file *file = files->first; file; file = file->next) {
                bool is_meant = strcmp(file->path, path) == 0 || (file->dev == st.st_dev && file->ino == st.st_ino);
                if (is_meant && !is_same(file, &st))
                        return true;
        }
        return false;
}

static bool is_of_other(const struct stat *st, uid_t owner) {
        return st->st_uid != 0 && st->st_uid != owner;
}

/* What keeps a file from being loaded; NULL: nothing. */
static const char *find_fault(const struct stat *folder, const struct stat *st, uid_t owner) {
        if (!S_ISREG(st->st_mode))
                return "is not a regular file";
        if (is_of_other(st, owner))
                return "belongs to another user than root";
        if (st->st_mode & (S_IWGRP | S_IWOTH))
                return "can be written by others";
        if (is_of_other(folder, owner))
                return "its folder belongs to another user than root";
        if (folder->st_mode & (S_IWGRP | S_IWOTH))
                return "its folder can be written by others";
        return NULL;
}

/* "a b c", owned. */
static char *join_choices(const char *const *choices) {
        struct pack text = {.limit = PLUGIN_VALUE_MAX};

        for (size_t i = 0; choices && choices[i]; i++) {
                bool is_word = choices[i][0] && !strpbrk(choices[i], " \t\n");
                if (!is_word || i == PLUGIN_CHOICES_MAX)
                        text.error = -EINVAL;
                if (i > 0)
                        pack_u8(&text, ' ');
                pack_raw(&text, choices[i], strlen(choices[i]));
        }
        pack_u8(&text, '\0');
        if (pack_result(&text) == 0)
                return (char *)text.data;
        pack_done(&text);
        return NULL;
}

static const char *text_or_empty(const char *text) {
        return text ? text : "";
}

/* Its options as it declares them, which may be longer structures than ours. */
static int describe(struct plugin_file *file, const char **ret_why) {
        const struct chimed_plugin *plugin = file->plugin;
        const uint8_t *at = (const uint8_t *)plugin->options;

        file->description.name = text_or_empty(plugin->name);
        file->description.description = text_or_empty(plugin->description);
        if (plugin->n_options > PLUGIN_OPTIONS_MAX || (plugin->n_options > 0 && !at) ||
            plugin->option_size < sizeof(struct chimed_option)) {
                *ret_why = "its options are not declared as they should be";
                return -EINVAL;
        }
        file->description.options = calloc(plugin->n_options + 1, sizeof(struct plugin_option));
        if (!file->description.options)
                return -ENOMEM;
        for (; file->description.n_options < plugin->n_options; at += plugin->option_size) {
                struct chimed_option option;
                memcpy(&option, at, sizeof(option));
                char *choices = join_choices(option.choices);
                if (!choices) {
                        *ret_why = "an option has choices that can't be";
                        return -EINVAL;
                }
                file->description.options[file->description.n_options++] =
                        (struct plugin_option){.name = text_or_empty(option.name),
                                               .type = option.type,
                                               .is_required = option.is_required,
                                               .min = option.min,
                                               .max = option.max,
                                               .choices = choices,
                                               .default_text = text_or_empty(option.default_value),
                                               .help = text_or_empty(option.help)};
        }
        return 0;
}

/* What dlopen() says, without the path by which it was asked. */
static const char *loader_words(const char *asked) {
        const char *words = dlerror();
        size_t n = strlen(asked);

        if (!words)
                return "it can't be loaded";
        return strncmp(words, asked, n) == 0 && words[n] == ':' ? words + n + 1 + (words[n + 1] == ' ') : words;
}

static int load(struct plugin_file *file, char why[static PLUGIN_WHY_MAX]) {
        char asked[32], reason[160];
        const char *words = NULL;

        snprintf(asked, sizeof(asked), "/proc/self/fd/%d", file->fd);
        file->object = dlopen(asked, RTLD_NOW | RTLD_LOCAL);
        if (!file->object) {
                snprintf(why, PLUGIN_WHY_MAX, "%s", loader_words(asked));
                return -EINVAL;
        }
        file->plugin = dlsym(file->object, "chimed_plugin");
        if (!file->plugin)
                words = "it has no symbol chimed_plugin";
        else if (file->plugin->abi != CHIMED_PLUGIN_ABI) {
                snprintf(why, PLUGIN_WHY_MAX, "it is made for version %u of the plugin interface, which is %d here",
                         file->plugin->abi, CHIMED_PLUGIN_ABI);
                return -EINVAL;
        } else if (file->plugin->size < sizeof(struct chimed_plugin) || !file->plugin->tick)
                words = "its chimed_plugin is not whole";
        int r = words ? -EINVAL : describe(file, &words);
        if (r == 0) {
                r = plugin_description_check(&file->description, reason);
                words = reason;
        }
        if (r == -EINVAL)
                snprintf(why, PLUGIN_WHY_MAX, "%s", words);
        return r;
}

/* Opens the file by its folder, so that the folder is the one that is judged. A descriptor or a negative errno. */
static int open_in_folder(const char *path, struct stat *ret_folder, struct stat *ret_file) {
        const char *slash = strrchr(path, '/');
        char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        int fd = -1, r = 0;

        if (!folder)
                return -ENOMEM;
        int folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder_fd < 0 || fstat(folder_fd, ret_folder) < 0 ||
            (fd = openat(folder_fd, slash ? slash + 1 : path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) < 0 ||
            fstat(fd, ret_file) < 0)
                r = -errno;
        free(folder);
        util_close(folder_fd);
        if (r < 0)
                util_close(fd);
        return r < 0 ? r : fd;
}

static int open_file(const char *path, uid_t owner, struct plugin_file **ret, char why[static PLUGIN_WHY_MAX]) {
        struct plugin_file *file = calloc(1, sizeof(*file));
        const char *fault = NULL;
        struct stat st, folder;

        if (!file)
                return -ENOMEM;
        file->path = strdup(path);
        file->fd = open_in_folder(path, &folder, &st);
        if (!file->path)
                fault = strerror(ENOMEM);
        else if (file->fd < 0)
                fault = strerror(-file->fd);
        else
                fault = find_fault(&folder, &st, owner);
        if (fault) {
                snprintf(why, PLUGIN_WHY_MAX, "%s", fault);
                file_free(file);
                return -EINVAL;
        }
        file->dev = st.st_dev;
        file->ino = st.st_ino;
        file->size = st.st_size;
        file->mtime_ns = mtime_of(&st);
        *ret = file;
        return 0;
}

/* Puts the file's name before the reason, which may quote the plugin. */
static void name_it(const char *path, char why[static PLUGIN_WHY_MAX]) {
        const char *slash = strrchr(path, '/');
        char reason[PLUGIN_WHY_MAX];

        snprintf(reason, sizeof(reason), "%s", why);
        snprintf(why, PLUGIN_WHY_MAX, "%.80s: %.300s", slash ? slash + 1 : path, reason);
        utf8_make_one_line(why);
}

/* The one that is loaded already from what was opened; dlopen() would give the same code. */
static struct plugin_file *find_loaded(const struct plugin_files *files, const struct plugin_file *opened) {
        struct plugin_file *file = files->first;

        while (file && !(file->dev == opened->dev && file->ino == opened->ino))
                file = file->next;
        return file;
}

/* Loads an opened file and keeps it, of use or not, as its code stays. Without code, or without room, it is freed. */
static int load_and_keep(struct plugin_files *files, struct plugin_file *file, char why[static PLUGIN_WHY_MAX]) {
        int r;

        if (files->n == PLUGIN_FILES_MAX) {
                snprintf(why, PLUGIN_WHY_MAX, "the host has %d other plugins", PLUGIN_FILES_MAX);
                r = -EINVAL;
        } else
                r = load(file, why);
        if (!file->object) {
                file_free(file);
                return r;
        }
        if (r < 0)
                snprintf(file->why, sizeof(file->why), "%s", r == -EINVAL ? why : strerror(-r));
        file->next = files->first;
        files->first = file;
        files->n++;
        return r;
}

int plugin_files_open(struct plugin_files *files, const char *path, uid_t owner, struct plugin_file **ret,
                      char why[static PLUGIN_WHY_MAX]) {
        struct plugin_file *file = NULL;
        int r = open_file(path, owner, &file, why);
        struct plugin_file *loaded = r == 0 ? find_loaded(files, file) : NULL;

        if (loaded) {
                file_free(file);
                file = loaded;
                snprintf(why, PLUGIN_WHY_MAX, "%s", file->why);
                r = why[0] ? -EINVAL : 0;
        } else if (r == 0)
                r = load_and_keep(files, file, why);
        if (r == 0)
                *ret = file;
        else if (r == -EINVAL)
                name_it(path, why);
        return r;
}
