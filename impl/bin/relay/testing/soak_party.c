/* A phone of the soak test, or the client of a call. */
#include "bin/relay/testing/soak.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sys.h"

enum { PAYLOAD = 60 };

struct entry *soak_entry(ledger *l, const char *name) {
    size_t i = 0;
    while (i + 1 < SOAK_NAMES && l->entries[i].name[0] != '\0' &&
           strcmp(l->entries[i].name, name) != 0) {
        i++;
    }
    (void)snprintf(l->entries[i].name, sizeof l->entries[i].name, "%s", name);
    return &l->entries[i];
}

static void count_signal(ledger *l, bool out, wzp_bytes json) {
    char name[48];
    struct entry *e = soak_entry(l, wzp_signal_peek_name(json, name, sizeof name));
    *(out ? &e->out : &e->in) += 1;
}

static void on_phone_signal(void *ctx, bool out, wzp_bytes json) {
    count_signal(&((soak *)ctx)->phones, out, json);
}

static bool on_leg_signal(void *ctx, bool out, wzp_bytes json, wzp_time now) {
    (void)now;
    count_signal(&((soak *)ctx)->legs, out, json);
    return true;
}

static void on_arrival(void *ctx, const wzp_media_packet *packet, wzp_time now) {
    party *p = ctx;
    (void)packet;
    (void)now;
    p->heard++;
    p->soak->frames_heard++;
}

static void on_closed(party *p, const char *what, const char *text) {
    p->closed = true;
    if (!p->may_close) {
        p->soak->connection_ended = true;
        soak_fail(p->soak, what, text);
    }
}

static void on_phone_events(void *ctx, wzp_time now) {
    party *p = ctx;
    wzp_phone_event ev;
    (void)now;
    while (wzp_phone_next_event(p->phone, &ev)) {
        switch (ev.kind) {
        case WZP_PHONE_REGISTERED:
            p->registered = true;
            break;
        case WZP_PHONE_PRESENCE:
            break;
        case WZP_PHONE_INCOMING:
        case WZP_PHONE_RINGING:
            p->rung = true;
            break;
        case WZP_PHONE_SET_UP:
            p->set_up = true;
            (void)snprintf(p->room, sizeof p->room, "%s", ev.room);
            break;
        case WZP_PHONE_REFLEXIVE: /* nothing is direct here yet */
        case WZP_PHONE_PATH:
        case WZP_PHONE_UPDATE:
        case WZP_PHONE_PROBE:
        case WZP_PHONE_BIRTHDAY:
        case WZP_PHONE_AWAY: /* not asked for */
            break;
        case WZP_PHONE_ENDED:
            p->ended = true;
            break;
        case WZP_PHONE_CLOSED:
            on_closed(p, "a signal connection ended", ev.text);
            break;
        }
    }
}

static void on_leg_events(void *ctx, wzp_time now) {
    static const uint8_t frame[PAYLOAD] = {0x78};
    party *p = ctx;
    wzp_client_event ev;
    while (wzp_client_next_event(p->client, now, &ev)) {
        if (ev.kind == WZP_CLIENT_CAPTURE &&
            wzp_client_push_coded(p->client, wzp_bytes_of(frame, sizeof frame), now) == WZP_OK) {
            p->soak->frames_sent++;
        } else if (ev.kind == WZP_CLIENT_JOINED) {
            p->soak->joined++;
        } else if (ev.kind == WZP_CLIENT_HANGUP) {
            soak_fail(p->soak, "the relay hung up", ev.text);
        } else if (ev.kind == WZP_CLIENT_CLOSED) {
            on_closed(p, "a call's connection ended", ev.text);
        }
    }
}

static void free_party(party *p) {
    wzp_phone_free(&p->phone);
    wzp_client_free(&p->client);
    wzp_udp_close(&p->udp);
    free(p);
}

/* NULL: failed.  `caller` is the phone whose call it is, or NULL for a phone. */
party *soak_new_party(soak *s, const party *caller, wzp_time now) {
    const wzp_addr any = wzp_addr_v4(127, 0, 0, 1, 0);
    party *p = calloc(1, sizeof *p);
    if (p == NULL || wzp_udp_open(&p->udp, &any, false) != WZP_OK) {
        soak_fail(s, "no socket for a client", wzp_io_reason(errno));
        free(p);
        return NULL;
    }
    const wzp_quic_path path = {wzp_udp_local(p->udp), s->relay.addr};
    wzp_phone_cfg phone = {
        .rng = wzp_io_rng(), .path = path, .signal = on_phone_signal, .signal_ctx = s};
    wzp_client_cfg client = {.rng = wzp_io_rng(),
                             .path = path,
                             .room = caller != NULL ? caller->room : NULL,
                             .codec = WZP_CODEC_OPUS_24K,
                             .coded = true,
                             .arrival = on_arrival,
                             .arrival_ctx = p,
                             .signal = on_leg_signal,
                             .signal_ctx = s};
    if (caller != NULL) {
        memcpy(p->seed, caller->seed, sizeof p->seed); /* the room is open to no other */
    } else {
        wzp_rng_fill(wzp_io_rng(), p->seed, sizeof p->seed);
    }
    memcpy(phone.seed, p->seed, sizeof phone.seed);
    memcpy(client.seed, p->seed, sizeof client.seed);
    p->soak = s;
    const wzp_err err = caller == NULL ? wzp_phone_new(&p->phone, &phone, now)
                                       : wzp_client_new(&p->client, &client, now);
    p->drive = (wzp_drive){
        .udp = p->udp, .after = caller == NULL ? on_phone_events : on_leg_events, .ctx = p};
    if (err == WZP_OK) {
        p->drive.core = caller == NULL ? wzp_phone_core(p->phone) : wzp_client_core(p->client);
    }
    if (err != WZP_OK || wzp_drive_start(&p->drive, &s->loop) != WZP_OK) {
        soak_fail(s, "a client cannot start", wzp_err_text(err));
        free_party(p);
        return NULL;
    }
    return p;
}

/* The loop must run once more before it can be freed. */
void soak_let_go(soak *s, party **p) {
    if (*p != NULL) {
        wzp_drive_stop(&(*p)->drive);
        (*p)->next = s->let_go;
        s->let_go = *p;
        *p = NULL;
    }
}

void soak_bury(soak *s) {
    while (s->let_go != NULL) {
        party *p = s->let_go;
        s->let_go = p->next;
        free_party(p);
    }
}
