// SPDX-License-Identifier: MIT
// Fuzzes what plugins read of the kernel, of job files and of servers: numbers are never negative, a text is found in pieces where it
// is found in the whole, and JSON strings are valid.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/utf8.h"
#include "daemon/plugins/http.h"
#include "daemon/plugins/proc_text.h"
#include "daemon/plugins/send.h"
#include "daemon/plugins/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_right) {
        if (!is_right)
                abort();
}

static void read_numbers(const char *text) {
        struct proc_stat stat = {};
        int64_t n = 0;

        check(proc_parse_stat(text, &stat) < 0 ||
              (stat.cpu_ticks >= 0 && stat.threads >= 0 && stat.rss_pages >= 0 && strlen(stat.comm) <= PROC_COMM_MAX));
        check(proc_parse_number(text, &n) < 0 || n >= 0);
        check(proc_parse_field(text, "Pss", &n) < 0 || n >= 0);
        check(proc_sum_pairs(text, "rbytes") >= 0);
}

/* The first byte says how long the text is that is looked for, and how long the pieces are. */
static void find(const uint8_t *data, size_t size) {
        char wanted[16] = "";
        size_t length = data[0] % sizeof(wanted), piece = 1 + data[0] / sizeof(wanted);

        data++;
        size--;
        if (length == 0 || length > size || memchr(data, 0, length))
                return;
        memcpy(wanted, data, length);
        data += length;
        size -= length;
        struct http_find f = {.text = wanted};
        for (size_t i = 0; i < size; i += piece)
                http_find(&f, (const char *)data + i, size - i < piece ? size - i : piece);
        check(f.is_found == (memmem(data, size, wanted, length) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char *text = malloc(size + 1), memory[4096], *from = text;
        struct text json = TEXT_IN(memory);
        struct http_statuses statuses = {};
        struct send_address address;
        bool is_bad = false;

        memcpy(text, data, size);
        text[size] = '\0';
        read_numbers(text);
        if (http_parse_statuses(text, &statuses) == 0)
                check(statuses.n > 0 && !http_has_status(&statuses, 99) && !http_has_status(&statuses, 600));
        if (send_parse(text, &address) == 0)
                check(address.size > 0 && address.size <= sizeof(address.name));
        text_add_json(&json, text);
        check(utf8_find_bad(json.to, json.used) == json.used);
        if (size > 0)
                find(data, size);
        for (const char *line; (line = http_next_header(&from, &is_bad));)
                check(is_bad || strchr(line, ':'));
        text_tame(text);
        free(text);
        return 0;
}
