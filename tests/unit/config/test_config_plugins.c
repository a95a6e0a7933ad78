// SPDX-License-Identifier: MIT
// config_plugins: options by what a plugin says of itself, files that can't be trusted, and jobs that share a host. This program is the
// host, too: what is in a plugin's file says how it behaves.

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/config_plugins.h"
#include "config/plugin_look.h"
#include "tests/unit/config/config_fixture.h"
#include "tests/unit/run_suite.h"

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))
#define SELF        "/proc/self/exe"
#define SAMPLER                                                                                                                \
        "plugin\tsampler\tsamples\n"                                                                                           \
        "option\tfile\tstring\trequired\t0\t0\t\t\twhere the samples go\n"                                                     \
        "option\tlines\tinteger\toptional\t1\t10\t\t5\tlines\n"
#define FIFTY "123456789 123456789 123456789 123456789 123456789 "
#define WORDY /* help that has a character of two bytes where it is cut */                                                     \
        "plugin\twordy\t\noption\tfile\tstring\trequired\t0\t0\t\t\t" FIFTY FIFTY FIFTY                                        \
        "123456789 123456789 123456789 123456789 123456789\xc3\xa4 and more\n"

/* ---- as the host ---- */

static unsigned n_descriptors(void) {
        DIR *stream = opendir("/proc/self/fd");
        unsigned n = 0;

        while (stream && readdir(stream))
                n++;
        return n - 3; /* the stream's, . and .. */
}

static void act(const char *text) {
        struct rlimit core, files;

        if (strcmp(text, "hang") == 0)
                for (;;)
                        pause();
        if (strcmp(text, "shut") == 0 || strcmp(text, "late") == 0) {
                close(STDOUT_FILENO);
                close(STDERR_FILENO);
                usleep(50000);
                if (strcmp(text, "late") == 0)
                        _exit(4);
                for (;;)
                        pause();
        }
        if (strcmp(text, "crash") == 0)
                raise(SIGKILL);
        if (strcmp(text, "silent") == 0)
                _exit(3);
        if (strcmp(text, "no") == 0) {
                fputs("made for another\tversion\x01 or \xc2\x9b\nmore\n", stderr);
                _exit(1);
        }
        if (strcmp(text, "wild") == 0) {
                fputs("bad \xff bytes", stderr);
                _exit(1);
        }
        if (strcmp(text, "left") == 0 && fork() == 0)
                for (;;)
                        pause();
        for (int i = 0; strcmp(text, "flood") == 0 && i < 1000000; i++)
                puts("plugin\tflood\tflood");
        if (strcmp(text, "who") == 0) {
                getrlimit(RLIMIT_CORE, &core);
                getrlimit(RLIMIT_NOFILE, &files);
                fprintf(stderr, "uid %u gid %u groups %d fds %u core %lu files %lu env %d", getuid(), getgid(),
                        getgroups(0, NULL), n_descriptors(), (unsigned long)core.rlim_cur, (unsigned long)files.rlim_max,
                        environ && *environ);
                _exit(1);
        }
        fputs(text, stdout);
}

static int be_host(const char *path) {
        char text[4096] = "";
        FILE *f = fopen(path, "r");
        size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

        text[n] = '\0';
        if (f)
                fclose(f);
        act(text);
        return 0;
}

/* ---- the tests ---- */

static char plugins[300];

static void set_up_plugins(void) {
        char text[400];

        set_up();
        plugin_host = SELF;
        snprintf(plugins, sizeof(plugins), "%s/plugins", root);
        mkdir("plugins", 0755);
        snprintf(text, sizeof(text), "[chimed]\nPluginDirectory=%s\n", plugins);
        put("conf", text);
        put("plugins/sampler.so", SAMPLER);
        put("plugins/wordy.so", WORDY);
        setenv("LD_LIBRARY_PATH", "/x", 1);
}

