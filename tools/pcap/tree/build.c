/* From a message to its fields. */
#include "tools/pcap/decode/names.h"
#include "tools/pcap/tree/fields.h"

/* --- adding ----------------------------------------------------------------------------------- */

/* All that is behind the last place is left out; there are more places than fields. */
static wzp_pcap_field *add(wzp_pcap_tree *tree, wzp_pcap_field_id id, uint8_t depth) {
    wzp_pcap_field *field = &tree->list[tree->count];
    tree->count += tree->count < WZP_PCAP_TREE_MAX - 1;
    field->id = (uint16_t)id;
    field->depth = depth;
    field->offset = WZP_PCAP_NO_OFFSET;
    field->len = 0;
    return field;
}

static wzp_pcap_field *number(wzp_pcap_tree *tree, wzp_pcap_field_id id, uint64_t value) {
    wzp_pcap_field *field = add(tree, id, 1);
    field->u.number = value;
    return field;
}

static wzp_pcap_field *bytes(wzp_pcap_tree *tree, wzp_pcap_field_id id, wzp_bytes value) {
    wzp_pcap_field *field = add(tree, id, 1);
    field->u.bytes = value;
    return field;
}

static void text(wzp_pcap_tree *tree, wzp_pcap_field_id id, const char *value) {
    (void)bytes(tree, id, wzp_bytes_str(value));
}

static void flag(wzp_pcap_tree *tree, wzp_pcap_field_id id, bool value) {
    (void)number(tree, id, value);
}

static void at(wzp_pcap_field *field, size_t offset, size_t len) {
    field->offset = (uint32_t)offset;
    field->len = (uint32_t)len;
}

/* --- packet, addresses, QUIC ------------------------------------------------------------------ */

static void build_frame(wzp_pcap_tree *tree, const wzp_pcap_message *m, uint64_t first_ns) {
    (void)add(tree, WZP_PCAP_FIELD_FRAME, 0);
    (void)number(tree, WZP_PCAP_FIELD_FRAME_NUMBER, m->packet_number);
    (void)number(tree, WZP_PCAP_FIELD_FRAME_TIME, m->time_ns);
    (void)number(tree, WZP_PCAP_FIELD_FRAME_RELATIVE,
                 m->time_ns >= first_ns ? m->time_ns - first_ns : 0);
    if (m->packet != NULL) {
        (void)number(tree, WZP_PCAP_FIELD_FRAME_LEN, m->packet->original_len);
        (void)number(tree, WZP_PCAP_FIELD_FRAME_CAP_LEN, m->packet->data.len);
    }
}

static void build_addresses(wzp_pcap_tree *tree, const wzp_pcap_message *m) {
    if (m->src == NULL || m->dst == NULL) {
        return;
    }
    const bool is_v6 = m->src->family == WZP_ADDR_V6;
    (void)add(tree, is_v6 ? WZP_PCAP_FIELD_IPV6 : WZP_PCAP_FIELD_IP, 0);
    add(tree, is_v6 ? WZP_PCAP_FIELD_IPV6_SRC : WZP_PCAP_FIELD_IP_SRC, 1)->u.addr = m->src;
    add(tree, is_v6 ? WZP_PCAP_FIELD_IPV6_DST : WZP_PCAP_FIELD_IP_DST, 1)->u.addr = m->dst;
    (void)number(tree, WZP_PCAP_FIELD_UDP_SRCPORT, m->src->port);
    (void)number(tree, WZP_PCAP_FIELD_UDP_DSTPORT, m->dst->port);
}

static void build_quic_packet(wzp_pcap_tree *tree, const wzp_pcap_quic_packet *packet) {
    text(tree, WZP_PCAP_FIELD_QUIC_TYPE, wzp_pcap_quic_type_name(packet->type));
    text(tree, WZP_PCAP_FIELD_QUIC_STATE, wzp_pcap_quic_seal_name(packet->seal));
    if (packet->version != 0) {
        (void)number(tree, WZP_PCAP_FIELD_QUIC_VERSION, packet->version);
    }
    (void)bytes(tree, WZP_PCAP_FIELD_QUIC_DCID, wzp_bytes_of(packet->dcid.data, packet->dcid.len));
    if (packet->type != WZP_PCAP_QUIC_1RTT) {
        (void)bytes(tree, WZP_PCAP_FIELD_QUIC_SCID,
                    wzp_bytes_of(packet->scid.data, packet->scid.len));
    }
    if (packet->seal == WZP_PCAP_QUIC_CLEAR) {
        (void)number(tree, WZP_PCAP_FIELD_QUIC_NUMBER, packet->number);
    }
    at(number(tree, WZP_PCAP_FIELD_QUIC_LENGTH, packet->len), packet->offset, packet->len);
    if (packet->type == WZP_PCAP_QUIC_1RTT) {
        flag(tree, WZP_PCAP_FIELD_QUIC_SPIN, packet->spin);
        (void)number(tree, WZP_PCAP_FIELD_QUIC_GENERATION, packet->key_generation);
    }
    if (packet->late) {
        flag(tree, WZP_PCAP_FIELD_QUIC_LATE, true);
    }
}

