/* The part of toml.h that needs no C++. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sys.h"
#include "io/toml.h"

wzp_err wzp_toml_load(wzp_toml *out, const char *path, char why[WZP_TOML_WHY_MAX]) {
    size_t len = 0;
    char *text = malloc(WZP_TOML_BYTES_MAX + 1);
    if (text == NULL) {
        (void)snprintf(why, WZP_TOML_WHY_MAX, "%s: out of memory", path);
        return WZP_ERR_NOMEM;
    }
    wzp_err err = WZP_ERR_IO;
    if (wzp_io_read_file(path, text, WZP_TOML_BYTES_MAX + 1, &len)) {
        err = wzp_toml_parse(out, text, len, path, why);
    } else {
        const int cause = errno;
        (void)snprintf(why, WZP_TOML_WHY_MAX, "%s: cannot be read: %s", path, wzp_io_reason(cause));
        free(text);
        errno = cause;
        return err;
    }
    free(text);
    return err;
}

void wzp_toml_clear(wzp_toml *toml) {
    json_decref(toml->tree);
    json_decref(toml->lines);
    *toml = (wzp_toml){NULL, NULL};
}

unsigned wzp_toml_line(const wzp_toml *toml, const char *path) {
    const json_t *line = json_object_get(toml->lines, path);
    return json_is_integer(line) ? (unsigned)json_integer_value(line) : 0;
}

#ifndef WZP_HAVE_TOMLPLUSPLUS
wzp_err wzp_toml_parse(wzp_toml *out, const char *text, size_t len, const char *name,
                       char why[WZP_TOML_WHY_MAX]) {
    (void)out;
    (void)text;
    (void)len;
    snprintf(why, WZP_TOML_WHY_MAX, "%s: this build reads no TOML (it was made without toml++)",
             name);
    return WZP_ERR_PARSE;
}
#endif
