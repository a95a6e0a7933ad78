// SPDX-License-Identifier: MIT
// config_files: which files there are, and their text, read so that nothing strange can hurt.
// A name is first opened as a mere place (O_PATH), which touches neither devices nor pipes; only what proves to be a regular file
// of the right owner is opened for reading, through that very place.

#include "config/config_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "config/config.h"

#define DROP_IN_SUFFIX ".ini.d"

void config_files_done(struct config_files *files) {
        for (size_t i = 0; i < files->n; i++) {
                free(files->list[i].name);
                free(files->list[i].path);
        }
        free(files->list);
        *files = (struct config_files){};
}

static int compare(const void *a, const void *b) {
        const struct config_file *x = a, *y = b;
        int order = strcmp(x->name, y->name);

        return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

void config_files_sort(struct config_files *files, bool is_keeping_all) {
        size_t kept = 0;

        if (files->n == 0)
                return;
        qsort(files->list, files->n, sizeof(*files->list), compare);
        if (is_keeping_all)
                return;
        for (size_t i = 1; i < files->n; i++) {
                if (strcmp(files->list[kept].name, files->list[i].name) != 0) {
                        files->list[++kept] = files->list[i];
                        continue;
                }
                free(files->list[i].name);
                free(files->list[i].path);
        }
        files->n = kept + 1;
}

static int files_add(struct config_files *files, const char *folder, const char *name, size_t rank, bool is_refused) {
        struct config_file file = {.rank = rank, .is_refused = is_refused};

        if (files->n == files->allocated) {
                size_t wanted = files->allocated ? files->allocated * 2 : 16;
                struct config_file *list = realloc(files->list, wanted * sizeof(*list));
                if (!list)
                        return -ENOMEM;
                files->list = list;
                files->allocated = wanted;
        }
        file.name = strdup(name);
        if (!file.name || asprintf(&file.path, "%s/%s", folder, name) < 0) {
                free(file.name);
                return -ENOMEM;
        }
        files->list[files->n++] = file;
        return 0;
}

static bool has_suffix(const char *name, const char *suffix) {
        size_t size = strlen(name), tail = strlen(suffix);
        return size > tail && strcmp(name + size - tail, suffix) == 0;
}

/* What editors and package managers leave lying about; nobody expects it to be read. */
static bool is_leftover(const char *name) {
        static const char *const suffixes[] = {"~",        ".bak",      ".old",      ".orig",      ".rej",      ".swp",
                                               ".tmp",     ".dpkg-old", ".dpkg-new", ".dpkg-dist", ".dpkg-bak", ".dpkg-tmp",
                                               ".ucf-old", ".ucf-new",  ".ucf-dist", ".rpmnew",    ".rpmsave",  ".rpmorig"};

        for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
                if (has_suffix(name, suffixes[i]))
                        return true;
        return name[0] == '.' || name[0] == '#';
}

/* Whether only who has made this container could write there: chimed is its first process, and the place is mounted read-only. Who owns it and
 * what its rights are is then of other accounts than those in here. */
static bool is_given_to_container(int fd) {
        char name[32] = "";
        struct statvfs fs;

        if (fstatvfs(fd, &fs) < 0 || !(fs.f_flag & ST_RDONLY))
                return false;
        int comm = open("/proc/1/comm", O_RDONLY | O_CLOEXEC);
        if (comm >= 0) {
                (void)!read(comm, name, sizeof(name) - 1);
                close(comm);
        }
        return strcmp(name, "chimed-runner\n") == 0;
}

static const char *find_fault(int fd, const struct stat *st) {
        const char *fault = NULL;

        if (st->st_uid != 0 && st->st_uid != geteuid())
                fault = geteuid() == 0 ? "its owner is not root" : "its owner is neither root nor you";
        else if (st->st_mode & (S_IWGRP | S_IWOTH))
                fault = "others than its owner can write to it; chmod go-w";
        return fault && is_given_to_container(fd) ? NULL : fault;
}

/* 0, 1 if the folder is refused (told), or a negative error; without *ret there is no such folder. */
static int folder_open(const char *folder, struct diags *diags, DIR **ret) {
        struct stat st;
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0 && errno == ENOENT && lstat(folder, &st) < 0)
                return 0;
        if (fd < 0 || fstat(fd, &st) < 0) {
                int r = -errno;
                diags_add(diags, false, folder, 0, 0, "the folder can't be read: %s",
                          r == -ENOENT ? "the link leads nowhere" : strerror(-r));
                if (fd >= 0)
                        close(fd);
                return r;
        }
        const char *fault = find_fault(fd, &st);
        if (fault)
                diags_add(diags, false, folder, 0, 0, "the folder is not read: %s", fault);
        *ret = fdopendir(fd);
        if (*ret)
                return fault ? 1 : 0;
        close(fd);
        return -ENOMEM;
}