static void build_quic_frame(wzp_pcap_tree *tree, const wzp_pcap_quic_event *event) {
    const wzp_pcap_quic_frame *frame = event->frame;
    at(number(tree, WZP_PCAP_FIELD_QUIC_FRAME_TYPE, frame->type), frame->offset, frame->len);
    if (event->kind == WZP_PCAP_QUIC_DATAGRAM) {
        (void)number(tree, WZP_PCAP_FIELD_QUIC_DG_LENGTH, event->data.len);
        return;
    }
    (void)number(tree, WZP_PCAP_FIELD_QUIC_STREAM_ID, frame->stream_id);
    (void)number(tree, WZP_PCAP_FIELD_QUIC_STREAM_OFFSET, frame->stream_offset);
    (void)number(tree, WZP_PCAP_FIELD_QUIC_FRAME_VALUE, frame->value);
    flag(tree, WZP_PCAP_FIELD_QUIC_STREAM_FIN, frame->fin);
}

static void build_hello(wzp_pcap_tree *tree, const wzp_pcap_quic_event *event) {
    if (event->kind == WZP_PCAP_QUIC_HELLO || event->kind == WZP_PCAP_QUIC_JOINED) {
        (void)bytes(tree, WZP_PCAP_FIELD_TLS_RANDOM,
                    wzp_bytes_of(event->hello->client_random, sizeof event->hello->client_random));
    }
    if (event->kind == WZP_PCAP_QUIC_JOINED) {
        return;
    }
    if (event->kind == WZP_PCAP_QUIC_HELLO) {
        text(tree, WZP_PCAP_FIELD_TLS_SNI, event->hello->sni);
    }
    text(tree, WZP_PCAP_FIELD_TLS_ALPN, event->hello->alpn);
    if (event->hello->cipher != 0) {
        (void)number(tree, WZP_PCAP_FIELD_TLS_CIPHER, event->hello->cipher);
    }
}

static void build_params(wzp_pcap_tree *tree, const wzp_pcap_quic_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        const wzp_pcap_quic_param *param = &params->list[i];
        (void)number(tree, WZP_PCAP_FIELD_PARAM_TYPE, param->id);
        if (param->is_number) {
            number(tree, WZP_PCAP_FIELD_PARAM_NUMBER, param->value)->depth = 2;
        } else {
            bytes(tree, WZP_PCAP_FIELD_PARAM_BYTES, param->data)->depth = 2;
        }
    }
}

static void build_close(wzp_pcap_tree *tree, const wzp_pcap_quic_close *close) {
    if (!close->reset) {
        (void)number(tree,
                     close->application ? WZP_PCAP_FIELD_QUIC_CLOSE_APP : WZP_PCAP_FIELD_QUIC_CLOSE,
                     close->code);
        text(tree, WZP_PCAP_FIELD_QUIC_REASON, close->reason);
    }
}

static void build_quic(wzp_pcap_tree *tree, const wzp_pcap_quic_event *event) {
    (void)add(tree, WZP_PCAP_FIELD_QUIC, 0);
    if (event->packet != NULL) {
        build_quic_packet(tree, event->packet);
    }
    if (event->frame != NULL) {
        build_quic_frame(tree, event);
    }
    if (event->kind == WZP_PCAP_QUIC_STREAM) {
        (void)number(tree, WZP_PCAP_FIELD_QUIC_STREAM_ID, event->stream_id);
        (void)number(tree, WZP_PCAP_FIELD_QUIC_STREAM_OFFSET, event->stream_offset);
        flag(tree, WZP_PCAP_FIELD_QUIC_STREAM_FIN, event->fin);
    }
    if (event->hello != NULL) {
        build_hello(tree, event);
    }
    if (event->params != NULL) {
        build_params(tree, event->params);
    }
    if (event->close != NULL) {
        build_close(tree, event->close);
    }
}

/* --- media ------------------------------------------------------------------------------------ */

/* Where the media packet begins in what carried it; a MINI begins with its tag. */
static size_t media_begin(const wzp_pcap_message *m) {
    const uint8_t *base = m->event != NULL    ? m->event->data.data
                          : m->packet != NULL ? m->packet->data.data
                                              : NULL;
    return base != NULL ? (size_t)(m->media->bytes.data - base) : 0;
}

