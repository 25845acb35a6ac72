#include "bin/relay/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "io/sys.h"

enum { KEPT_MAX = 16384 };

struct wzp_event_log {
    uv_mutex_t lock;
    int fd;
    uint64_t lost;
    size_t len;
    char kept[KEPT_MAX]; /* whole lines, but that the disk may have taken a part of the first */
};

wzp_err wzp_event_log_open(wzp_event_log **out, const char *path) {
    wzp_event_log *log = calloc(1, sizeof *log);
    if (log == NULL || uv_mutex_init(&log->lock) != 0) {
        free(log);
        return WZP_ERR_NOMEM;
    }
    log->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (log->fd < 0) {
        const int why = errno;
        uv_mutex_destroy(&log->lock);
        free(log);
        errno = why;
        return WZP_ERR_IO;
    }
    *out = log;
    return WZP_OK;
}

/* False: something is left, and errno says why. */
static bool write_kept(wzp_event_log *log) {
    size_t done = 0;
    while (done < log->len) {
        const ssize_t n = write(log->fd, log->kept + done, log->len - done);
        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    log->len -= done;
    memmove(log->kept, log->kept + done, log->len);
    return log->len == 0;
}

void wzp_event_log_close(wzp_event_log **log) {
    if (*log != NULL) {
        (void)write_kept(*log);
        (void)close((*log)->fd);
        uv_mutex_destroy(&(*log)->lock);
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
static json_t *to_json(const wzp_relay_event *e) {
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
    return line;
}

/* False: there is no room. */
static bool keep(wzp_event_log *log, const json_t *line) {
    if (log->len == KEPT_MAX) {
        return false;
    }
    const size_t room = KEPT_MAX - log->len - 1; /* for the line end */
    const size_t n = json_dumpb(line, log->kept + log->len, room, JSON_COMPACT);
    if (n == 0 || n > room) {
        return false;
    }
    log->len += n;
    log->kept[log->len++] = '\n';
    return true;
}

void wzp_event_log_write(wzp_event_log *log, const wzp_relay_event *event) {
    json_t *line = to_json(event);
    uv_mutex_lock(&log->lock);
    if (!keep(log, line)) {
        (void)write_kept(log);
        log->lost += keep(log, line) ? 0 : 1;
    }
    uv_mutex_unlock(&log->lock);
    json_decref(line);
}

bool wzp_event_log_flush(wzp_event_log *log) {
    uv_mutex_lock(&log->lock);
    const bool written = write_kept(log);
    const int why = errno;
    uv_mutex_unlock(&log->lock);
    errno = why;
    return written;
}

uint64_t wzp_event_log_lost(wzp_event_log *log) {
    uv_mutex_lock(&log->lock);
    const uint64_t lost = log->lost;
    uv_mutex_unlock(&log->lock);
    return lost;
}
