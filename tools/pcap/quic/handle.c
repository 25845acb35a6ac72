/* What is in opened packets, and what it says of the connection. */
#include <stdlib.h>

#include "tools/pcap/quic/internal.h"

/* --- the handshake ---------------------------------------------------------------------------- */

enum { TALK_INITIAL, TALK_HANDSHAKE };

static void want_retry(conn *c) {
    c->wants_retry = c->quic->wants_retry = true;
}

static void say_params(const passing *p, const wzp_pcap_quic_tls *tls) {
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_PARAMS, .params = &tls->params};
    if (tls->has_params) {
        wzp_pcap_quic_emit(p, &event);
    }
}

static void take_client_hello(const passing *p, const wzp_pcap_quic_tls *tls) {
    conn *c = p->c;
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_HELLO, .hello = &c->hello};
    c->hello = tls->hello;
    c->has_hello = true;
    wzp_pcap_quic_emit(p, &event);
    say_params(p, tls);
    want_retry(c);
}

static void say_accepted(const passing *p, const char *alpn) {
    const conn *c = p->c;
    wzp_pcap_quic_hello chosen = c->hello;
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_ACCEPTED, .hello = &chosen};
    memcpy(chosen.alpn, alpn, sizeof chosen.alpn);
    wzp_pcap_quic_emit(p, &event);
}

/* The ALPN comes with EncryptedExtensions, if those can be opened at all. */
static void take_server_hello(const passing *p, const wzp_pcap_quic_tls *tls) {
    conn *c = p->c;
    c->hello.cipher = tls->hello.cipher;
    c->suite = wzp_pcap_quic_suite_of(tls->hello.cipher);
    if (c->suite == WZP_PCAP_QUIC_SUITE_UNKNOWN) {
        wzp_pcap_quic_problem(p, "a cipher suite that cannot be opened here", 0);
    }
    const wzp_pcap_quic_logged *logged =
        wzp_pcap_quic_keylog_find(&c->quic->keylog, c->hello.client_random);
    if (!c->has_hello || logged == NULL ||
        logged->secrets[WZP_PCAP_QUIC_SERVER_HANDSHAKE].len == 0) {
        say_accepted(p, tls->hello.alpn);
    }
    want_retry(c);
}

/* RFC 9000, 18.2: addresses of both kinds, an id and its token. */
static void take_preferred(conn *c, wzp_bytes value) {
    wzp_rd rd;
    wzp_pcap_quic_cid cid = {0};
    wzp_rd_init(&rd, value);
    (void)wzp_rd_bytes(&rd, 24, "addresses");
    const uint8_t len = wzp_rd_u8(&rd, "connection id length");
    const wzp_bytes id = wzp_rd_bytes(&rd, len, "connection id");
    const wzp_bytes token = wzp_rd_bytes(&rd, WZP_PCAP_QUIC_TOKEN_LEN, "token");
    if (rd.fail.code == WZP_OK && len > 0 && len <= sizeof cid.data) {
        cid.len = len;
        memcpy(cid.data, id.data, len);
        wzp_pcap_quic_cid_learn(c, true, &cid, 1, token);
    }
}

static void take_server_params(conn *c, const wzp_pcap_quic_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        const wzp_pcap_quic_param *param = &params->list[i];
        if (param->id == WZP_PCAP_QUIC_PARAM_RESET_TOKEN &&
            param->data.len == sizeof c->reset_token) {
            c->has_token = true;
            memcpy(c->reset_token, param->data.data, sizeof c->reset_token);
        } else if (param->id == WZP_PCAP_QUIC_PARAM_PREFERRED_ADDRESS) {
            take_preferred(c, param->data);
        }
    }
}

static void take_encrypted_extensions(const passing *p, const wzp_pcap_quic_tls *tls) {
    say_accepted(p, tls->hello.alpn);
    say_params(p, tls);
    take_server_params(p->c, &tls->params);
}

static uint8_t expected(const passing *p, size_t level) {
    if (p->to_server) {
        return WZP_PCAP_QUIC_CLIENT_HELLO;
    }
    return level == TALK_INITIAL ? WZP_PCAP_QUIC_SERVER_HELLO : WZP_PCAP_QUIC_ENCRYPTED_EXTENSIONS;
}

