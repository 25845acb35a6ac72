#include "bin/relay/relay_ban_list.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "io/files.h"
#include "io/sys.h"
#include "relay/limits.h"

enum { RETRY_TICKS = 10 };

struct wzp_ban_list {
    wzp_relay_crew *crew;
    uv_loop_t *loop;
    unsigned workers;
    const char *path;
    wzp_log log;
    uint32_t told;    /* of the counter of offences: all workers know of these */
    uint64_t written; /* of the list's changes: the file has these */
    uint64_t failures;
    unsigned wait; /* ticks until the next attempt */
    bool fails;    /* and that was said */

    /* What the other thread writes. */
    bool is_writing;
    uv_work_t work;
    uint8_t *bytes;
    size_t len;
    uint64_t changes;
    int error; /* errno's, 0: it is written */
};

/* --- reading ---------------------------------------------------------------------------------- */

static void load_into(wzp_ban_list *list, wzp_bytes snapshot) {
    wzp_fail fail = {0};
    wzp_err err = WZP_OK;
    for (unsigned i = 0; i < list->workers && err == WZP_OK; i++) {
        wzp_relay *relay = wzp_relay_crew_relay(list->crew, i);
        err = wzp_relay_bans_load(relay, snapshot, wzp_io_now(), wzp_io_unix_s(), &fail);
    }
    if (err == WZP_OK) {
        const wzp_bans *bans = wzp_relay_bans(wzp_relay_crew_relay(list->crew, 0));
        const wzp_bans_totals totals = wzp_bans_count(bans, wzp_io_now());
        wzp_logf(&list->log, WZP_LOG_INFO, "%s: %zu fingerprints are barred", list->path,
                 totals.cooldowns + totals.blocks);
        return;
    }
    const char *what = err == WZP_ERR_TRUNCATED ? "is cut off"
                       : err == WZP_ERR_VERSION ? "is of another version"
                       : err == WZP_ERR_PARSE   ? "is damaged"
                                                : wzp_err_text(err);
    wzp_logf(
        &list->log, WZP_LOG_ERROR,
        "%s: the list of bans %s (%s at byte %zu): nobody is barred; the next ban replaces the "
        "file",
        list->path, what, fail.field != NULL ? fail.field : "memory", fail.offset);
}

static void load(wzp_ban_list *list) {
    const size_t cap = WZP_BANS_SNAPSHOT_MAX + 1;
    char *text = malloc(cap);
    size_t len = 0;
    if (text == NULL) {
        wzp_logf(&list->log, WZP_LOG_ERROR, "%s: no memory to read it", list->path);
    } else if (wzp_io_read_file(list->path, text, cap, &len)) {
        load_into(list, wzp_bytes_of(text, len));
    } else if (errno == EFBIG) {
        wzp_logf(&list->log, WZP_LOG_ERROR,
                 "%s: longer than any list of bans (%zu bytes): nobody is barred; the next ban "
                 "replaces the file",
                 list->path, WZP_BANS_SNAPSHOT_MAX);
    } else if (errno != ENOENT) {
        wzp_logf(&list->log, WZP_LOG_ERROR, "%s: cannot be read: %s: nobody is barred", list->path,
                 wzp_io_reason(errno));
    }
    free(text);
}

/* --- life ------------------------------------------------------------------------------------- */

static uint64_t changes_of(const wzp_ban_list *list) {
    const wzp_bans *bans = wzp_relay_bans(wzp_relay_crew_relay(list->crew, 0));
    return bans != NULL ? wzp_bans_changes(bans) : 0;
}

wzp_err wzp_ban_list_new(wzp_ban_list **out, wzp_relay_crew *crew, uv_loop_t *loop,
                         unsigned workers, const char *path, wzp_log log) {
    wzp_ban_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        return WZP_ERR_NOMEM;
    }
    *list =
        (wzp_ban_list){.crew = crew, .loop = loop, .workers = workers, .path = path, .log = log};
    if (path != NULL) {
        load(list);
    }
    list->written = changes_of(list);
    *out = list;
    return WZP_OK;
}

