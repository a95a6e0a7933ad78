// SPDX-License-Identifier: MIT
// Fuzzes calendar events: what is refused says where and why; what is read prints so that it reads back as the same, and its next
// times come one after the other.

#include "config/calendar.h"
#include "tests/fuzz/fuzz_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        fuzz_pattern(data, size, calendar_parse);
        return 0;
}
