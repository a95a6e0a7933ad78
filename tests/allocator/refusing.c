// SPDX-License-Identifier: MIT
// refusing: glibc lets a program bring its own malloc, and keeps its own at hand under other names.
// What an allocation is asked for before main() counts as well: the constructor comes before those of libraries that allocate in theirs
// only by chance, and nothing depends on it.

#include "tests/allocator/refusing.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t size);
extern void __libc_free(void *p);

static struct refusing alone; /* before the file is there, and without one */
static struct refusing *own = &alone;

struct refusing *refusing_own(void) {
        return own;
}

static bool is_refused(void) {
        int64_t at = own->at, n = ++own->n_asked;

        if (at == 0 || n < at || (n > at && !own->is_lasting))
                return false;
        own->n_refused++;
        errno = ENOMEM;
        return true;
}

static void *note(void *p) {
        if (p)
                own->n_live++;
        return p;
}

void *malloc(size_t size) {
        return is_refused() ? NULL : note(__libc_malloc(size));
}

void *calloc(size_t n, size_t size) {
        return is_refused() ? NULL : note(__libc_calloc(n, size));
}

void *realloc(void *p, size_t size) {
        if (p && size == 0) {
                free(p);
                return NULL;
        }
        if (is_refused())
                return NULL;
        return p ? __libc_realloc(p, size) : note(__libc_malloc(size));
}

void *reallocarray(void *p, size_t n, size_t size) {
        size_t all;

        if (__builtin_mul_overflow(n, size, &all)) {
                errno = ENOMEM;
                return NULL;
        }
        return realloc(p, all);
}

void free(void *p) {
        if (p)
                own->n_live--;
        __libc_free(p);
}

static enum refusing_kind find_kind(int argc, char **argv) {
        static const char *const names[REFUSING_MAX] = {
                [REFUSING_RUNNER] = "chimed-runner",
                [REFUSING_CHIMED] = "chimed",
                [REFUSING_CHIMECTL] = "chimectl",
                [REFUSING_SIMULATOR] = "chimed-simulate",
        };

        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--read") == 0)
                        return REFUSING_READER;
                if (strcmp(argv[i], "--scheduler") == 0)
                        return REFUSING_SCHEDULER;
        }
        for (int kind = 0; kind < REFUSING_MAX; kind++)
                if (names[kind] && strcmp(program_invocation_short_name, names[kind]) == 0)
                        return (enum refusing_kind)kind;
        return REFUSING_OTHER;
}

__attribute__((constructor)) static void begin(int argc, char **argv) {
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof("refusing"));
        char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;

        if (!slash)
                return;
        strcpy(slash + 1, "refusing");
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
                return;
        void *map = mmap(NULL, REFUSING_MAX * sizeof(struct refusing), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (map == MAP_FAILED)
                return;
        own = (struct refusing *)map + find_kind(argc, argv);
        own->n_live = alone.n_live;
}