/* True: nothing more is wanted of this level. */
static bool take_message(const passing *p, size_t level, uint8_t type, wzp_bytes body) {
    wzp_pcap_quic_tls tls;
    wzp_fail fail;
    if (type != expected(p, level)) {
        wzp_pcap_quic_problem(p, "not the handshake message that is due", 0);
        return true;
    }
    if (wzp_pcap_quic_tls_parse(&tls, type, body, &fail) != WZP_OK) {
        wzp_pcap_quic_problem(p, "a handshake message that ends inside a field", 0);
    }
    switch (type) {
    case WZP_PCAP_QUIC_CLIENT_HELLO:
        take_client_hello(p, &tls);
        return true;
    case WZP_PCAP_QUIC_SERVER_HELLO:
        if (!tls.is_retry_request) {
            take_server_hello(p, &tls);
        }
        return !tls.is_retry_request;
    default:
        take_encrypted_extensions(p, &tls);
        return true;
    }
}

/* False: no room. */
static bool append(conn *c, talk *t, wzp_bytes data) {
    if (data.len == 0) {
        return true; /* an empty frame, perhaps before there is any memory */
    }
    if (t->len + data.len > t->cap) {
        const size_t cap = (t->len + data.len + 2047) / 2048 * 2048;
        uint8_t *bytes = cap <= MESSAGE_MAX ? realloc(t->bytes, cap) : NULL;
        if (bytes == NULL) {
            return false;
        }
        c->quic->bytes += cap - t->cap;
        t->bytes = bytes;
        t->cap = cap;
    }
    memcpy(t->bytes + t->len, data.data, data.len);
    t->len += data.len;
    return true;
}

static void take_messages(const passing *p, size_t level, talk *t) {
    wzp_bytes body;
    uint8_t type;
    bool is_done = false;
    while (!is_done && wzp_pcap_quic_tls_next(wzp_bytes_of(t->bytes, t->len), &type, &body)) {
        is_done = take_message(p, level, type, body);
        t->len -= 4 + body.len;
        memmove(t->bytes, body.data + body.len, t->len);
    }
    if (is_done) {
        wzp_pcap_quic_talk_end(p->c, t);
    }
}

static bool gather(const passing *p, talk *t, const wzp_pcap_quic_walked *walked) {
    conn *c = p->c;
    wzp_bytes data;
    const size_t before = t->gather.waiting;
    const size_t room = WZP_PCAP_QUIC_BYTES_MAX - c->quic->bytes + before;
    bool ok = wzp_pcap_quic_gather_add(&t->gather, walked->frame.stream_offset, walked->data,
                                       room < MESSAGE_MAX ? room : MESSAGE_MAX, &data) == WZP_OK &&
              append(c, t, data);
    while (ok && wzp_pcap_quic_gather_take(&t->gather, &data)) {
        ok = append(c, t, data);
    }
    c->quic->bytes += t->gather.waiting - before;
    return ok;
}

static void take_crypto(const passing *p, const wzp_pcap_quic_walked *walked) {
    const size_t level = p->head.type == WZP_PCAP_QUIC_INITIAL ? TALK_INITIAL : TALK_HANDSHAKE;
    talk *t = &p->c->talks[p->to_server][level];
    if (t->is_done || p->head.type == WZP_PCAP_QUIC_1RTT || (p->to_server && level > 0)) {
        return; /* certificates, finished, tickets */
    }
    if (gather(p, t, walked)) {
        take_messages(p, level, t);
    } else {
        wzp_pcap_quic_problem(p, "a handshake message that is too long", 0);
        wzp_pcap_quic_talk_end(p->c, t);
    }
}

/* --- frames ----------------------------------------------------------------------------------- */

static void take_close(const passing *p, const wzp_pcap_quic_walked *walked) {
    wzp_pcap_quic_close close = {.code = walked->frame.value,
                                 .application =
                                     walked->frame.type != WZP_PCAP_QUIC_CONNECTION_CLOSE};
    wzp_pcap_quic_event event = {
        .kind = WZP_PCAP_QUIC_CLOSED, .close = &close, .frame = &walked->frame};
    wzp_pcap_quic_text(close.reason, walked->data);
    if (!p->c->is_closed[p->to_server]) { /* it is sent again and again */
        p->c->is_closed[p->to_server] = true;
        wzp_pcap_quic_emit(p, &event);
    }
}

static void say_data(const passing *p, wzp_pcap_quic_kind kind,
                     const wzp_pcap_quic_walked *walked) {
    wzp_pcap_quic_event event = {.kind = kind, .frame = &walked->frame, .data = walked->data};
    wzp_pcap_quic_emit(p, &event);
}