static const struct {
        const char *text;
        int result;
        const char *why; /* is in the reason */
} files[] = {
        {SAMPLER, 0, ""},
        {"plugin\tnone\t\n", 0, ""},
        {"", 1, "what it says of itself can't be read"},
        {"hello", 1, "what it says of itself can't be read"},
        {"plugin\tx\ty\noption\tfile\tpath\trequired\t0\t0\t\t\thelp\n", 1, "can't be read"},
        {"flood", 1, "can't be read"},
        {"no", 1, "made for another version? or ??"},
        {"wild", 1, "bad "},
        {"crash", 1, "ended with signal 9 (Killed)"},
        {"silent", 1, "exit status 3"},
        {"late", 1, "exit status 4"},
        {"hang", 1, "takes too long"},
        {"shut", 1, "takes too long"},
        {"left", 1, "takes too long"},
};

START_TEST(a_plugin_is_described_or_the_reason_is_known) {
        struct plugin_description d = {};
        char why[PLUGIN_LOOK_WHY] = "", path[400];

        put("plugins/x.so", files[_i].text);
        snprintf(path, sizeof(path), "%s/x.so", plugins);
        int r = plugin_look(SELF, path, strcmp(files[_i].why, "takes too long") == 0 ? 300 : 60000, &d, why);
        ck_assert_msg(r == files[_i].result, "%s: %d: %s", files[_i].text, r, why);
        ck_assert_msg(strstr(why, files[_i].why), "%s: %s", files[_i].text, why);
        plugin_description_done(&d);
}
END_TEST

START_TEST(who_describes_it_has_nothing) {
        struct plugin_description d = {};
        char why[PLUGIN_LOOK_WHY] = "", path[400], wanted[200];
        bool is_root = geteuid() == 0;

        put("plugins/x.so", "who");
        snprintf(path, sizeof(path), "%s/x.so", plugins);
        snprintf(wanted, sizeof(wanted), "uid %u gid %u groups %d fds 4 core 0 files 64 env 0", is_root ? 65534 : getuid(),
                 is_root ? 65534 : getgid(), is_root ? 0 : getgroups(0, NULL));
        ck_assert_int_eq(plugin_look(SELF, path, 60000, &d, why), 1);
        ck_assert_str_eq(why, wanted);
}
END_TEST

static void make_link(void) {
        ck_assert_int_eq(rename("plugins/x.so", "plugins/y.so"), 0);
        ck_assert_int_eq(mkdir("plugins/x.so", 0755), 0);
}
static void make_writable(void) {
        ck_assert_int_eq(chmod("plugins/x.so", 0664), 0);
}
static void open_folder(void) {
        ck_assert_int_eq(chmod("plugins", 0777), 0);
}
static void remove_it(void) {
        ck_assert_int_eq(unlink("plugins/x.so"), 0);
}
static void give_away(void) {
        ck_assert_int_eq(chown("plugins/x.so", 12345, 0), 0);
}
static void make_fifo(void) {
        ck_assert_int_eq(unlink("plugins/x.so"), 0);
        ck_assert_int_eq(mkfifo("plugins/x.so", 0644), 0);
}

static const struct {
        void (*spoil)(void);
        bool needs_root;
        const char *why;
} spoilt[] = {
        {make_link, false, "it is no regular file"},           {make_fifo, false, "it is no regular file"},
        {make_writable, false, "others than its owner"},       {open_folder, false, "plugins: others than its owner"},
        {remove_it, false, "x.so: No such file or directory"}, {give_away, true, "it must belong to root"},
};

START_TEST(a_file_that_others_can_change_is_not_loaded) {
        struct plugin_description d = {};
        char why[PLUGIN_LOOK_WHY] = "", path[400];

        if (spoilt[_i].needs_root && geteuid() != 0)
                return;
        put("plugins/x.so", SAMPLER);
        spoilt[_i].spoil();
        snprintf(path, sizeof(path), "%s/x.so", plugins);
        ck_assert_int_eq(plugin_look(SELF, path, 60000, &d, why), 1);
        ck_assert_msg(strstr(why, spoilt[_i].why), "%s", why);
}
END_TEST