static int folder_entry(const char *folder, const char *name, size_t rank, bool is_refused, const char *suffix,
                        struct config_files *files, struct config_files *drop_ins, struct diags *diags) {
        char path[PATH_MAX];

        if (is_leftover(name))
                return 0;
        struct config_files *list = drop_ins && has_suffix(name, DROP_IN_SUFFIX) ? drop_ins
                                    : has_suffix(name, suffix)                   ? files
                                                                                 : NULL;
        if (list) {
                if (list->n < CONFIG_FILES_MAX)
                        return files_add(list, folder, name, rank, is_refused);
                diags_add(diags, false, folder, 0, 0, "more than %d files", CONFIG_FILES_MAX);
                return -E2BIG;
        }
        if (is_refused)
                return 0;
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        diags_add(diags, true, path, 0, 0, "not read: the name does not end in %s", suffix);
        return 0;
}

int config_files_scan(const char *folder, size_t rank, const char *suffix, struct config_files *files,
                      struct config_files *drop_ins, struct diags *diags) {
        DIR *dir = NULL;
        int r = folder_open(folder, diags, &dir);
        bool is_refused = r > 0;

        while (r >= 0 && dir) {
                errno = 0;
                const struct dirent *entry = readdir(dir);
                if (entry)
                        r = folder_entry(folder, entry->d_name, rank, is_refused, suffix, files, drop_ins, diags);
                else if (errno == 0)
                        break;
                else {
                        r = -errno;
                        diags_add(diags, false, folder, 0, 0, "the folder can't be read: %s", strerror(-r));
                }
        }
        if (dir)
                closedir(dir);
        return r < 0 ? r : is_refused;
}

static int refuse(const char *path, struct diags *diags, const char *why) {
        diags_add(diags, false, path, 0, 0, "not read: %s", why);
        return CONFIG_FILE_REFUSED;
}

/* What could not be opened: absent, a matter of this file, or (no descriptors left) of us. */
static int open_failed(const char *path, struct diags *diags, int error) {
        struct stat st;

        if (error == ENOENT && lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
                return refuse(path, diags, "the link leads nowhere");
        if (error == ENOENT || error == ENOTDIR)
                return CONFIG_FILE_ABSENT;
        if (error == ENOMEM)
                return -ENOMEM;
        refuse(path, diags, strerror(error));
        return error == EMFILE || error == ENFILE ? -error : CONFIG_FILE_REFUSED;
}

/* Looks at what the name stands for without touching it. */
static int check_place(int place, const char *path, struct diags *diags) {
        struct stat st;

        if (fstat(place, &st) < 0)
                return open_failed(path, diags, errno);
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
                return CONFIG_FILE_MASKED;
        if (!S_ISREG(st.st_mode))
                return refuse(path, diags, S_ISDIR(st.st_mode) ? "it is a folder" : "it is no regular file");
        const char *fault = find_fault(place, &st);
        if (fault)
                return refuse(path, diags, fault);
        if (st.st_size == 0)
                return refuse(path, diags, "it is empty (link it to /dev/null to disable it)");
        if (st.st_size > CONFIG_FILE_MAX)
                return refuse(path, diags, "it is longer than 64 MiB");
        return CONFIG_FILE_READ;
}

static int read_all(int fd, const char *path, struct diags *diags, char **ret_text, size_t *ret_size) {
        size_t size = 0, allocated = 16 * 1024;
        char *text = malloc(allocated);
        ssize_t n = 1;
        int r = CONFIG_FILE_READ;

        while (text && n > 0 && size <= CONFIG_FILE_MAX) {
                if (size == allocated) {
                        char *grown = realloc(text, allocated *= 4);
                        if (!grown)
                                free(text);
                        text = grown;
                        continue;
                }
                do
                        // cppcheck-suppress pointerOutOfBoundsCond // size is below allocated here
                        n = read(fd, text + size, allocated - size);
                while (n < 0 && errno == EINTR);
                size += n > 0 ? (size_t)n : 0;
        }
        if (!text)
                return -ENOMEM;
        if (n < 0)
                r = refuse(path, diags, strerror(errno));
        else if (size > CONFIG_FILE_MAX)
                r = refuse(path, diags, "it is longer than 64 MiB");
        else if (size == 0)
                r = refuse(path, diags, "it is empty");
        if (r != CONFIG_FILE_READ) {
                free(text);
                return r;
        }
        *ret_text = text;
        *ret_size = size;
        return r;
}

int config_file_read(const char *path, struct diags *diags, char **ret_text, size_t *ret_size) {
        char link[40];
        int place = open(path, O_PATH | O_CLOEXEC);

        if (place < 0)
                return open_failed(path, diags, errno);
        int r = check_place(place, path, diags);
        if (r != CONFIG_FILE_READ) {
                close(place);
                return r;
        }
        snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
        int fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                r = errno == ENOENT ? refuse(path, diags, "/proc is not there") : open_failed(path, diags, errno);
        else {
                r = read_all(fd, path, diags, ret_text, ret_size);
                close(fd);
        }
        close(place);
        return r;
}
