// SPDX-License-Identifier: MIT
// What is sampled: of a /proc and a cgroup made of files, and of this very process.

#include "daemon/plugins/sample.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/run_suite.h"

static char folder[64];

static void set_up(void) {
        strcpy(folder, "/tmp/chimed-sample.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void) {
        char command[128];

        snprintf(command, sizeof(command), "rm -r '%s'", folder);
        ck_assert_int_eq(system(command), 0);
}

static const char *in_folder(const char *name) {
        static char path[256];

        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return path;
}

static void put(const char *name, const char *text) {
        FILE *f = fopen(in_folder(name), "w");

        ck_assert_ptr_nonnull(f);
        fputs(text, f);
        fclose(f);
}

static void make_process(int pid, const char *comm, char state, int rss_pages) {
        char name[64], text[256];

        snprintf(name, sizeof(name), "%d", pid);
        ck_assert_int_eq(mkdir(in_folder(name), 0700), 0);
        snprintf(name, sizeof(name), "%d/fd", pid);
        ck_assert_int_eq(mkdir(in_folder(name), 0700), 0);
        snprintf(name, sizeof(name), "%d/stat", pid);
        snprintf(text, sizeof(text), "%d (%s) %c 0 1 1 0 -1 0 1 2 3 4 %d 0 7 8 20 0 2 0 33 1000 %d 0", pid, comm, state,
                 (int)sysconf(_SC_CLK_TCK), rss_pages);
        put(name, text);
        snprintf(name, sizeof(name), "%d/io", pid);
        put(name, "rchar: 1\nread_bytes: 10\nwrite_bytes: 20\n");
        snprintf(name, sizeof(name), "%d/smaps_rollup", pid);
        put(name, "0-1 ---p 0 0:0 0 [rollup]\nRss: 100 kB\nPss: 50 kB\nSwap: 3 kB\n");
        snprintf(name, sizeof(name), "%d/exe", pid);
        ck_assert_int_eq(symlink(pid == 12 ? "/usr/bin/x (deleted)" : "/usr/bin/x", in_folder(name)), 0);
}

START_TEST(all_of_a_name_are_added_up) {
        const struct sample_of of = {.name = "work)er", .with_pss = true};
        struct sample sample;
        char memory[512];
        struct text text = TEXT_IN(memory);

        make_process(11, "work)er", 'S', 5);
        make_process(12, "work)er", 'R', 5);
        make_process(13, "other", 'S', 5);
        make_process(14, "work)er", 'Z', 0);
        ck_assert_int_eq(sample_processes(folder, &of, &sample), 0);
        sample.values[SAMPLE_DESCRIPTORS] = 4; /* the size of a folder, here */
        sample_line(&sample, 0, &text);
        ck_assert_str_eq(text.to, "1970-01-01T00:00:00Z,2,4,204800,102400,6144,2000000,4,20,40");
        text = TEXT_IN(memory);
        sample_header(false, &text);
        ck_assert_str_eq(
                text.to,
                "time,processes,threads,memory_bytes,pss_bytes,swap_bytes,cpu_usec,descriptors,read_bytes,written_bytes");
}
END_TEST

START_TEST(a_program_is_known_by_its_file_also_when_it_was_replaced) {
        const struct sample_of of = {.exe = "/usr/bin/x"}, other = {.exe = "/usr/bin/x (deleted)"}, none = {.exe = "/usr/bin"};
        struct sample sample;

        make_process(11, "a", 'S', 5);
        make_process(12, "b", 'S', 5);
        ck_assert_int_eq(sample_processes(folder, &of, &sample), 0);
        ck_assert_int_eq(sample.values[SAMPLE_PROCESSES], 2);
        ck_assert_int_eq(sample_processes(folder, &other, &sample), 0);
        ck_assert_int_eq(sample.values[SAMPLE_PROCESSES], 1);
        ck_assert_int_eq(sample_processes(folder, &none, &sample), 0);
        ck_assert_int_eq(sample.values[SAMPLE_PROCESSES], 0);
}
END_TEST

START_TEST(what_one_of_them_hides_is_unknown_of_all) {
        const struct sample_of of = {.name = "x", .with_pss = true};
        struct sample sample;
        char memory[512];
        struct text text = TEXT_IN(memory);

        make_process(11, "x", 'S', 1);
        make_process(12, "x", 'S', 1);
        ck_assert_int_eq(unlink(in_folder("12/io")), 0);
        put("12/smaps_rollup", "Rss: 1 kB\nPss: what\n");
        ck_assert_int_eq(sample_processes(folder, &of, &sample), 0);
        sample.values[SAMPLE_DESCRIPTORS] = SAMPLE_UNKNOWN;
        sample_json(&sample, &text);
        ck_assert_str_eq(text.to,
                         "{\"processes\":2,\"threads\":4,\"memory_bytes\":103424,\"pss_bytes\":null,\"swap_bytes\":null,"
                         "\"cpu_usec\":2000000,\"descriptors\":null,\"read_bytes\":null,\"written_bytes\":null}");
        text = TEXT_IN(memory);
        sample_pairs(&sample, &text);
        ck_assert_str_eq(text.to, "processes=2 threads=4 memory_bytes=103424 cpu_usec=2000000");
}
END_TEST

START_TEST(a_stat_that_is_none_is_an_error) {
        const struct sample_of of = {.pid = 11};
        struct sample sample;

        make_process(11, "x", 'S', 1);
        put("11/stat", "what");
        ck_assert_int_eq(sample_processes(folder, &of, &sample), -EBADMSG);
        ck_assert_int_eq(sample_processes("/proc/no", &of, &sample), -ENOENT);
}
END_TEST

START_TEST(this_process_is_there_and_one_without_a_number_is_not) {
        const struct sample_of self = {.pid = getpid(), .with_pss = true};
        struct sample_of none = {.pid = 1 << 22}; /* no number is that high */
        struct sample sample;

        ck_assert_int_eq(sample_processes("/proc", &self, &sample), 0);
        ck_assert_int_eq(sample.values[SAMPLE_PROCESSES], 1);
        ck_assert_int_ge(sample.values[SAMPLE_THREADS], 1);
        ck_assert_int_gt(sample.values[SAMPLE_MEMORY], 4096);
        ck_assert_int_ge(sample.values[SAMPLE_DESCRIPTORS], 3);
        ck_assert_int_eq(sample_processes("/proc", &none, &sample), 0);
        ck_assert_int_eq(sample.values[SAMPLE_PROCESSES], 0);
}
END_TEST

START_TEST(a_cgroup_says_what_its_controllers_know) {
        struct sample sample;
        char memory[512];
        struct text text = TEXT_IN(memory);

        ck_assert_int_eq(sample_cgroup(in_folder("no"), &sample), -ENOENT);
        ck_assert_int_eq(sample_cgroup(folder, &sample), -ENOTTY);
        put("cgroup.controllers", "\n");
        ck_assert_int_eq(sample_cgroup(folder, &sample), 0);
        sample_pairs(&sample, &text);
        ck_assert_str_eq(text.to, "");
        put("pids.current", "7\n");
        put("memory.current", "8192\n");
        put("memory.swap.current", "max\n");
        put("memory.stat", "anon 100\nfile 200\n");
        put("cpu.stat", "usage_usec 5\nuser_usec 4\n");
        put("io.stat", "8:0 rbytes=1 wbytes=2\n8:1 rbytes=1 wbytes=2\n");
        put("memory.events", "oom 2\noom_kill 1\n");
        ck_assert_int_eq(sample_cgroup(folder, &sample), 0);
        sample_line(&sample, 1, &text);
        ck_assert_str_eq(text.to, "1970-01-01T00:00:00.000001Z,7,8192,100,,5,2,4,1");
        text = TEXT_IN(memory);
        sample_header(true, &text);
        ck_assert_str_eq(text.to,
                         "time,threads,memory_bytes,anon_bytes,swap_bytes,cpu_usec,read_bytes,written_bytes,oom_kills");
}
END_TEST

static const struct {
        const char *text;
        int r;
        pid_t pid;
} pid_files[] = {
        {"123\n", 0, 123},       {" 7", 0, 7},          {"42\n/var/lib/x\n5432\n", 0, 42}, {"", -EBADMSG, 0},
        {"0\n", -EBADMSG, 0},    {"-1\n", -EBADMSG, 0}, {"99999999\n", -EBADMSG, 0},       {"12 13\n", -EBADMSG, 0},
        {"\n12\n", -EBADMSG, 0},
};

START_TEST(a_pid_file_holds_a_number) {
        pid_t pid = -7;

        put("pid", pid_files[_i].text);
        int r = sample_pid_file(in_folder("pid"), &pid);
        ck_assert_msg(r == pid_files[_i].r, "'%s': %d", pid_files[_i].text, r);
        ck_assert_int_eq(pid, r == 0 ? pid_files[_i].pid : -7);
        ck_assert_int_eq(sample_pid_file(in_folder("no"), &pid), -ENOENT);
}
END_TEST

START_TEST(a_folder_in_place_of_a_file_is_an_error) {
        pid_t pid;

        ck_assert_int_eq(sample_pid_file(folder, &pid), -EISDIR);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof(*(table)))

int main(void) {
        Suite *suite = suite_create("sample");
        TCase *c = tcase_create("samples");

        tcase_add_checked_fixture(c, set_up, tear_down);
        tcase_add_test(c, all_of_a_name_are_added_up);
        tcase_add_test(c, a_program_is_known_by_its_file_also_when_it_was_replaced);
        tcase_add_test(c, what_one_of_them_hides_is_unknown_of_all);
        tcase_add_test(c, a_stat_that_is_none_is_an_error);
        tcase_add_test(c, this_process_is_there_and_one_without_a_number_is_not);
        tcase_add_test(c, a_cgroup_says_what_its_controllers_know);
        tcase_add_loop_test(c, a_pid_file_holds_a_number, 0, COUNT(pid_files));
        tcase_add_test(c, a_folder_in_place_of_a_file_is_an_error);
        suite_add_tcase(suite, c);
        return run_suite(suite);
}