static void build_word(wzp_pcap_tree *tree, const wzp_media_hdr *hdr, size_t begin, bool placed) {
    const wzp_pcap_field_id high =
        hdr->media_type == WZP_MEDIA_VIDEO ? WZP_PCAP_FIELD_FRAG_INDEX : WZP_PCAP_FIELD_FEC_SYMBOL;
    const wzp_pcap_field_id low =
        hdr->media_type == WZP_MEDIA_VIDEO ? WZP_PCAP_FIELD_FRAG_COUNT : WZP_PCAP_FIELD_FEC_BLOCK;
    wzp_pcap_field *field;
    if (hdr->media_type == WZP_MEDIA_AUDIO || hdr->media_type == WZP_MEDIA_VIDEO) {
        field = number(tree, high, hdr->fec_block >> 8);
        if (placed) {
            at(field, begin + 14, 1);
        }
        field = number(tree, low, hdr->fec_block & 0xff);
        if (placed) {
            at(field, begin + 15, 1);
        }
        return;
    }
    field = number(tree, WZP_PCAP_FIELD_FEC_BLOCK, hdr->fec_block);
    if (placed) {
        at(field, begin + 14, 2);
    }
}

static void build_header(wzp_pcap_tree *tree, const wzp_media_hdr *hdr, size_t begin, bool placed) {
    const struct part {
        wzp_pcap_field_id id;
        uint8_t offset, len, depth;
        uint32_t value;
    } parts[] = {
        {WZP_PCAP_FIELD_VERSION, 0, 1, 1, hdr->version},
        {WZP_PCAP_FIELD_FLAGS, 1, 1, 1, hdr->flags},
        {WZP_PCAP_FIELD_FLAG_REPAIR, 1, 1, 2, (hdr->flags & WZP_MEDIA_REPAIR) != 0},
        {WZP_PCAP_FIELD_FLAG_QUALITY, 1, 1, 2, (hdr->flags & WZP_MEDIA_QUALITY) != 0},
        {WZP_PCAP_FIELD_FLAG_KEYFRAME, 1, 1, 2, (hdr->flags & WZP_MEDIA_KEYFRAME) != 0},
        {WZP_PCAP_FIELD_FLAG_FRAME_END, 1, 1, 2, (hdr->flags & WZP_MEDIA_FRAME_END) != 0},
        {WZP_PCAP_FIELD_FLAG_RESERVED, 1, 1, 2, hdr->flags & WZP_MEDIA_RESERVED},
        {WZP_PCAP_FIELD_MEDIA_TYPE, 2, 1, 1, hdr->media_type},
        {WZP_PCAP_FIELD_CODEC, 3, 1, 1, hdr->codec_id},
        {WZP_PCAP_FIELD_STREAM_ID, 4, 1, 1, hdr->stream_id},
        {WZP_PCAP_FIELD_FEC_RATIO, 5, 1, 1, hdr->fec_ratio},
        {WZP_PCAP_FIELD_SEQ, 6, 4, 1, hdr->seq},
        {WZP_PCAP_FIELD_TIMESTAMP, 10, 4, 1, hdr->timestamp_ms},
    };
    for (size_t i = 0; i < WZP_COUNT_OF(parts); i++) {
        wzp_pcap_field *field = number(tree, parts[i].id, parts[i].value);
        field->depth = parts[i].depth;
        if (placed) {
            at(field, begin + parts[i].offset, parts[i].len);
        }
    }
    build_word(tree, hdr, begin, placed);
}

static void build_report(wzp_pcap_tree *tree, const wzp_pcap_media *media, size_t after) {
    const wzp_quality_report *report = &media->packet.report;
    const uint8_t values[] = {report->loss_pct, report->rtt_4ms, report->jitter_ms,
                              report->bitrate_cap_kbps};
    for (size_t i = 0; i < WZP_COUNT_OF(values); i++) {
        wzp_pcap_field *field =
            number(tree, (wzp_pcap_field_id)(WZP_PCAP_FIELD_LOSS + (int)i), values[i]);
        if (!media->report_inside) {
            at(field, after + i, 1);
        }
    }
}

