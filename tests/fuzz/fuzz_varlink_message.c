// SPDX-License-Identifier: MIT
// Any bytes as a stream of calls, cut anywhere: each is refused or read, checked against each method and printed again.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/varlink/message.h"
#include "daemon/varlink/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_call(const char *text, size_t size) {
        struct message_call call;
        struct pack out = {0};
        if (message_read_call(text, size, &call) < 0)
                return;
        for (size_t i = 0; i < API_METHOD_MAX; i++)
                (void)message_check(&call, api_methods()[i].in, api_methods()[i].n_in);
        message_put_reply(&out, call.parameters, call.is_more);
        if (pack_result(&out) < 0 || memchr(out.data, '\0', out.size) != out.data + out.size - 1)
                abort();
        message_call_done(&call);
        pack_done(&out);
}

/* What comes out is UTF-8, whatever goes in and wherever it is cut. */
static void try_text(const uint8_t *data, size_t size, size_t piece) {
        struct pack out = {0}, whole = {0};
        struct text_carry carry = {0};
        for (size_t at = 0; at < size; at += piece)
                text_put_utf8(&out, &carry, (const char *)data + at, size - at < piece ? size - at : piece, false);
        text_put_utf8(&out, &carry, NULL, 0, true);
        text_put_utf8(&whole, NULL, (const char *)data, size, true);
        if (!text_is_utf8((const char *)out.data, out.size) || out.size != whole.size ||
            (out.size > 0 && memcmp(out.data, whole.data, out.size) != 0))
                abort();
        pack_done(&out);
        pack_done(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        struct message_input in = {.limit = 4096};
        if (size < 1)
                return 0;
        size_t piece = data[0] % 61 + 1;
        try_text(data + 1, size - 1, piece);
        for (size_t at = 1; at < size; at += piece) {
                char *room;
                const char *text;
                size_t n = size - at < piece ? size - at : piece, room_size, text_size;
                if (message_input_room(&in, &room, &room_size) < 0)
                        break;
                n = n < room_size ? n : room_size;
                memcpy(room, data + at, n);
                message_input_add(&in, n);
                while (message_input_next(&in, &text, &text_size))
                        try_call(text, text_size);
                at -= piece - n;
        }
        message_input_done(&in);
        return 0;
}
