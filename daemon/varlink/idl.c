// SPDX-License-Identifier: MIT
// idl: the table of the interface as Varlink's interface language: every member has its sentence as a comment above it, which
// `varlinkctl introspect` shows: it is the reference.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/core/memory_stream.h"
#include "daemon/core/util.h"
#include "daemon/varlink/api.h"

static const char *type_words(const struct api_field *field) {
        switch (field->type) {
        case API_BOOL:
                return "bool";
        case API_INT:
        case API_INTS:
                return "int";
        case API_STRING:
        case API_STRINGS:
        case API_TEXTS:
                return "string";
        case API_OBJECT:
        case API_OBJECTS:
                return field->of;
        }
        return "";
}

/* What stands before the word of one. */
static const char *many_of(enum api_type type) {
        bool is_list = type == API_STRINGS || type == API_INTS || type == API_OBJECTS;
        return is_list ? "[]" : type == API_TEXTS ? "[string]" : "";
}

/* "(", a line for each field under its comment, ")". */
static void print_fields(FILE *f, const struct api_field *fields, size_t n) {
        if (n == 0) {
                fputs("()", f);
                return;
        }
        fputs("(\n", f);
        for (size_t i = 0; i < n; i++)
                fprintf(f, "        # %s\n        %s: %s%s%s%s\n", fields[i].help, fields[i].name,
                        fields[i].is_optional ? "?" : "", many_of(fields[i].type), type_words(&fields[i]),
                        i + 1 < n ? "," : "");
        fputc(')', f);
}

static void print_method(FILE *f, const struct api_row *row) {
        static const char *const more[] = {
                [API_SINGLE] = "",
                [API_MAY_MORE] = "# With or without the flag 'more'.\n",
                [API_MUST_MORE] = "# Needs the flag 'more'.\n",
        };
        fprintf(f, "\n# %s\n# Right: %s.\n%smethod %s", row->help, api_right_to_string(row->right), more[row->more], row->name);
        print_fields(f, row->in, row->n_in);
        fputs(" -> ", f);
        print_fields(f, row->out, row->n_out);
        fputc('\n', f);
}

static void print_row(FILE *f, const char *keyword, const struct api_row *row) {
        fprintf(f, "\n# %s\n%s %s ", row->help, keyword, row->name);
        print_fields(f, row->out, row->n_out);
        fputc('\n', f);
}

int api_print_idl(char **ret) {
        char *text = NULL;
        size_t size, n_types;
        const struct api_row *types = api_types(&n_types);
        FILE *f = memory_stream_open(&text, &size);
        if (!f)
                return -ENOMEM;
        fputs("# Scheduled jobs: how they stand, and commands to run, hold and watch them. Times are integer microseconds; "
              "names that\n"
              "# end in Usec are wall-clock instants unless the sentence says span.\n"
              "interface " API_INTERFACE "\n",
              f);
        for (size_t i = 0; i < n_types; i++)
                print_row(f, "type", &types[i]);
        for (size_t i = 0; i < API_METHOD_MAX; i++)
                print_method(f, &api_methods()[i]);
        for (size_t i = 0; i < API_ERROR_MAX; i++)
                print_row(f, "error", &api_errors()[i]);
        if (!memory_stream_finish(f, &text))
                return -ENOMEM;
        *ret = text;
        return 0;
}

const char *api_service_idl(void) {
        return "# What every Varlink service answers about itself.\n"
               "interface " API_SERVICE "\n"
               "\n"
               "# The service and the interfaces it has.\n"
               "method GetInfo() -> (\n"
               "        # Who makes it.\n"
               "        vendor: string,\n"
               "        # Its name.\n"
               "        product: string,\n"
               "        # Its version.\n"
               "        version: string,\n"
               "        # Where to read about it.\n"
               "        url: string,\n"
               "        # Names of its interfaces.\n"
               "        interfaces: []string\n"
               ")\n"
               "\n"
               "# An interface in this language.\n"
               "method GetInterfaceDescription(\n"
               "        # Its name.\n"
               "        interface: string\n"
               ") -> (\n"
               "        # The text.\n"
               "        description: string\n"
               ")\n"
               "\n"
               "# There is no such interface.\n"
               "error InterfaceNotFound (\n"
               "        # As it was given.\n"
               "        interface: string\n"
               ")\n"
               "\n"
               "# There is no such method.\n"
               "error MethodNotFound (\n"
               "        # Its whole name, as it was given.\n"
               "        method: string\n"
               ")\n"
               "\n"
               "# The method is not served here.\n"
               "error MethodNotImplemented (\n"
               "        # Its whole name, as it was given.\n"
               "        method: string\n"
               ")\n"
               "\n"
               "# A parameter is missing, unknown, or not of its type or range.\n"
               "error InvalidParameter (\n"
               "        # The first such parameter.\n"
               "        parameter: string\n"
               ")\n"
               "\n"
               "# The caller may not do this.\n"
               "error PermissionDenied (\n"
               "        # The right that is missing: see, trigger, control or admin.\n"
               "        right: string,\n"
               "        # On which job; null: on none in particular.\n"
               "        job: ?string,\n"
               "        # Who has it, in words.\n"
               "        holders: string\n"
               ")\n"
               "\n"
               "# The method is answered with a stream of replies: call it with the flag 'more'.\n"
               "error ExpectedMore ()\n";
}
