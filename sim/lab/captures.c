#include "sim/lab/captures.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "io/sys.h"
#include "sim/net/capture.h"

enum { FILES_MAX = 512, NAME_MAX_LEN = 64 };

typedef struct capture_file {
    wzp_lab_captures *all;
    char node[NAME_MAX_LEN];
    FILE *out;
    wzp_sim_capture *capture;
    uint64_t hash;
} capture_file;

struct wzp_lab_captures {
    char dir[512], comment[256];
    capture_file files[FILES_MAX];
    size_t count;
    FILE *keys;
    bool failed, one;
    int error;
    const char *last; /* interface, and where it goes */
    capture_file *last_file;
};

static void fail(wzp_lab_captures *c) {
    if (!c->failed) {
        c->failed = true;
        c->error = errno;
    }
}

static void sink(void *ctx, wzp_bytes bytes) {
    capture_file *f = ctx;
    for (size_t i = 0; i < bytes.len; i++) {
        f->hash = (f->hash ^ bytes.data[i]) * UINT64_C(0x100000001b3);
    }
    if (f->out != NULL && fwrite(bytes.data, 1, bytes.len, f->out) != bytes.len) {
        fail(f->all);
    }
}

/* `out` is taken. */
static bool open_capture(wzp_lab_captures *c, capture_file *f, FILE *out) {
    const wzp_sim_capture_cfg cfg = {.sink = sink, .sink_ctx = f, .comment = c->comment};
    f->all = c;
    f->hash = UINT64_C(0xcbf29ce484222325);
    f->out = out;
    return out != NULL && wzp_sim_capture_new(&f->capture, &cfg) == WZP_OK;
}

static FILE *open_in(wzp_lab_captures *c, const char *name, const char *suffix) {
    char path[640];
    (void)snprintf(path, sizeof path, "%s/%s%s", c->dir, name, suffix);
    FILE *out = fopen(path, "wb");
    if (out == NULL) {
        fail(c);
    }
    return out;
}

static bool make_dirs(const char *dir) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s", dir);
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p == '/') {
            *p = '\0';
            if (mkdir(path, 0777) != 0 && errno != EEXIST) {
                return false;
            }
            *p = '/';
        }
    }
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

wzp_err wzp_lab_captures_new(wzp_lab_captures **out, const char *dir, const char *comment,
                             char why[256]) {
    wzp_lab_captures *c = calloc(1, sizeof *c);
    if (c == NULL) {
        (void)snprintf(why, 256, "out of memory");
        return WZP_ERR_NOMEM;
    }
    (void)snprintf(c->dir, sizeof c->dir, "%s", dir);
    (void)snprintf(c->comment, sizeof c->comment, "%s", comment);
    if (!make_dirs(dir) || (c->keys = open_in(c, "keys.log", "")) == NULL) {
        (void)snprintf(why, 256, "%.200s: %s", dir, wzp_io_reason(errno));
        free(c);
        return WZP_ERR_IO;
    }
    *out = c;
    return WZP_OK;
}

wzp_err wzp_lab_captures_one(wzp_lab_captures **out, const char *path, const char *comment,
                             char why[256]) {
    wzp_lab_captures *c = calloc(1, sizeof *c);
    if (c == NULL) {
        (void)snprintf(why, 256, "out of memory");
        return WZP_ERR_NOMEM;
    }
    c->one = true;
    (void)snprintf(c->comment, sizeof c->comment, "%s", comment);
    if (!open_capture(c, &c->files[c->count++], fopen(path, "wb"))) {
        (void)snprintf(why, 256, "%.200s: %s", path, wzp_io_reason(errno));
        wzp_lab_captures_free(&c);
        return WZP_ERR_IO;
    }
    *out = c;
    return WZP_OK;
}

/* Routers of the core show nothing that their neighbours do not. */
static bool worth_it(const char *node) {
    const size_t len = strlen(node);
    return len < 5 || strcmp(node + len - 5, ".edge") != 0;
}

static capture_file *new_file(wzp_lab_captures *c, const char *node) {
    if (c->count == FILES_MAX) {
        return NULL;
    }
    capture_file *f = &c->files[c->count++];
    (void)snprintf(f->node, sizeof f->node, "%s", node);
    if (!open_capture(c, f, open_in(c, node, ".pcapng"))) {
        fail(c);
    }
    return f;
}

static capture_file *file_of(wzp_lab_captures *c, const char *interface) {
    char node[NAME_MAX_LEN];
    if (interface == c->last) {
        return c->last_file;
    }
    (void)snprintf(node, sizeof node, "%.*s", (int)strcspn(interface, ":"), interface);
    c->last = interface;
    c->last_file = NULL;
    if (c->one) {
        c->last_file = strchr(node, '.') == NULL ? &c->files[0] : NULL;
        return c->last_file;
    }
    for (size_t i = 0; i < c->count; i++) {
        if (strcmp(c->files[i].node, node) == 0) {
            c->last_file = &c->files[i];
        }
    }
    if (c->last_file == NULL && worth_it(node)) {
        c->last_file = new_file(c, node);
    }
    return c->last_file;
}

void wzp_lab_captures_packet(wzp_lab_captures *captures, const char *interface, wzp_sim_way way,
                             const wzp_sim_packet *packet, wzp_time now) {
    const capture_file *f = file_of(captures, interface);
    if (f != NULL && f->capture != NULL) {
        wzp_sim_capture_packet(f->capture, interface, way, packet, NULL, now);
    }
}

void wzp_lab_captures_key(wzp_lab_captures *captures, const char *line) {
    if (captures->keys != NULL && fprintf(captures->keys, "%s\n", line) < 0) {
        fail(captures);
    }
}

bool wzp_lab_captures_close(wzp_lab_captures *c) {
    for (size_t i = 0; i < c->count; i++) {
        wzp_sim_capture_free(&c->files[i].capture);
        if (c->files[i].out != NULL && fclose(c->files[i].out) != 0) {
            fail(c);
        }
        c->files[i].out = NULL;
    }
    if (c->keys != NULL && fclose(c->keys) != 0) {
        fail(c);
    }
    c->keys = NULL;
    errno = c->error;
    return !c->failed;
}

void wzp_lab_captures_free(wzp_lab_captures **captures) {
    if (*captures != NULL) {
        (void)wzp_lab_captures_close(*captures);
        free(*captures);
        *captures = NULL;
    }
}

uint64_t wzp_lab_captures_hash(const wzp_lab_captures *c) {
    uint64_t hash = 0;
    for (size_t i = 0; i < c->count; i++) {
        hash = (hash * 31) ^ c->files[i].hash;
    }
    return hash;
}