static void build_seal(wzp_pcap_tree *tree, const wzp_pcap_media *media) {
    text(tree, WZP_PCAP_FIELD_SEAL, wzp_pcap_seal_name(media->seal));
    if (media->seal != WZP_PCAP_SEAL_OPENED) {
        return;
    }
    (void)number(tree, WZP_PCAP_FIELD_EPOCH, media->epoch);
    (void)bytes(tree, WZP_PCAP_FIELD_PLAIN, media->plain);
    if ((media->packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        flag(tree, WZP_PCAP_FIELD_REPORT_INSIDE, media->report_inside);
    }
    if (media->nonce_again) {
        flag(tree, WZP_PCAP_FIELD_NONCE_AGAIN, true);
    }
}

static void build_shape(wzp_pcap_tree *tree, const wzp_pcap_media *media, size_t begin) {
    text(tree, WZP_PCAP_FIELD_SHAPE, wzp_pcap_shape_name(media->shape));
    if (media->guessed) {
        flag(tree, WZP_PCAP_FIELD_GUESSED, true);
    }
    if (media->shape == WZP_PCAP_FEDERATION) {
        at(bytes(tree, WZP_PCAP_FIELD_ROOM_HASH,
                 wzp_bytes_of(media->room_hash, sizeof media->room_hash)),
           0, sizeof media->room_hash);
    }
    if (media->shape == WZP_PCAP_TRUNK) {
        at(bytes(tree, WZP_PCAP_FIELD_SESSION_ID,
                 wzp_bytes_of(media->session_id, sizeof media->session_id)),
           begin - 4, 2);
        (void)number(tree, WZP_PCAP_FIELD_ENTRY, media->entry);
    }
}

static void build_media(wzp_pcap_tree *tree, const wzp_pcap_message *m) {
    const wzp_pcap_media *media = m->media;
    const size_t begin = media_begin(m);
    const bool is_mini = media->shape == WZP_PCAP_MINI;
    const wzp_bytes payload = media->packet.payload;
    const size_t payload_at = begin + (size_t)(payload.data - media->bytes.data);
    build_shape(tree, media, begin);
    build_header(tree, &media->packet.hdr, begin, !is_mini);
    at(bytes(tree, WZP_PCAP_FIELD_PAYLOAD, payload), payload_at, payload.len);
    (void)number(tree, WZP_PCAP_FIELD_PAYLOAD_LENGTH, payload.len);
    build_seal(tree, media);
    if (!is_mini && (media->packet.hdr.flags & WZP_MEDIA_QUALITY) != 0) {
        build_report(tree, media, payload_at + payload.len);
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static void build_signal(wzp_pcap_tree *tree, const wzp_pcap_signal *signal) {
    if (signal->name[0] != '\0') {
        text(tree, WZP_PCAP_FIELD_SIGNAL_TYPE, signal->name);
    }
    if (signal->parsed != NULL) {
        (void)number(tree, WZP_PCAP_FIELD_SIGNAL_VERSION, signal->parsed->version);
    }
    (void)number(tree, WZP_PCAP_FIELD_SIGNAL_STREAM, signal->stream_id);
    (void)number(tree, WZP_PCAP_FIELD_SIGNAL_FIRST, signal->first_packet);
    (void)number(tree, WZP_PCAP_FIELD_SIGNAL_LENGTH, signal->json.len);
    at(bytes(tree, WZP_PCAP_FIELD_SIGNAL_JSON, signal->json), 0, signal->json.len);
}

static void build_error(wzp_pcap_tree *tree, const wzp_pcap_message *m) {
    if (m->fail.code == WZP_OK && m->text == NULL) {
        return;
    }
    text(tree, WZP_PCAP_FIELD_ERROR, m->text != NULL ? m->text : wzp_err_text(m->fail.code));
    if (m->fail.field != NULL) {
        text(tree, WZP_PCAP_FIELD_ERROR_FIELD, m->fail.field);
    }
    (void)number(tree, WZP_PCAP_FIELD_ERROR_OFFSET, m->fail.offset);
    (void)number(tree, WZP_PCAP_FIELD_ERROR_GOT, m->fail.got);
}

static void build_wzp(wzp_pcap_tree *tree, const wzp_pcap_message *m) {
    (void)add(tree, WZP_PCAP_FIELD_WZP, 0);
    text(tree, WZP_PCAP_FIELD_EVENT, wzp_pcap_event_name(m));
    if (m->conn != NULL) {
        (void)number(tree, WZP_PCAP_FIELD_CONN, m->conn->number);
        text(tree, WZP_PCAP_FIELD_ROLE, wzp_pcap_role_name(m->conn->role));
        if (m->conn->hello) {
            text(tree, WZP_PCAP_FIELD_ROOM, m->conn->sni);
        }
        if (m->event != NULL) {
            flag(tree, WZP_PCAP_FIELD_TO_SERVER, m->to_server);
        }
    }
    if (m->media != NULL) {
        build_media(tree, m);
    }
    if (m->signal != NULL) {
        build_signal(tree, m->signal);
    }
    if (m->data.len > 0) {
        const bool is_text = m->kind == WZP_PCAP_MESSAGE_TEXT;
        at(bytes(tree, is_text ? WZP_PCAP_FIELD_DATA_TEXT : WZP_PCAP_FIELD_DATA, m->data), 0,
           m->data.len);
    }
    build_error(tree, m);
}

void wzp_pcap_tree_build(wzp_pcap_tree *tree, const wzp_pcap_message *message, uint64_t first_ns) {
    tree->count = 0;
    build_frame(tree, message, first_ns);
    build_addresses(tree, message);
    if (message->event != NULL) {
        build_quic(tree, message->event);
    }
    build_wzp(tree, message);
}
