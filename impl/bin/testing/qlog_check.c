/* qlog_check FILE...: each is a qlog file as qvis reads it (draft-ietf-quic-qlog-main-schema 0.3,
 * JSON text sequences), with DATAGRAM frames in it.  One line for each says what was counted; exit
 * status 1 if one is not. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_SEPARATOR = 0x1e, FILE_MAX = 16 * 1024 * 1024 };

typedef struct tally {
    size_t records, packets, datagrams, ours;
    double last_ms; /* time of the record before */
} tally;

static int complain(const char *path, size_t record, const char *why) {
    (void)fprintf(stderr, "%s: record %zu: %s\n", path, record, why);
    return 1;
}

static int check_head(const char *path, const json_t *head) {
    const json_t *trace = json_object_get(head, "trace");
    const char *version = json_string_value(json_object_get(head, "qlog_version"));
    const char *format = json_string_value(json_object_get(head, "qlog_format"));
    const char *side =
        json_string_value(json_object_get(json_object_get(trace, "vantage_point"), "type"));
    if (version == NULL || format == NULL || side == NULL) {
        return complain(path, 0, "qlog_version, qlog_format or vantage_point is missing");
    }
    if (strncmp(version, "0.3", 3) != 0 || strcmp(format, "JSON-SEQ") != 0) {
        return complain(path, 0, "another version or format");
    }
    return strcmp(side, "client") == 0 || strcmp(side, "server") == 0
               ? 0
               : complain(path, 0, "vantage_point is neither client nor server");
}

static void count_frames(tally *t, const json_t *data) {
    size_t i = 0;
    const json_t *frame = NULL;
    json_array_foreach(json_object_get(data, "frames"), i, frame) {
        const char *type = json_string_value(json_object_get(frame, "frame_type"));
        t->datagrams += type != NULL && strcmp(type, "datagram") == 0;
    }
}

static int check_event(const char *path, tally *t, const json_t *event) {
    const char *name = json_string_value(json_object_get(event, "name"));
    const json_t *data = json_object_get(event, "data");
    const json_t *time = json_object_get(event, "time");
    if (name == NULL || strchr(name, ':') == NULL || !json_is_object(data) ||
        !json_is_number(time)) {
        return complain(path, t->records, "time, name or data is missing");
    }
    if (json_number_value(time) < t->last_ms) {
        return complain(path, t->records, "time goes back");
    }
    t->last_ms = json_number_value(time);
    t->ours += strncmp(name, "wzp:", 4) == 0;
    if (strcmp(name, "transport:packet_sent") == 0 ||
        strcmp(name, "transport:packet_received") == 0) {
        t->packets++;
        count_frames(t, data);
    }
    return 0;
}

static int check_record(const char *path, tally *t, const char *text, size_t len) {
    json_error_t error;
    json_t *record = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (record == NULL) {
        return complain(path, t->records, error.text);
    }
    const int failed = t->records == 0 ? check_head(path, record) : check_event(path, t, record);
    t->records++;
    json_decref(record);
    return failed;
}

static int check_text(const char *path, const char *text, size_t len) {
    tally t = {0};
    const char *end = text + len;
    for (const char *at = text; at < end;) {
        if (*at != RECORD_SEPARATOR) {
            return complain(path, t.records, "does not begin with a record separator");
        }
        const char *next = memchr(at + 1, RECORD_SEPARATOR, (size_t)(end - at - 1));
        next = next != NULL ? next : end;
        if (check_record(path, &t, at + 1, (size_t)(next - at - 1)) != 0) {
            return 1;
        }
        at = next;
    }
    printf("%s: %zu records, %zu packets, %zu datagrams, %zu of wzp\n", path, t.records, t.packets,
           t.datagrams, t.ours);
    return t.packets > 0 ? 0 : complain(path, t.records, "there is no packet in it");
}

static int check_file(const char *path) {
    FILE *file = fopen(path, "rbe");
    char *text = malloc(FILE_MAX);
    int failed = 1;
    if (file == NULL || text == NULL) {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    } else {
        failed = check_text(path, text, fread(text, 1, FILE_MAX, file));
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    free(text);
    return failed;
}

int main(int argc, char **argv) {
    int failed = argc < 2;
    for (int i = 1; i < argc; i++) {
        failed |= check_file(argv[i]);
    }
    return failed;
}
