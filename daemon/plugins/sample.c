// SPDX-License-Identifier: MIT
// sample: what processes or a cgroup use at this instant.
// A process may end between two reads of its files; it is left out then. Nothing read here is trusted: every read has a bound.

#include "daemon/plugins/sample.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/plugins/csv_file.h"
#include "daemon/plugins/proc_text.h"

#define FILE_MAX        (64 * 1024)
#define PID_MAX_LIMIT   (1 << 22)
#define DESCRIPTORS_MAX (1 << 20)
#define COMM_COMPARED   15

/* One row a field: its column, and who has it. */
static const struct {
        const char *name;
        bool of_processes, of_cgroup;
} columns[SAMPLE_FIELD_MAX] = {
        [SAMPLE_PROCESSES] = {"processes", true, false}, [SAMPLE_THREADS] = {"threads", true, true},
        [SAMPLE_MEMORY] = {"memory_bytes", true, true},  [SAMPLE_PSS] = {"pss_bytes", true, false},
        [SAMPLE_ANON] = {"anon_bytes", false, true},     [SAMPLE_SWAP] = {"swap_bytes", true, true},
        [SAMPLE_CPU] = {"cpu_usec", true, true},         [SAMPLE_DESCRIPTORS] = {"descriptors", true, false},
        [SAMPLE_READ] = {"read_bytes", true, true},      [SAMPLE_WRITTEN] = {"written_bytes", true, true},
        [SAMPLE_OOM_KILLS] = {"oom_kills", false, true},
};

static bool has_column(bool is_cgroup, enum sample_field i) {
        return is_cgroup ? columns[i].of_cgroup : columns[i].of_processes;
}

/* Reads a file up to its end or the buffer's, closed with a NUL. Negative errno. */
static int read_file(int folder, const char *name, char buffer[FILE_MAX]) {
        size_t used = 0;
        int r = 0, fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return -errno;
        while (used < FILE_MAX - 1) {
                ssize_t n = read(fd, buffer + used, FILE_MAX - 1 - used);
                if (n < 0)
                        r = -errno;
                if (n <= 0)
                        break;
                used += (size_t)n;
        }
        close(fd);
        if (r == 0)
                buffer[used] = '\0';
        return r;
}

/* It is not there, not any more, or not for us (hidepid=). */
static bool is_hidden(int r) {
        return r == -ENOENT || r == -ESRCH || r == -EACCES || r == -EPERM;
}

/* ---- processes ---- */

static int64_t count_descriptors(int process) {
        struct stat st;
        int64_t n = 0;
        int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return SAMPLE_UNKNOWN;
        if (fstat(fd, &st) == 0 && st.st_size > 0) { /* since Linux 6.2 */
                close(fd);
                return st.st_size;
        }
        DIR *folder = fdopendir(fd);
        if (!folder) {
                close(fd);
                return SAMPLE_UNKNOWN;
        }
        for (const struct dirent *entry; n < DESCRIPTORS_MAX && (entry = readdir(folder));)
                n += entry->d_name[0] != '.';
        closedir(folder);
        return n;
}

/* Fields of one file of a process: all unknown where it cannot be read. */
static void read_fields(int process, const char *file, char buffer[FILE_MAX], const char *const names[],
                        const enum sample_field fields[], size_t n, int64_t values[SAMPLE_FIELD_MAX]) {
        int r = read_file(process, file, buffer);

        for (size_t i = 0; i < n; i++) {
                int64_t value;
                if (r == 0 && proc_parse_field(buffer, names[i], &value) == 0)
                        values[fields[i]] = value;
        }
}

