#include "bin/event_log.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/sys.h"

struct wzp_event_log {
    FILE *file;
    bool failed;
};

wzp_err wzp_event_log_open(wzp_event_log **out, const char *path) {
    wzp_event_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return WZP_ERR_NOMEM;
    }
    log->file = fopen(path, "we");
    if (log->file == NULL) {
        free(log);
        return WZP_ERR_IO;
    }
    *out = log;
    return WZP_OK;
}

void wzp_event_log_close(wzp_event_log **log) {
    if (*log != NULL) {
        (void)fclose((*log)->file);
        free(*log);
        *log = NULL;
    }
}

/* Names come from peers; what is not printable ASCII would not be JSON for sure. */
static void set_text(json_t *line, const char *key, const char *text) {
    char clean[256];
    if (*text != '\0') {
        wzp_log_clean(clean, sizeof clean, text, strlen(text));
        json_object_set_new(line, key, json_string(clean));
    }
}

static void set_number(json_t *line, const char *key, uint32_t value) {
    if (value != 0) {
        json_object_set_new(line, key, json_integer(value));
    }
}

/* The order of the fields is part of the format. */
void wzp_event_log_write(wzp_event_log *log, const wzp_relay_event *e) {
    char ts[40];
    json_t *line = json_object();
    wzp_io_rfc3339_at(ts, e->at);
    set_text(line, "ts", ts);
    set_text(line, "event", e->event);
    set_text(line, "room", e->room);
    set_number(line, "seq", e->seq);
    set_text(line, "codec", e->codec);
    set_number(line, "len", e->len);
    set_text(line, "peer", e->peer);
    set_text(line, "reason", e->reason);
    set_text(line, "tier", e->tier);
    set_number(line, "participants", e->count);
    if (json_dumpf(line, log->file, JSON_COMPACT) != 0 || fputc('\n', log->file) == EOF) {
        log->failed = true;
    }
    json_decref(line);
}

bool wzp_event_log_flush(wzp_event_log *log) {
    const bool failed = fflush(log->file) != 0 || log->failed;
    log->failed = false;
    return !failed;
}
