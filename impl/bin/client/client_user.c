#include "bin/client/client_user.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bin/client/client_output.h"
#include "crypto/crypto.h"
#include "io/sys.h"
#include "io/traces.h"

static void on_capture(wzp_user *u, size_t samples, wzp_time now) {
    int16_t pcm[WZP_OPUS_MAX_FRAME_SAMPLES] = {0};
    if (u->ops->say(u->ctx, pcm, samples, now) &&
        wzp_client_push(u->client, pcm, samples, now) != WZP_OK) {
        wzp_client_say("wzp-client: a frame could not be sent\n");
    }
}

static void on_closed(wzp_user *u, const char *why) {
    u->ops->news(u->ctx, u, WZP_CLIENT_CLOSED);
    u->closed = true;
    if (!u->ended) {
        wzp_client_count(u->client, &u->stats);
        u->ended = true;
        /* A hangup was told already, with its reason. */
        const int status = u->joined || u->hangup[0] != '\0' ? 1 : WZP_CLIENT_UNREACHABLE;
        wzp_client_say("wzp-client: %s: %s%s\n", u->opts->relay, why,
                       !u->joined && u->opts->token != NULL ? "; it may not know the token" : "");
        u->ops->gone(u->ctx, status);
    }
}

static void on_event(wzp_user *u, const wzp_client_event *ev, wzp_time now) {
    switch (ev->kind) {
    case WZP_CLIENT_JOINED:
        u->joined = true;
        break;
    case WZP_CLIENT_ROOM:
        u->members = ev->count;
        u->ops->news(u->ctx, u, ev->kind);
        break;
    case WZP_CLIENT_CAPTURE:
        on_capture(u, ev->samples, now);
        break;
    case WZP_CLIENT_PLAY:
        u->ops->hear(u->ctx, ev, now);
        break;
    case WZP_CLIENT_LOST:
        wzp_client_say("wzp-client: nothing comes any more\n");
        break;
    case WZP_CLIENT_BACK:
        wzp_client_say("wzp-client: it comes again\n");
        break;
    case WZP_CLIENT_HANGUP:
        wzp_client_say("wzp-client: hangup: %s\n", ev->text);
        (void)snprintf(u->hangup, sizeof u->hangup, "%s", ev->text);
        u->ops->news(u->ctx, u, ev->kind);
        break;
    case WZP_CLIENT_CLOSED:
        on_closed(u, ev->text);
        break;
    }
}

static void on_events(void *ctx, wzp_time now) {
    wzp_user *u = ctx;
    wzp_client_event ev;
    while (!u->closed && wzp_client_next_event(u->client, now, &ev)) {
        on_event(u, &ev, now);
    }
}

void wzp_user_turn(wzp_user *u, wzp_time now) {
    on_events(u, now);
}

/* On loopback if the relay is. */
static void tap(const wzp_user *u) {
    if (u->opts->lane != NULL) {
        wzp_udp_set_tap(u->udp, wzp_capture_datagram, u->opts->lane);
    }
}

static int open_socket(wzp_user *u) {
    const wzp_addr *relay = &u->relay;
    const wzp_addr local = relay->ip[0] == 127 && relay->family == WZP_ADDR_V4
                               ? wzp_addr_v4(127, 0, 0, 1, 0)
                               : (wzp_addr){.family = relay->family};
    return wzp_udp_open(&u->udp, &local, false) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", wzp_io_reason(errno));
}

static int drive(wzp_user *u, uv_loop_t *loop) {
    u->drive = (wzp_drive){
        .core = wzp_client_core(u->client), .udp = u->udp, .after = on_events, .ctx = u};
    return wzp_drive_start(&u->drive, loop) == WZP_OK
               ? 0
               : wzp_client_complain(WZP_CLIENT_UNREADABLE, "socket", "cannot be watched");
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    uint8_t buf[WZP_MEDIA_HDR_LEN + 2048];
    wzp_wr wr;
    (void)now;
    wzp_wr_init(&wr, buf, sizeof buf);
    wzp_media_packet_write(&wr, packet);
    if (wzp_wr_end(&wr) == WZP_OK) {
        wzp_capture_media(ctx, wzp_bytes_of(buf, wzp_wr_len(&wr)));
    }
}

int wzp_user_start(wzp_user *u, uv_loop_t *loop, const uint8_t seed[32]) {
    wzp_traces *traces = u->traces != NULL ? u->traces : u->opts->traces;
    wzp_client_cfg cfg = {.rng = wzp_io_rng(),
                          .room = u->room,
                          .alias = u->opts->alias,
                          .token = u->opts->token,
                          .pin = u->opts->has_pin ? u->opts->pin : NULL,
                          .codec = u->opts->codec,
                          .adapts = !u->opts->is_fixed,
                          .network = u->opts->network,
                          .suppress_silence = u->opts->suppress_silence,
                          .feedback = u->opts->feedback,
                          .wall_us = wzp_io_unix_s() * 1000000,
                          .media_crypto = u->opts->media_crypto,
                          .path = {.remote = u->relay},
                          .endpoint = u->endpoint,
                          .waits = u->endpoint != NULL,
                          .keylog = wzp_traces_on_keylog,
                          .keylog_ctx = traces,
                          .qlog = u->opts->qlog_dir != NULL ? wzp_traces_on_qlog : NULL,
                          .qlog_ctx = traces,
                          .arrival = u->opts->media_lane != NULL ? on_arrival : NULL,
                          .arrival_ctx = u->opts->media_lane,
                          .media_key = wzp_traces_on_media_key,
                          .media_key_ctx = traces};
    if (u->endpoint == NULL) {
        const int code = open_socket(u);
        if (code != 0) {
            return code;
        }
        tap(u);
        cfg.path.local = wzp_udp_local(u->udp);
    }
    memcpy(cfg.seed, seed, sizeof cfg.seed);
    const wzp_err err = wzp_client_new(&u->client, &cfg, wzp_io_now());
    wzp_crypto_wipe(cfg.seed, sizeof cfg.seed);
    if (err != WZP_OK) {
        return wzp_client_complain(WZP_CLIENT_USAGE, "--room", "not a name that TLS can carry");
    }
    return u->endpoint == NULL ? drive(u, loop) : 0;
}

void wzp_user_count(const wzp_user *u, wzp_client_stats *out) {
    *out = u->stats;
    if (u->client != NULL && !u->ended) {
        wzp_client_count(u->client, out);
    }
}

void wzp_user_hangup(wzp_user *u) {
    if (u->client != NULL && !u->ended) {
        wzp_client_count(u->client, &u->stats);
        u->ended = true;
        wzp_client_hangup(u->client, wzp_io_now());
        if (u->endpoint == NULL) {
            wzp_drive_kick(&u->drive);
        }
    }
}

void wzp_user_stop(wzp_user *u) {
    wzp_drive_stop(&u->drive);
}

void wzp_user_free(wzp_user *u) {
    wzp_client_free(&u->client);
    wzp_udp_close(&u->udp);
}