void wzp_ban_list_free(wzp_ban_list **list) {
    if (*list != NULL) {
        free((*list)->bytes);
        free(*list);
        *list = NULL;
    }
}

uint64_t wzp_ban_list_failures(const wzp_ban_list *list) {
    return list->failures;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Worker 0's list as it is now. */
static bool take_snapshot(wzp_ban_list *list) {
    const wzp_bans *bans = wzp_relay_bans(wzp_relay_crew_relay(list->crew, 0));
    wzp_wr wr;
    if (bans == NULL) {
        return false;
    }
    list->bytes = list->bytes != NULL ? list->bytes : malloc(WZP_BANS_SNAPSHOT_MAX);
    if (list->bytes == NULL) {
        return false;
    }
    wzp_wr_init(&wr, list->bytes, WZP_BANS_SNAPSHOT_MAX);
    list->changes = wzp_bans_changes(bans);
    const wzp_err err = wzp_bans_save(bans, wzp_io_now(), wzp_io_unix_s(), &wr);
    list->len = wzp_wr_len(&wr);
    return err == WZP_OK;
}

/* On another thread: a disk may take its time. */
static void write_file(uv_work_t *work) {
    wzp_ban_list *list = work->data;
    const wzp_bytes bytes = wzp_bytes_of(list->bytes, list->len);
    list->error = wzp_io_write_atomic(list->path, bytes, 0600) == WZP_OK ? 0 : errno;
}

/* Said when it begins and when it is over, not at each attempt. */
static void note_written(wzp_ban_list *list) {
    if (list->error == 0) {
        list->written = list->changes;
        if (list->fails) {
            wzp_logf(&list->log, WZP_LOG_WARN, "%s: bans are written again", list->path);
        }
    } else {
        list->failures++;
        list->wait = RETRY_TICKS;
        if (!list->fails) {
            wzp_logf(&list->log, WZP_LOG_ERROR,
                     "%s: bans cannot be written: %s; they hold until the relay ends", list->path,
                     wzp_io_reason(list->error));
        }
    }
    list->fails = list->error != 0;
}

static void on_written(uv_work_t *work, int status) {
    wzp_ban_list *list = work->data;
    list->is_writing = false;
    if (status == 0) {
        note_written(list);
    }
}

static void begin_writing(wzp_ban_list *list) {
    if (list->path == NULL || list->is_writing || changes_of(list) == list->written ||
        !take_snapshot(list)) {
        return;
    }
    list->work.data = list;
    list->is_writing = uv_queue_work(list->loop, &list->work, write_file, on_written) == 0;
}

/* What the others noted in the last second. */
static void gather(wzp_ban_list *list) {
    wzp_ban ban;
    for (unsigned i = 1; i < list->workers; i++) {
        while (wzp_relay_next_offence(wzp_relay_crew_relay(list->crew, i), &ban)) {
            (void)wzp_relay_put_ban(wzp_relay_crew_relay(list->crew, 0), &ban, wzp_io_now());
        }
    }
}

void wzp_ban_list_finish(wzp_ban_list *list) {
    gather(list);
    if (list->path != NULL && changes_of(list) != list->written && take_snapshot(list)) {
        list->work.data = list;
        write_file(&list->work);
        note_written(list);
    }
}

/* --- alike for all workers -------------------------------------------------------------------- */

typedef struct errand {
    wzp_relay *relay;
    wzp_ban bans[WZP_LIMIT_OFFENCES];
    size_t count;
    const char *fingerprint;
    bool known;
} errand;

static void run_take(void *ctx, wzp_time now) {
    errand *e = ctx;
    (void)now;
    e->count = 0;
    while (e->count < WZP_LIMIT_OFFENCES && wzp_relay_next_offence(e->relay, &e->bans[e->count])) {
        e->count++;
    }
}

static void run_put(void *ctx, wzp_time now) {
    const errand *e = ctx;
    for (size_t i = e->count; i-- > 0;) { /* the latest came first */
        (void)wzp_relay_put_ban(e->relay, &e->bans[i], now);
    }
}

static void run_pardon(void *ctx, wzp_time now) {
    errand *e = ctx;
    (void)now;
    e->known = wzp_relay_pardon(e->relay, e->fingerprint) || e->known;
}

static void call(const wzp_ban_list *list, unsigned worker, errand *e,
                 void (*run)(void *ctx, wzp_time now)) {
    e->relay = wzp_relay_crew_relay(list->crew, worker);
    wzp_relay_crew_call(list->crew, worker, run, e);
}

static void spread(wzp_ban_list *list) {
    const uint32_t offences = wzp_relay_crew_offences(list->crew);
    errand *e = offences != list->told ? malloc(sizeof *e) : NULL;
    if (e == NULL) {
        return;
    }
    list->told = offences;
    for (unsigned from = 0; from < list->workers; from++) {
        call(list, from, e, run_take);
        for (unsigned to = 0; to < list->workers && e->count > 0; to++) {
            if (to != from) {
                call(list, to, e, run_put);
            }
        }
    }
    free(e);
}

void wzp_ban_list_tick(wzp_ban_list *list) {
    spread(list);
    list->wait -= list->wait > 0 ? 1 : 0;
    if (list->wait == 0) {
        begin_writing(list);
    }
}

/* --- for the operator ------------------------------------------------------------------------- */

static const char *kind_of(const wzp_ban *ban, wzp_time now) {
    return ban->until <= now ? "remembered" : ban->is_block ? "block" : "cool-down";
}

static bool write_ban(const wzp_ban *ban, wzp_time now, wzp_wr *out) {
    json_t *tree = json_pack("{ss,ss,ss,sI,sI}", "fingerprint", ban->name, "kind",
                             kind_of(ban, now), "code", wzp_violation_find(ban->code)->code,
                             "seconds_left", (json_int_t)(wzp_time_since(ban->until, now) / WZP_S),
                             "offences", (json_int_t)ban->offences);
    char *text = tree != NULL ? json_dumps(tree, 0) : NULL;
    json_decref(tree);
    if (text != NULL) {
        wzp_wr_str(out, text);
    }
    free(text);
    return text != NULL;
}

static wzp_http_status show_all(const wzp_bans *bans, wzp_time now, wzp_wr *out) {
    const wzp_ban *ban;
    const char *before = "[";
    bool good = true;
    for (size_t at = 0; bans != NULL && (ban = wzp_bans_next(bans, &at, now)) != NULL;) {
        wzp_wr_str(out, before);
        good = write_ban(ban, now, out) && good;
        before = ",\n ";
    }
    wzp_wr_str(out, *before == '[' ? "[]\n" : "]\n");
    return good ? WZP_HTTP_OK : WZP_HTTP_BROKEN;
}

wzp_http_status wzp_ban_list_show(const wzp_ban_list *list, const char *fingerprint, wzp_wr *out) {
    const wzp_bans *bans = wzp_relay_bans(wzp_relay_crew_relay(list->crew, 0));
    const wzp_time now = wzp_io_now();
    if (*fingerprint == '\0') {
        return show_all(bans, now, out);
    }
    const wzp_ban *ban = NULL;
    for (size_t at = 0; bans != NULL && (ban = wzp_bans_next(bans, &at, now)) != NULL;) {
        if (strcmp(ban->name, fingerprint) == 0) {
            break;
        }
    }
    if (ban == NULL) {
        return WZP_HTTP_NOT_FOUND;
    }
    const bool good = write_ban(ban, now, out);
    wzp_wr_u8(out, '\n');
    return good ? WZP_HTTP_OK : WZP_HTTP_BROKEN;
}

/* What another worker noted within this second is pardoned too. */
wzp_http_status wzp_ban_list_pardon(wzp_ban_list *list, const char *fingerprint, wzp_wr *out) {
    spread(list);
    errand *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return WZP_HTTP_BROKEN;
    }
    e->fingerprint = fingerprint;
    for (unsigned i = 0; i < list->workers; i++) {
        call(list, i, e, run_pardon);
    }
    const bool known = e->known;
    free(e);
    if (!known) {
        return WZP_HTTP_NOT_FOUND;
    }
    wzp_logf(&list->log, WZP_LOG_INFO, "%s is pardoned", fingerprint);
    wzp_wr_str(out, "pardoned\n");
    return WZP_HTTP_OK;
}
