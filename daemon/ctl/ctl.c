// SPDX-License-Identifier: MIT
// ctl: chimectl as a whole: options, then the verb, then its screen.

#include "daemon/ctl/ctl.h"

#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ctl/session.h"
#include "daemon/ctl/verbs.h"

static int usage(void) {
        fputs("Try 'chimectl --help'.\n", stderr);
        return CTL_EXIT_USAGE;
}

static int tell_unknown(const char *name) {
        const char *meant = verb_nearest(name);

        if (meant)
                return session_fail(CTL_EXIT_USAGE, "no verb \"%s\"; did you mean %s?", name, meant);
        session_fail(CTL_EXIT_USAGE, "no verb \"%s\"", name);
        return usage();
}

static int help(const char *name) {
        const struct verb *verb = name ? verb_find(name) : NULL;

        if (name && !verb)
                return tell_unknown(name);
        if (verb)
                verb_help(stdout, verb);
        else
                verbs_help(stdout);
        return fflush(stdout) == 0 ? CTL_EXIT_DONE : CTL_EXIT_FAILED;
}

/* What is wrong about the options and arguments for this verb. */
static int check(const struct options *o, const struct verb *verb, size_t n_names) {
        enum ctl_option other = options_find_other(o, verb->options);

        if (other != OPTION_MAX)
                session_fail(0, "%s takes no --%s", verb->name, option_row(other)->name);
        else if (n_names < verb->n_min)
                session_fail(0, "%s needs more: chimectl %s %s", verb->name, verb->name, verb->arguments);
        else if (n_names > verb->n_max)
                session_fail(0, "%s: \"%s\" is too much: chimectl %s %s", verb->name, o->words[verb->n_max + 1], verb->name,
                             verb->arguments);
        else
                return CTL_EXIT_DONE;
        fprintf(stderr, "Try 'chimectl help %s'.\n", verb->name);
        return CTL_EXIT_USAGE;
}

static int run(const struct options *o, const struct verb *verb, size_t n_names) {
        struct session s;

        if (session_begin(&s, o) < 0)
                return session_fail(CTL_EXIT_FAILED, "not enough memory");
        s.verb = verb;
        s.names = o->words + (o->n_words - n_names);
        s.n_names = n_names;
        return session_end(&s, verb->run(&s));
}

/* Jansson does not survive where it has no memory: its lexer asserts that it could write. */
static void *allocate_or_leave(size_t size) {
        void *p = malloc(size);

        if (!p)
                exit(session_tell_memory());
        return p;
}

int ctl_run(int argc, char **argv) {
        struct options o;

        json_set_alloc_funcs(allocate_or_leave, free);
        setlocale(LC_CTYPE, "");
        if (options_parse(argc, argv, &o) != 0)
                return CTL_EXIT_USAGE;
        if (o.values[OPTION_VERSION].is_set)
                return puts("chimectl " CHIMED_VERSION) < 0 ? CTL_EXIT_FAILED : CTL_EXIT_DONE;
        const char *name = o.n_words > 0 ? o.words[0] : "list";
        size_t n_names = o.n_words > 0 ? o.n_words - 1 : 0;
        if (o.values[OPTION_HELP].is_set)
                return help(o.n_words > 0 ? name : NULL);
        const struct verb *verb = verb_find(name);
        if (!verb)
                return tell_unknown(name);
        int status = check(&o, verb, n_names);
        if (status != CTL_EXIT_DONE)
                return status;
        return verb->run ? run(&o, verb, n_names) : help(n_names > 0 ? o.words[1] : NULL);
}