/* Reads one process that is known by its stat. */
static void read_process(int process, const struct proc_stat *stat, bool with_pss, char buffer[FILE_MAX],
                         int64_t values[SAMPLE_FIELD_MAX]) {
        static const char *const memory[] = {"Rss", "Pss", "Swap"}, *const io[] = {"read_bytes", "write_bytes"};
        static const enum sample_field memory_fields[] = {SAMPLE_MEMORY, SAMPLE_PSS, SAMPLE_SWAP},
                                       io_fields[] = {SAMPLE_READ, SAMPLE_WRITTEN};
        int64_t ticks = sysconf(_SC_CLK_TCK), page = sysconf(_SC_PAGESIZE);

        for (int i = 0; i < SAMPLE_FIELD_MAX; i++)
                values[i] = SAMPLE_UNKNOWN;
        values[SAMPLE_PROCESSES] = 1;
        values[SAMPLE_THREADS] = stat->threads;
        values[SAMPLE_CPU] = stat->cpu_ticks > INT64_MAX / 1000000 ? INT64_MAX : stat->cpu_ticks * 1000000 / ticks;
        values[SAMPLE_MEMORY] = stat->rss_pages > INT64_MAX / page ? INT64_MAX : stat->rss_pages * page;
        if (stat->rss_pages == 0) /* a thread of the kernel */
                values[SAMPLE_PSS] = values[SAMPLE_SWAP] = 0;
        else if (with_pss)
                read_fields(process, "smaps_rollup", buffer, memory, memory_fields, 3, values);
        read_fields(process, "io", buffer, io, io_fields, 2, values);
        values[SAMPLE_DESCRIPTORS] = count_descriptors(process);
}

static bool is_wanted(int process, const struct proc_stat *stat, const struct sample_of *of) {
        char exe[PATH_MAX + sizeof(" (deleted)")];

        if (of->name)
                return strncmp(stat->comm, of->name, COMM_COMPARED) == 0;
        if (!of->exe)
                return true;
        ssize_t n = readlinkat(process, "exe", exe, sizeof(exe) - 1);
        if (n < 0)
                return false;
        exe[n] = '\0';
        size_t length = strlen(of->exe);
        return strncmp(exe, of->exe, length) == 0 && (exe[length] == '\0' || strcmp(exe + length, " (deleted)") == 0);
}

/* Adds a process if it is one of those. */
static int add_process(int proc, const char *pid, const struct sample_of *of, char buffer[FILE_MAX], struct sample *sum) {
        int64_t values[SAMPLE_FIELD_MAX];
        struct proc_stat stat;
        int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (process < 0)
                return is_hidden(-errno) ? 0 : -errno;
        int r = read_file(process, "stat", buffer);
        if (r == 0)
                r = proc_parse_stat(buffer, &stat);
        if (r == 0 && !strchr("ZX", stat.state) && is_wanted(process, &stat, of)) {
                read_process(process, &stat, of->with_pss, buffer, values);
                for (int i = 0; i < SAMPLE_FIELD_MAX; i++)
                        if (values[i] == SAMPLE_UNKNOWN || sum->values[i] == SAMPLE_UNKNOWN ||
                            __builtin_add_overflow(sum->values[i], values[i], &sum->values[i]))
                                sum->values[i] = SAMPLE_UNKNOWN;
        }
        close(process);
        return is_hidden(r) ? 0 : r;
}

int sample_processes(const char *proc, const struct sample_of *of, struct sample *ret) {
        struct sample sum = {};
        char buffer[FILE_MAX], number[16];
        DIR *folder = opendir(proc);
        int r = 0;

        if (!folder)
                return -errno;
        if (of->pid) {
                snprintf(number, sizeof(number), "%d", (int)of->pid);
                r = add_process(dirfd(folder), number, of, buffer, &sum);
        }
        for (const struct dirent *entry; !of->pid && r == 0 && (entry = readdir(folder));)
                if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
                        r = add_process(dirfd(folder), entry->d_name, of, buffer, &sum);
        closedir(folder);
        if (r == 0)
                *ret = sum;
        return r;
}

int sample_pid_file(const char *path, pid_t *ret) {
        char buffer[FILE_MAX];
        int64_t n;
        int r = read_file(AT_FDCWD, path, buffer);

        if (r < 0)
                return r;
        buffer[strcspn(buffer, "\n")] = '\0'; /* some have more lines: PostgreSQL's */
        if (proc_parse_number(buffer, &n) < 0 || n < 1 || n > PID_MAX_LIMIT)
                return -EBADMSG;
        *ret = (pid_t)n;
        return 0;
}

