// SPDX-License-Identifier: MIT
// Fuzzes zone files: whatever is read gives offsets in their range, changes that go forward and are changes, and civil times whose
// instants show them. The last 8 bytes say where to look.

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/zone.h"

#define BORDER      (INT64_C(1) << 59)
#define NEAR        (INT64_C(1) << 33) /* the years 1698 to 2242 */
#define CHANGES_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_true) {
        if (!is_true)
                abort();
}

static void check_civil(const struct zone *z, int64_t civil_s) {
        struct zone_instants is = zone_resolve(z, civil_s);

        check(is.n >= 0 && is.n <= 2 && (is.n < 2 || is.utc_s[0] < is.utc_s[1]));
        for (int i = 0; i < is.n; i++)
                check(is.utc_s[i] + zone_offset(z, is.utc_s[i], NULL, NULL) == civil_s);
        if (is.n == 0) {
                check(is.utc_s[0] - 1 + zone_offset(z, is.utc_s[0] - 1, NULL, NULL) < civil_s);
                check(is.utc_s[0] + zone_offset(z, is.utc_s[0], NULL, NULL) > civil_s);
        }
}

static void check_around(const struct zone *z, int64_t utc_s) {
        const char *abbreviation;
        int32_t offset_s = zone_offset(z, utc_s, NULL, &abbreviation);
        int64_t next_s = zone_next_change(z, utc_s);
        struct zone_instants is = zone_resolve(z, utc_s + offset_s);

        check(offset_s > -25 * 3600 && offset_s < 26 * 3600 && strlen(abbreviation) < 16);
        check(is.n == 2 || (is.n == 1 && is.utc_s[0] == utc_s));
        for (int64_t step = -2; step <= 2; step++)
                check_civil(z, utc_s + step * 1800);
        if (next_s == INT64_MAX)
                return;
        check(next_s > utc_s && zone_offset(z, next_s - 1, NULL, NULL) == offset_s &&
              zone_offset(z, next_s, NULL, NULL) != offset_s);
}

static void walk(const struct zone *z, int64_t utc_s) {
        for (int i = 0; i < CHANGES_MAX && utc_s < BORDER; i++) {
                check_around(z, utc_s);
                utc_s = zone_next_change(z, utc_s);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct zone *z;
        int64_t utc_s = 0;

        int r = zone_parse(data, size, "fuzz", &z);
        if (r < 0) {
                check(r == -EBADMSG || r == -ENOTSUP);
                return 0;
        }
        memcpy(&utc_s, data + size - sizeof(utc_s), sizeof(utc_s));
        walk(z, utc_s % BORDER);
        walk(z, utc_s % NEAR);
        zone_unref(z);
        return 0;
}
