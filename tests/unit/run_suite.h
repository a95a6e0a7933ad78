// SPDX-License-Identifier: MIT
// run_suite: what every unit test's main() ends with.
#pragma once

#include <check.h>
#include <stdlib.h>

/* Takes the suite, runs it (CK_VERBOSITY says how loudly) and returns the exit status. */
static inline int run_suite(Suite *suite) {
        SRunner *runner = srunner_create(suite);

        srunner_run_all(runner, CK_ENV);
        int failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
