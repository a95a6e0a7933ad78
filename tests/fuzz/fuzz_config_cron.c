// SPDX-License-Identifier: MIT
// Fuzzes cron fields: what is refused says where and why; what is read prints so that it reads back as the same, and its next times
// come one after the other. The first byte says how the day fields are joined.

#include "config/cron.h"
#include "tests/fuzz/fuzz_pattern.h"

static bool days_and;

static int read_fields(const char *text, struct pattern **ret, struct pattern_error *ret_error) {
        return cron_parse(text, days_and, ret, ret_error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (size > 0) {
                days_and = data[0] & 1;
                fuzz_pattern(data + 1, size - 1, read_fields);
        }
        return 0;
}