static void say_path(const passing *p) {
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_PATH};
    p->c->client = *p->at->src;
    p->c->server = *p->at->dst;
    p->c->quic->counters.migrations++;
    wzp_pcap_quic_emit(p, &event);
}

/* RFC 9000, 9.1: what only tries whether a path works, moves nothing. */
static bool is_probing(uint64_t type) {
    return type == WZP_PCAP_QUIC_PATH_CHALLENGE || type == WZP_PCAP_QUIC_PATH_RESPONSE ||
           type == WZP_PCAP_QUIC_NEW_CONNECTION_ID;
}

static void take_frame(const passing *p, const wzp_pcap_quic_walked *walked) {
    const wzp_pcap_quic_frame *frame = &walked->frame;
    switch (frame->type) {
    case 0x30:
    case 0x31:
        say_data(p, WZP_PCAP_QUIC_DATAGRAM, walked);
        break;
    case WZP_PCAP_QUIC_CRYPTO:
        take_crypto(p, walked);
        break;
    case WZP_PCAP_QUIC_RESET_STREAM:
        wzp_pcap_quic_stream_reset(p, frame->stream_id);
        break;
    case WZP_PCAP_QUIC_NEW_CONNECTION_ID:
        wzp_pcap_quic_cid_learn(p->c, !p->to_server, &walked->cid, frame->value,
                                walked->reset_token);
        break;
    case WZP_PCAP_QUIC_RETIRE_CONNECTION_ID:
        wzp_pcap_quic_cid_retire(p->c, p->to_server, frame->value);
        break;
    case 0x1c:
    case 0x1d:
        take_close(p, walked);
        break;
    default:
        if (frame->type >= 0x08 && frame->type <= 0x0f) {
            wzp_pcap_quic_stream_data(p, walked);
        }
    }
}

void wzp_pcap_quic_frames(passing *p) {
    wzp_pcap_quic_counters *counters = &p->c->quic->counters;
    wzp_pcap_quic_walked walked;
    wzp_rd rd;
    wzp_rd_init(&rd, p->plain);
    while (wzp_pcap_quic_walk(&rd, &walked)) {
        if (!wzp_pcap_quic_frame_fits(walked.frame.type, p->head.type)) {
            counters->frames_bad++;
            wzp_pcap_quic_problem(p, "a frame that such a packet may not have",
                                  p->header_len + walked.frame.offset);
            return;
        }
        if (p->is_new_path && !is_probing(walked.frame.type)) {
            p->is_new_path = false;
            say_path(p);
        }
        if (p->c->quic->cfg.frames) {
            say_data(p, WZP_PCAP_QUIC_FRAME, &walked);
        }
        take_frame(p, &walked);
    }
    if (rd.fail.code != WZP_OK) {
        counters->frames_bad++;
        wzp_pcap_quic_problem(p,
                              rd.fail.code == WZP_ERR_FRAME_TYPE
                                  ? "a frame of an unknown type: what follows it cannot be read"
                                  : "a packet that ends inside a frame",
                              p->header_len + rd.fail.offset);
    }
}

/* --- packets ---------------------------------------------------------------------------------- */

static void count(wzp_pcap_quic_counters *counters, const passing *p) {
    counters->packets++;
    switch (p->packet.seal) {
    case WZP_PCAP_QUIC_CLEAR:
        counters->opened++;
        counters->again += p->packet.again;
        return;
    case WZP_PCAP_QUIC_NO_SECRET:
        counters->no_secret++;
        return;
    case WZP_PCAP_QUIC_NO_HELLO:
        counters->no_hello++;
        return;
    case WZP_PCAP_QUIC_BAD_TAG:
        counters->bad_tag++;
        return;
    case WZP_PCAP_QUIC_CUT:
        counters->cut++;
        return;
    }
}

/* A client starts anew with other keys, and the same or another hello. */
static void take_restart(const passing *p) {
    conn *c = p->c;
    if (c->has_answer || p->to_server) {
        return;
    }
    c->may_restart = true;
    if (p->head.type == WZP_PCAP_QUIC_RETRY) {
        wzp_pcap_quic_adopt(c, &p->head.scid, p->head.version);
        return;
    }
    c->has_hello = false;
    wzp_pcap_quic_talk_end(c, &c->talks[1][TALK_INITIAL]);
    c->talks[1][TALK_INITIAL] = (talk){0};
}

