// SPDX-License-Identifier: MIT
// The helpers that all share: descriptors are closed on any kernel.

#include <errno.h>
#include <fcntl.h>

#include "daemon/core/util.h"
#include "tests/unit/run_suite.h"
#include "tests/unit/runner/refuse.h"

#define FIRST 100 /* the test itself has some below */

/* Each row: what close_range() says; 0: it is there. */
static const int refusals[] = {0, ENOSYS, EPERM};

START_TEST(descriptors_are_closed_from_a_number_on) {
        const int numbers[] = {FIRST - 1, FIRST, FIRST + 1, FIRST + 40};

        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                ck_assert_int_eq(dup2(STDERR_FILENO, numbers[i]), numbers[i]);
        if (refusals[_i] > 0)
                refuse(SYS_close_range, -1, 0, refusals[_i]);
        util_close_from(FIRST);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
                ck_assert_int_eq(fcntl(numbers[i], F_GETFD) >= 0, numbers[i] < FIRST);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("util");
        TCase *tcase = tcase_create("util");
        tcase_add_loop_test(tcase, descriptors_are_closed_from_a_number_on, 0, ARRAY_SIZE(refusals));
        suite_add_tcase(suite, tcase);
        return run_suite(suite);
}