START_TEST(no_program_and_no_process_left) {
        struct plugin_description d = {};
        char why[PLUGIN_LOOK_WHY] = "", path[400];

        snprintf(path, sizeof(path), "%s/sampler.so", plugins);
        ck_assert_int_eq(plugin_look("/nowhere/chimed-host", path, 60000, &d, why), 1);
        ck_assert_str_eq(why, "/nowhere/chimed-host: No such file or directory");
        ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

static const struct {
        const char *job;
        const char *diag; /* "": none */
} jobs[] = {
        {"Plugin=sampler\nOption.file=/tmp/x\n", ""},
        {"Plugin=sampler\nOption.file=/tmp/x\nOption.lines=10\n", ""},
        {"Plugin=sampler\nOption.file=/tmp/x\nOption.lines=11\n", "etc/a.ini:5:14: Option.lines=11: give 1 to 10"},
        {"Plugin=sampler\nOption.file=/tmp/x\nOption.lines=many\n",
         "etc/a.ini:5:14: Option.lines=many: is not of type integer"},
        {"Plugin=sampler\nOption.file=/tmp/x\nOption.line=1\n",
         "etc/a.ini:5:1: plugin sampler has no option line; did you mean Option.lines=?"},
        {"Plugin=sampler\nOption.file=/tmp/x\nOption.quite-another=1\n",
         "etc/a.ini:5:1: plugin sampler has no option quite-another"},
        {"Plugin=sampler\n", "etc/a.ini:3:8: plugin sampler needs Option.file=: where the samples go"},
        {"Plugin=wordy\n", "etc/a.ini:3:8: plugin wordy needs Option.file=: " FIFTY FIFTY FIFTY "123456789 123456789 123456789 "
                           "123456789 123456789"},
};

START_TEST(options_are_what_the_plugin_says) {
        char text[500];

        snprintf(text, sizeof(text), "[job a]\nDescription=x\n%sEvery=1h\n", jobs[_i].job);
        put("etc/a.ini", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), jobs[_i].diag[0] ? "! a" : "a");
        ck_assert_str_eq(diag(0), jobs[_i].diag[0] ? jobs[_i].diag : "none");
        ck_assert_uint_eq(diags.n, jobs[_i].diag[0] != '\0');
}
END_TEST

START_TEST(a_plugin_that_can_t_be_loaded_is_told_once_and_its_jobs_stay) {
        put("plugins/no.so", "no");
        put("etc/a.ini", "[job a]\nPlugin=no\nOption.x=1\n[job b]\nPlugin=no\n[job c]\nPlugin=absent\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a b c");
        ck_assert_str_eq(diag(0), "etc/a.ini:2:8: warning: plugin no can't be loaded: made for another version? or ??");
        ck_assert_msg(strncmp(diag(1), "etc/a.ini:7:8: warning: plugin absent can't be loaded: ", 54) == 0, "%s", diag(1));
        ck_assert_uint_eq(diags.n, 2);
        ck_assert_str_eq(config->jobs[0]->what.argv[0] + strlen(plugins), "/no.so");
}
END_TEST

START_TEST(all_plugins_together_have_a_time) {
        struct config_plugins plugins_of = {
                .warns = true, .host = SELF, .folder = plugins, .spent_ms = PLUGINS_LOOK_TIME_MS - 200};

        put("plugins/slow.so", "hang");
        put("etc/a.ini",
            "[job a]\nPlugin=slow\n[job b]\nPlugin=sampler\nOption.x=1\n[job c]\nPlugin=wordy\n[job d]\nPlugin=slow\n");
        plugin_host = NULL;
        ck_assert_int_eq(load(), 0);
        for (size_t i = 0; i < config->n_jobs; i++)
                ck_assert_int_eq(config_plugins_check(&plugins_of, config->jobs[i], &diags), 0);
        ck_assert_str_eq(diag(0), "etc/a.ini:2:8: warning: plugin slow can't be loaded: loading it takes too long");
        ck_assert_str_eq(
                diag(1),
                "etc/a.ini:4:8: warning: plugin sampler and those after it are not looked at: the others took too long");
        ck_assert_uint_eq(diags.n, 2);
        config_plugins_done(&plugins_of);
}
END_TEST