/* What headers say, if the packet is whole, or nobody can tell. */
static void learn_from_header(const passing *p) {
    conn *c = p->c;
    wzp_pcap_quic_cid_learn(c, !p->to_server, &p->head.scid, 0, (wzp_bytes){0});
    if (!p->to_server) {
        c->version = p->head.version;
    }
}

static void learn_from_long(const passing *p) {
    const wzp_pcap_quic_type type = p->head.type;
    if (type == WZP_PCAP_QUIC_RETRY || type == WZP_PCAP_QUIC_VERSION_NEGOTIATION) {
        if (p->packet.seal == WZP_PCAP_QUIC_CLEAR) {
            take_restart(p);
        }
    } else if (p->packet.seal == WZP_PCAP_QUIC_CLEAR || p->packet.seal == WZP_PCAP_QUIC_NO_HELLO ||
               (p->packet.seal == WZP_PCAP_QUIC_CUT && !p->c->has_hello)) {
        learn_from_header(p);
    }
}

static void say_reset(const passing *p) {
    const wzp_pcap_quic_close close = {.reset = true};
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_CLOSED, .close = &close};
    if (!p->c->is_closed[p->to_server]) {
        p->c->is_closed[p->to_server] = true;
        wzp_pcap_quic_emit(p, &event);
    }
}

/* Without keys the id alone tells that it is the same connection. */
static void learn_from_short(passing *p) {
    const wzp_pcap_quic_seal seal = p->packet.seal;
    if (seal == WZP_PCAP_QUIC_BAD_TAG && wzp_pcap_quic_is_reset(p->c, p->to_server, p->bytes)) {
        say_reset(p);
    }
    if (p->is_new_path && (seal == WZP_PCAP_QUIC_NO_SECRET || seal == WZP_PCAP_QUIC_NO_HELLO)) {
        say_path(p);
    }
}

void wzp_pcap_quic_say(passing *p) {
    conn *c = p->c;
    wzp_pcap_quic_event event = {.kind = WZP_PCAP_QUIC_PACKET};
    count(&c->quic->counters, p);
    wzp_pcap_quic_emit(p, &event);
    if (p->is_long) {
        learn_from_long(p);
    } else {
        learn_from_short(p);
    }
    if (p->key_update) {
        event = (wzp_pcap_quic_event){.kind = WZP_PCAP_QUIC_KEYS};
        c->quic->counters.key_updates++;
        wzp_pcap_quic_emit(p, &event);
    }
    if (p->plain.data != NULL && !p->packet.again) {
        wzp_pcap_quic_frames(p);
    }
}

/* What does not open may be several packets, or of a later generation. */
static void unseal(passing *p) {
    wzp_pcap_quic_unseal(p);
    if (p->is_long || p->packet.seal == WZP_PCAP_QUIC_CLEAR) {
        return;
    }
    const size_t len = wzp_pcap_quic_segment(p);
    if (len > 0) {
        p->bytes = wzp_bytes_of(p->bytes.data, len);
        p->head.len = len;
        p->head.is_cut = false;
        p->packet.len = (uint32_t)len;
        wzp_pcap_quic_unseal(p);
    }
    if (p->packet.seal == WZP_PCAP_QUIC_BAD_TAG) {
        wzp_pcap_quic_unseal_ahead(p);
    }
}

void wzp_pcap_quic_pass(passing *p) {
    conn *c = p->c;
    wzp_pcap_quic_conn_touch(c);
    if (p->head.type == WZP_PCAP_QUIC_HANDSHAKE && !c->handshake[p->to_server].keys.known) {
        c->version = p->head.version;
    }
    unseal(p);
    const wzp_pcap_quic_seal seal = p->packet.seal;
    if ((seal == WZP_PCAP_QUIC_NO_SECRET || seal == WZP_PCAP_QUIC_NO_HELLO) &&
        wzp_pcap_quic_hold(p)) {
        if (p->is_long) {
            learn_from_long(p);
        }
        return;
    }
    wzp_pcap_quic_say(p);
}

wzp_pcap_quic_packet wzp_pcap_quic_describe(const wzp_pcap_quic_head *head, size_t offset) {
    return (wzp_pcap_quic_packet){.type = head->type,
                                  .version = head->version,
                                  .dcid = head->dcid,
                                  .scid = head->scid,
                                  .offset = (uint32_t)offset,
                                  .len = (uint32_t)head->len};
}
