/* A client that keeps to its codec for a while and then does not, for tools/demo --federation: its
 * frames grow from 60 to 512 bytes, 200 kbit/s under the name of Opus24k.
 *
 *     abuser ROOM SECONDS HOST:PORT
 *
 * Prints a line ten times a second, as wzp-client join --stats json does.  Exit status: 0 it was
 * hung up on, 1 it was not within twenty seconds, 2 usage, 4 the relay cannot be reached. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "io/drive.h"
#include "io/sys.h"

enum { GOOD_BYTES = 60, PATIENCE_S = 20, LINE_MS = 100 };

typedef struct abuser {
    wzp_client *client;
    wzp_udp *udp;
    wzp_drive drive;
    uv_loop_t loop;
    uv_timer_t line, end;
    wzp_time abuses_at;
    uint32_t members;
    bool joined;
    char hangup[192];
} abuser;

static void print_line(const abuser *a, const char *state) {
    wzp_client_stats s;
    wzp_client_count(a->client, &s);
    printf("{\"state\":\"%s\",\"members\":%u,\"sent\":%llu,\"received\":%llu,\"lost\":%llu,"
           "\"senders\":%u,\"hangup\":\"%s\"}\n",
           state, a->members, (unsigned long long)s.sent, (unsigned long long)s.received,
           (unsigned long long)s.lost, s.tracks, a->hangup);
    (void)fflush(stdout);
}

static const char *state_of(const abuser *a) {
    return !a->joined ? "connecting" : wzp_io_now() < a->abuses_at ? "joined" : "abusing";
}

static void on_line(uv_timer_t *timer) {
    const abuser *a = timer->data;
    print_line(a, state_of(a));
}

static void finish(abuser *a) {
    print_line(a, "closed");
    wzp_drive_stop(&a->drive);
    uv_timer_stop(&a->line);
    uv_timer_stop(&a->end);
    uv_stop(&a->loop);
}

static void on_end(uv_timer_t *timer) {
    finish(timer->data);
}

/* A CELT frame of silence, and what follows is not read. */
static void speak(const abuser *a, wzp_time now) {
    uint8_t frame[WZP_OPUS_PACKET_MAX] = {0xf8, 0xff, 0xfe};
    const size_t len = now < a->abuses_at ? GOOD_BYTES : sizeof frame;
    if (wzp_client_push_coded(a->client, wzp_bytes_of(frame, len), now) != WZP_OK) {
        (void)fputs("abuser: a frame could not be sent\n", stderr);
    }
}

static void on_events(void *ctx, wzp_time now) {
    abuser *a = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(a->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_JOINED) {
            a->joined = true;
        } else if (ev.kind == WZP_CLIENT_ROOM) {
            a->members = ev.count;
        } else if (ev.kind == WZP_CLIENT_CAPTURE) {
            speak(a, now);
        } else if (ev.kind == WZP_CLIENT_HANGUP) {
            (void)snprintf(a->hangup, sizeof a->hangup, "%s", ev.text);
            (void)fprintf(stderr, "hangup: %s\n", ev.text);
        } else if (ev.kind == WZP_CLIENT_CLOSED) {
            finish(a);
            return;
        }
    }
}

static bool start(abuser *a, const char *room, double seconds, const wzp_addr *relay) {
    const wzp_addr any = {.family = relay->family};
    wzp_client_cfg cfg = {.rng = wzp_io_rng(),
                          .room = room,
                          .alias = "mallory",
                          .codec = WZP_CODEC_OPUS_24K,
                          .coded = true,
                          .path = {.remote = *relay}};
    wzp_rng_fill(cfg.rng, cfg.seed, sizeof cfg.seed);
    if (wzp_udp_open(&a->udp, &any, false) != WZP_OK ||
        wzp_client_new(&a->client, &cfg, wzp_io_now()) != WZP_OK) {
        return false;
    }
    a->abuses_at = wzp_time_after(wzp_io_now(), (uint64_t)(seconds * 1e9));
    a->drive = (wzp_drive){
        .core = wzp_client_core(a->client), .udp = a->udp, .after = on_events, .ctx = a};
    if (wzp_drive_start(&a->drive, &a->loop) != WZP_OK) {
        return false;
    }
    uv_timer_init(&a->loop, &a->line);
    uv_timer_init(&a->loop, &a->end);
    a->line.data = a->end.data = a;
    uv_timer_start(&a->line, on_line, LINE_MS, LINE_MS);
    uv_timer_start(&a->end, on_end, (uint64_t)(seconds * 1000) + PATIENCE_S * UINT64_C(1000), 0);
    return true;
}

static bool parse(char **argv, double *seconds, wzp_addr *relay) {
    char *end = argv[2];
    *seconds = strtod(argv[2], &end);
    return end != argv[2] && *end == '\0' && *seconds >= 0 &&
           wzp_addr_parse(relay, argv[3]) == WZP_OK;
}

int main(int argc, char **argv) {
    static abuser a;
    wzp_addr relay;
    double seconds = 0;
    if (argc != 4 || !parse(argv, &seconds, &relay)) {
        (void)fputs("usage: abuser ROOM SECONDS HOST:PORT\n", stderr);
        return 2;
    }
    if (uv_loop_init(&a.loop) != 0 || !start(&a, argv[1], seconds, &relay)) {
        (void)fputs("abuser: cannot start\n", stderr);
        return 4;
    }
    wzp_drive_kick(&a.drive);
    uv_run(&a.loop, UV_RUN_DEFAULT);
    uv_run(&a.loop, UV_RUN_NOWAIT); /* what was stopped closes */
    uv_loop_close(&a.loop);
    wzp_client_free(&a.client);
    wzp_udp_close(&a.udp);
    return !a.joined ? 4 : a.hangup[0] != '\0' ? 0 : 1;
}