/* A process for each would take longer than a test may. */
START_TEST(ten_thousand_jobs_of_a_plugin_look_at_it_once) {
        FILE *f = fopen("etc/a.ini", "w");

        for (int i = 0; i < 10000; i++)
                fprintf(f, "[job j%d]\nPlugin=sampler\nOption.file=/x%d\nEvery=1s\n", i, i);
        fclose(f);
        ck_assert_int_eq(load(), 0);
        ck_assert_uint_eq(config->n_jobs, 10000);
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(without_a_host_program_nothing_is_looked_at) {
        plugin_host = NULL;
        put("etc/a.ini", "[job a]\nPlugin=absent\nOption.x=1\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a");
        ck_assert_uint_eq(diags.n, 0);
}
END_TEST

START_TEST(jobs_that_share_a_host_agree_on_what_is_the_process_s) {
        plugin_host = NULL;
        put("etc/a.ini", "[defaults]\nPluginHost=h\n[job a]\nPlugin=x\nOption.a=1\n[job b]\nPlugin=y\nTimeout=1s\n"
                         "[job c]\nCoprocess=/bin/cat\nNice=5\n[job d]\nCommand=/bin/true\nNice=6\n[job e]\nPlugin=x\nNice=5\n"
                         "PluginHost=other\n");
        put("run/b.ini", "[job f]\nPlugin=z\nPluginHost=h\nLimitNOFILE=100\n");
        ck_assert_int_eq(load(), 0);
        ck_assert_str_eq(names(), "a b d e ! c f");
        ck_assert_str_eq(diag(0),
                         "etc/a.ini:2:12: PluginHost=h: one process can't have two values of Nice=: job a (etc/a.ini:3) and "
                         "job c (etc/a.ini:9) differ in it");
        ck_assert_str_eq(diag(1), "run/b.ini:3:12: PluginHost=h: one process can't have two values of LimitNOFILE=: job a "
                                  "(etc/a.ini:3) and job f (run/b.ini:1) differ in it");
        ck_assert_uint_eq(diags.n, 2);
}
END_TEST

static const char *const folders[] = {"plugins", "/x/", "", "/"};

START_TEST(the_plugin_folder_is_an_absolute_path) {
        char text[200];

        snprintf(text, sizeof(text), "[chimed]\nPluginDirectory=%s\n", folders[_i]);
        put("conf", text);
        ck_assert_int_eq(load(), 0);
        ck_assert_uint_eq(diags.n, folders[_i][0] != '\0');
        ck_assert_str_eq(config->settings.plugin_directory, "");
}
END_TEST

int main(int argc, char **argv) {
        if (argc == 2 && strncmp(argv[1], "--describe=", 11) == 0)
                return be_host(argv[1] + 11);
        Suite *suite = suite_create("config_plugins");
        TCase *tcase = tcase_create("config_plugins");

        tcase_add_checked_fixture(tcase, set_up_plugins, tear_down);
        tcase_add_loop_test(tcase, a_plugin_is_described_or_the_reason_is_known, 0, ROWS(files));
        tcase_add_test(tcase, who_describes_it_has_nothing);
        tcase_add_loop_test(tcase, a_file_that_others_can_change_is_not_loaded, 0, ROWS(spoilt));
        tcase_add_test(tcase, no_program_and_no_process_left);
        tcase_add_loop_test(tcase, options_are_what_the_plugin_says, 0, ROWS(jobs));
        tcase_add_test(tcase, a_plugin_that_can_t_be_loaded_is_told_once_and_its_jobs_stay);
        tcase_add_test(tcase, all_plugins_together_have_a_time);
        tcase_add_test(tcase, ten_thousand_jobs_of_a_plugin_look_at_it_once);
        tcase_add_test(tcase, without_a_host_program_nothing_is_looked_at);
        tcase_add_test(tcase, jobs_that_share_a_host_agree_on_what_is_the_process_s);
        tcase_add_loop_test(tcase, the_plugin_folder_is_an_absolute_path, 0, ROWS(folders));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
