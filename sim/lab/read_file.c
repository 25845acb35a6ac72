/* Files that a scenario names. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/sys.h"
#include "sim/lab/read.h"

static void beside(char out[WZP_LAB_FILE_MAX], const char *file, const char *name) {
    const char *slash = strrchr(file, '/');
    const int folder = slash != NULL && *name != '/' ? (int)(slash - file + 1) : 0;
    (void)snprintf(out, WZP_LAB_FILE_MAX, "%.*s%s", folder, file, name);
}

char *wzp_lab_read_beside(wzp_lab_reader *r, const char *path, const json_t *value,
                          char file[WZP_LAB_FILE_MAX], size_t *len) {
    enum { BIGGEST = 4 * 1024 * 1024 };
    if (!json_is_string(value)) {
        wzp_lab_complain_type(r, path, "the name of a file beside the scenario", value);
        return NULL;
    }
    beside(file, r->doc->file, json_string_value(value));
    char *text = malloc(BIGGEST);
    if (text == NULL || !wzp_io_read_file(file, text, BIGGEST, len)) {
        wzp_lab_complain(r, path, "%s cannot be read: %s", file, wzp_io_reason(errno));
        free(text);
        return NULL;
    }
    return text;
}
