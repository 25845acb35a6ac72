/* What the relay knows of video: who owns a stream, PLI, the last keyframe for those who join. */
#include <stdlib.h>

#include "relay/internal.h"

/* --- ownership and PLI (relay sheet 7.4) ------------------------------------------------------ */

/* Several may send on one stream id: in most rooms everybody films on 0, and nobody must be able to
 * keep picture loss from another one by sending there as well. */
void wzp_relay_own_stream(session *s, const wzp_media_hdr *hdr) {
    room *rm = s->room;
    if ((hdr->flags & WZP_MEDIA_REPAIR) != 0) {
        return;
    }
    if (rm->owners == NULL) {
        rm->owners = calloc(WZP_LIMIT_STREAM_OWNERS, sizeof *rm->owners);
    }
    if (rm->owners != NULL) {
        rm->owners[hdr->stream_id].number = s->number;
        s->films[hdr->stream_id / 64] |= UINT64_C(1) << hdr->stream_id % 64;
    }
}

static bool films_on(const session *s, uint8_t stream_id) {
    return (s->films[stream_id / 64] >> stream_id % 64 & 1) != 0;
}

static void send_pli(session *to, uint8_t stream_id) {
    const wzp_signal pli = {.kind = WZP_SIGNAL_PICTURE_LOSS_INDICATION,
                            .version = 1,
                            .u.PictureLossIndication.stream_id = stream_id};
    (void)wzp_relay_send_signal(to, &pli);
}

void wzp_relay_on_pli(session *from, uint8_t stream_id) {
    wzp_relay *r = from->relay;
    const room *rm = from->room;
    stream_owner *owner = rm->owners != NULL ? &rm->owners[stream_id] : NULL;
    if (owner == NULL || owner->number == 0) {
        return;
    }
    if (owner->pli_sent && wzp_time_since(r->now, owner->pli_at) < WZP_TIMER_PLI) {
        r->metrics.pli_suppressed++;
        return;
    }
    owner->pli_sent = true;
    owner->pli_at = r->now;
    r->metrics.pli_forwarded++;
    for (size_t i = 0; i < rm->count; i++) {
        session *m = rm->members[i];
        if (m != from && (films_on(m, stream_id) || r->cfg.pli_broadcast)) {
            send_pli(m, stream_id);
        }
    }
}

/* --- keyframe cache (relay sheet 7.5, REF) ---------------------------------------------------- */

static void free_packets(kept_packet **list) {
    while (*list != NULL) {
        kept_packet *next = (*list)->next;
        free(*list);
        *list = next;
    }
}

static void drop_partial(keyframe *k) {
    free_packets(&k->partial);
    k->tail = &k->partial;
    k->bytes = 0;
    k->filling = false;
}

void wzp_relay_keyframe_free(session *s) {
    for (size_t i = 0; s->keyframes != NULL && i < WZP_LIMIT_KEYFRAME_STREAMS; i++) {
        free_packets(&s->keyframes[i].ready);
        free_packets(&s->keyframes[i].partial);
    }
    free(s->keyframes);
    s->keyframes = NULL;
}

static keyframe *find_keyframe(session *s, uint8_t stream_id) {
    if (s->keyframes == NULL) {
        s->keyframes = calloc(WZP_LIMIT_KEYFRAME_STREAMS, sizeof *s->keyframes);
    }
    for (size_t i = 0; s->keyframes != NULL && i < WZP_LIMIT_KEYFRAME_STREAMS; i++) {
        keyframe *k = &s->keyframes[i];
        if (!k->used) {
            *k = (keyframe){.used = true, .stream_id = stream_id};
            k->tail = &k->partial;
        }
        if (k->stream_id == stream_id) {
            return k;
        }
    }
    s->relay->metrics.keyframes_dropped++;
    return NULL;
}

static bool keep(keyframe *k, wzp_bytes datagram) {
    kept_packet *p = malloc(sizeof *p + datagram.len);
    if (p == NULL) {
        return false;
    }
    p->next = NULL;
    p->len = datagram.len;
    memcpy(p->data, datagram.data, datagram.len);
    *k->tail = p;
    k->tail = &p->next;
    return true;
}

/* A keyframe is cached only whole: a gap, an overflow or another frame drops what came of it. */
void wzp_relay_keyframe_update(session *s, const wzp_media_packet *packet, wzp_bytes datagram) {
    const wzp_media_hdr *hdr = &packet->hdr;
    if ((hdr->flags & WZP_MEDIA_REPAIR) != 0) {
        return;
    }
    keyframe *k = find_keyframe(s, hdr->stream_id);
    if (k == NULL) {
        return;
    }
    if ((hdr->flags & WZP_MEDIA_KEYFRAME) == 0) {
        drop_partial(k);
        return;
    }
    const bool starts = !k->filling && hdr->fec_block >> 8 == 0; /* fragment index 0 */
    const bool continues = k->filling && hdr->seq == k->next_seq;
    if (!starts && !continues) {
        drop_partial(k);
        return;
    }
    if (k->bytes + packet->payload.len > WZP_LIMIT_KEYFRAME || !keep(k, datagram)) {
        s->relay->metrics.keyframes_dropped++;
        drop_partial(k);
        return;
    }
    k->filling = true;
    k->next_seq = hdr->seq + 1;
    k->bytes += packet->payload.len;
    if ((hdr->flags & WZP_MEDIA_FRAME_END) != 0) {
        free_packets(&k->ready);
        k->ready = k->partial;
        k->partial = NULL;
        drop_partial(k);
    }
}

/* Only the layer that the newcomer gets, and nothing of a sender that broke a rule. */
void wzp_relay_keyframe_replay(session *to) {
    const room *rm = to->room;
    for (size_t i = 0; i < rm->count; i++) {
        const session *from = rm->members[i];
        for (size_t n = 0; from != to && !from->barred && !wzp_relay_is_in_doubt(from) &&
                           from->keyframes != NULL && n < WZP_LIMIT_KEYFRAME_STREAMS;
             n++) {
            const keyframe *k = &from->keyframes[n];
            const bool wanted = k->used && k->stream_id == to->layer.selected;
            for (const kept_packet *p = k->ready; wanted && p != NULL; p = p->next) {
                wzp_relay_send_media(to, wzp_bytes_of(p->data, p->len));
            }
        }
    }
}