/* ---- cgroups ---- */

/* What is in which file of a cgroup; without a name the file is one number. */
static const struct {
        enum sample_field field;
        const char *file, *name;
        bool is_sum;
} cgroup_files[] = {
        {SAMPLE_THREADS, "pids.current", NULL, false}, {SAMPLE_MEMORY, "memory.current", NULL, false},
        {SAMPLE_ANON, "memory.stat", "anon", false},   {SAMPLE_SWAP, "memory.swap.current", NULL, false},
        {SAMPLE_CPU, "cpu.stat", "usage_usec", false}, {SAMPLE_READ, "io.stat", "rbytes", true},
        {SAMPLE_WRITTEN, "io.stat", "wbytes", true},   {SAMPLE_OOM_KILLS, "memory.events", "oom_kill", false},
};

int sample_cgroup(const char *path, struct sample *ret) {
        struct sample sample = {.is_cgroup = true};
        char buffer[FILE_MAX];
        int r = 0, folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (folder < 0)
                return errno == ENOTDIR ? -ENOENT : -errno;
        if (faccessat(folder, "cgroup.controllers", F_OK, 0) < 0)
                r = -ENOTTY;
        for (int i = 0; i < SAMPLE_FIELD_MAX; i++)
                sample.values[i] = SAMPLE_UNKNOWN;
        for (size_t i = 0; i < sizeof(cgroup_files) / sizeof(*cgroup_files) && r == 0; i++) {
                int64_t *value = &sample.values[cgroup_files[i].field];
                r = read_file(folder, cgroup_files[i].file, buffer);
                if (r < 0)
                        r = is_hidden(r) ? 0 : r;
                else if (cgroup_files[i].is_sum)
                        *value = proc_sum_pairs(buffer, cgroup_files[i].name);
                else if (cgroup_files[i].name)
                        (void)proc_parse_field(buffer, cgroup_files[i].name, value);
                else
                        (void)proc_parse_number(buffer, value);
        }
        close(folder);
        if (r == 0)
                *ret = sample;
        return r == -ENODEV ? -ENOENT : r; /* it was removed meanwhile */
}

/* ---- what it looks like ---- */

void sample_header(bool is_cgroup, struct text *to) {
        text_add(to, CSV_FIRST);
        for (enum sample_field i = 0; i < SAMPLE_FIELD_MAX; i++)
                if (has_column(is_cgroup, i))
                        text_add(to, ",%s", columns[i].name);
}

void sample_line(const struct sample *sample, int64_t rt_us, struct text *to) {
        text_add_time(to, rt_us);
        for (enum sample_field i = 0; i < SAMPLE_FIELD_MAX; i++) {
                if (!has_column(sample->is_cgroup, i))
                        continue;
                text_add(to, ",");
                if (sample->values[i] != SAMPLE_UNKNOWN)
                        text_add(to, "%lld", (long long)sample->values[i]);
        }
}

void sample_json(const struct sample *sample, struct text *to) {
        const char *before = "{";

        for (enum sample_field i = 0; i < SAMPLE_FIELD_MAX; i++) {
                if (!has_column(sample->is_cgroup, i))
                        continue;
                text_add(to, "%s\"%s\":", before, columns[i].name);
                if (sample->values[i] == SAMPLE_UNKNOWN)
                        text_add(to, "null");
                else
                        text_add(to, "%lld", (long long)sample->values[i]);
                before = ",";
        }
        text_add(to, "}");
}

void sample_pairs(const struct sample *sample, struct text *to) {
        for (enum sample_field i = 0; i < SAMPLE_FIELD_MAX; i++)
                if (has_column(sample->is_cgroup, i) && sample->values[i] != SAMPLE_UNKNOWN)
                        text_add(to, "%s%s=%lld", to->used ? " " : "", columns[i].name, (long long)sample->values[i]);
}
