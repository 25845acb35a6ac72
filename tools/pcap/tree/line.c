/* One line a message.  Media lines are written straight from the packet: they are nearly all. */
#include "tools/pcap/decode/names.h"
#include "tools/pcap/tree/print.h"

#define JSON_SHOWN 2000 /* characters of a signal; trees and JSON show all of it */

static void word(wzp_pcap_text *out, const char *name, uint64_t value) {
    wzp_pcap_text_str(out, name);
    wzp_pcap_text_uint(out, value);
}

static void quoted(wzp_pcap_text *out, const char *name, const char *value) {
    wzp_pcap_text_str(out, name);
    wzp_pcap_text_clean(out, wzp_bytes_str(value));
}

static void head(wzp_pcap_text *out, const wzp_pcap_message *m, uint64_t first_ns) {
    wzp_pcap_text_uint_wide(out, m->packet_number, 7);
    wzp_pcap_text_char(out, ' ');
    wzp_pcap_text_seconds(out, m->time_ns >= first_ns ? m->time_ns - first_ns : 0, 6);
    wzp_pcap_text_char(out, ' ');
    if (m->src != NULL && m->dst != NULL) {
        wzp_pcap_text_addr(out, m->src);
        wzp_pcap_text_str(out, " > ");
        wzp_pcap_text_addr(out, m->dst);
        wzp_pcap_text_char(out, ' ');
    }
    if (m->conn != NULL && m->conn->number != 0) {
        word(out, "#", m->conn->number);
        wzp_pcap_text_char(out, ' ');
    }
}

/* --- media ------------------------------------------------------------------------------------ */

static void shape(wzp_pcap_text *out, const wzp_pcap_media *media) {
    if (media->shape != WZP_PCAP_PLAIN) {
        wzp_pcap_text_char(out, ' ');
        wzp_pcap_text_str(out, wzp_pcap_shape_name(media->shape));
    }
    if (media->shape == WZP_PCAP_TRUNK) {
        wzp_pcap_text_char(out, ' ');
        wzp_pcap_text_hex(out, wzp_bytes_of(media->session_id, sizeof media->session_id));
        word(out, "/", media->entry);
    }
    if (media->shape == WZP_PCAP_FEDERATION) {
        wzp_pcap_text_char(out, ' ');
        wzp_pcap_text_hex(out, wzp_bytes_of(media->room_hash, sizeof media->room_hash));
    }
    if (media->guessed) {
        wzp_pcap_text_str(out, " guessed");
    }
}

static void flags(wzp_pcap_text *out, uint8_t flags) {
    static const struct letter {
        uint8_t bit;
        const char *text;
    } letters[] = {{WZP_MEDIA_REPAIR, " repair"},
                   {WZP_MEDIA_KEYFRAME, " key"},
                   {WZP_MEDIA_FRAME_END, " end"},
                   {WZP_MEDIA_RESERVED, " reserved-bits"}};
    for (size_t i = 0; (flags & ~WZP_MEDIA_QUALITY) != 0 && i < WZP_COUNT_OF(letters); i++) {
        if ((flags & letters[i].bit) != 0) {
            wzp_pcap_text_str(out, letters[i].text);
        }
    }
}

static void report(wzp_pcap_text *out, const wzp_pcap_media *media) {
    const wzp_quality_report *r = &media->packet.report;
    if ((media->packet.hdr.flags & WZP_MEDIA_QUALITY) == 0 || media->shape == WZP_PCAP_MINI) {
        return;
    }
    /* 255 stands for 100 %. */
    word(out, media->report_inside ? " report-inside loss=" : " report loss=",
         ((uint64_t)r->loss_pct * 100 + 127) / 255);
    word(out, "% rtt=", (uint64_t)r->rtt_4ms * 4);
    word(out, " jitter=", r->jitter_ms);
    word(out, " cap=", r->bitrate_cap_kbps);
}

static void seal(wzp_pcap_text *out, const wzp_pcap_media *media) {
    if (media->seal == WZP_PCAP_SEAL_OPENED) {
        word(out, " opened epoch=", media->epoch);
    } else if (media->seal == WZP_PCAP_SEAL_FAILED) {
        wzp_pcap_text_str(out, " no-key-fits");
    }
    if (media->nonce_again) {
        wzp_pcap_text_str(out, " NONCE-AGAIN");
    }
}

static void media_line(wzp_pcap_text *out, const wzp_pcap_media *media) {
    const wzp_media_hdr *hdr = &media->packet.hdr;
    const wzp_codec_info *codec = wzp_codec_find(hdr->codec_id);
    static const char *const types[] = {"audio ", "video ", "data ", "control "};
    wzp_pcap_text_str(out, hdr->media_type < WZP_COUNT_OF(types) ? types[hdr->media_type] : "? ");
    wzp_pcap_text_str(out, codec != NULL ? codec->name : "?");
    word(out, " stream=", hdr->stream_id);
    word(out, " seq=", hdr->seq);
    word(out, " ts=", hdr->timestamp_ms);
    word(out, " len=", media->packet.payload.len);
    if (hdr->fec_block != 0 || hdr->fec_ratio != 0) {
        const bool is_video = hdr->media_type == WZP_MEDIA_VIDEO;
        word(out, is_video ? " frag=" : " fec=", hdr->fec_block >> 8);
        word(out, is_video ? "/" : ":", hdr->fec_block & 0xff);
    }
    flags(out, hdr->flags);
    shape(out, media);
    report(out, media);
    seal(out, media);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void failure(wzp_pcap_text *out, const wzp_pcap_message *m) {
    wzp_pcap_text_str(out, m->text != NULL ? m->text : wzp_err_text(m->fail.code));
    if (m->fail.field != NULL) {
        wzp_pcap_text_str(out, " (");
        wzp_pcap_text_str(out, m->fail.field);
        wzp_pcap_text_char(out, ')');
    }
    word(out, " at byte ", m->fail.offset);
    if (m->fail.got != 0) {
        word(out, ", value ", m->fail.got);
    }
}

static void signal_line(wzp_pcap_text *out, const wzp_pcap_message *m) {
    const wzp_pcap_signal *signal = m->signal;
    wzp_bytes shown = signal->json;
    quoted(out, "signal ", signal->name[0] != '\0' ? signal->name : "?");
    if (signal->parsed == NULL) {
        wzp_pcap_text_str(out, ": ");
        failure(out, m);
    }
    wzp_pcap_text_char(out, ' ');
    shown.len = shown.len < JSON_SHOWN ? shown.len : JSON_SHOWN;
    wzp_pcap_text_clean(out, shown);
    if (shown.len < signal->json.len) {
        word(out, "... ", signal->json.len);
        wzp_pcap_text_str(out, " bytes");
    }
}

static void packet_words(wzp_pcap_text *out, const wzp_pcap_quic_packet *packet) {
    wzp_pcap_text_char(out, ' ');
    wzp_pcap_text_str(out, wzp_pcap_quic_type_name(packet->type));
    word(out, " len=", packet->len);
    if (packet->seal == WZP_PCAP_QUIC_CLEAR) {
        word(out, " pn=", packet->number);
    } else {
        wzp_pcap_text_str(out, ", ");
        wzp_pcap_text_str(out, wzp_pcap_quic_seal_name(packet->seal));
    }
}

static void params_words(wzp_pcap_text *out, const wzp_pcap_quic_params *params) {
    for (size_t i = 0; i < params->count; i++) {
        const wzp_pcap_quic_param *param = &params->list[i];
        wzp_pcap_text_char(out, ' ');
        wzp_pcap_text_hex_uint(out, param->id);
        wzp_pcap_text_char(out, '=');
        if (param->is_number) {
            wzp_pcap_text_uint(out, param->value);
        } else {
            wzp_pcap_text_hex(out, param->data);
        }
    }
}

static void close_words(wzp_pcap_text *out, const wzp_pcap_quic_close *close) {
    if (close->reset) {
        wzp_pcap_text_str(out, " by stateless reset");
        return;
    }
    wzp_pcap_text_str(out, close->application ? " application " : " transport ");
    wzp_pcap_text_hex_uint(out, close->code);
    if (close->reason[0] != '\0') {
        quoted(out, " ", close->reason);
    }
}

static void frame_words(wzp_pcap_text *out, const wzp_pcap_quic_frame *frame) {
    wzp_pcap_text_str(out, " type=");
    wzp_pcap_text_hex_uint(out, frame->type);
    word(out, " stream=", frame->stream_id);
    word(out, " offset=", frame->stream_offset);
    word(out, " value=", frame->value);
    word(out, " len=", frame->length);
}

static void quic_line(wzp_pcap_text *out, const wzp_pcap_message *m) {
    const wzp_pcap_quic_event *event = m->event;
    wzp_pcap_text_str(out, wzp_pcap_event_name(m));
    if (event->kind == WZP_PCAP_QUIC_JOINED) {
        wzp_pcap_text_str(out, ": its beginning was not captured, secrets of the key log fit");
    } else if (event->hello != NULL) {
        if (event->kind == WZP_PCAP_QUIC_HELLO) {
            quoted(out, " sni=", event->hello->sni);
            wzp_pcap_text_str(out, " (");
            wzp_pcap_text_str(out, m->conn != NULL ? wzp_pcap_role_name(m->conn->role) : "?");
            wzp_pcap_text_char(out, ')');
        }
        quoted(out, " alpn=", event->hello->alpn);
    } else if (event->params != NULL) {
        params_words(out, event->params);
    } else if (event->close != NULL) {
        close_words(out, event->close);
    } else if (event->frame != NULL) {
        frame_words(out, event->frame);
    } else if (event->packet != NULL) {
        packet_words(out, event->packet);
    }
}

void wzp_pcap_print_line(wzp_pcap_text *out, const wzp_pcap_message *m, uint64_t first_ns) {
    head(out, m, first_ns);
    switch (m->kind) {
    case WZP_PCAP_MESSAGE_MEDIA:
        media_line(out, m->media);
        break;
    case WZP_PCAP_MESSAGE_SIGNAL:
        signal_line(out, m);
        break;
    case WZP_PCAP_MESSAGE_DATAGRAM:
        word(out, "bad datagram of ", m->data.len);
        wzp_pcap_text_str(out, " bytes: ");
        failure(out, m);
        break;
    case WZP_PCAP_MESSAGE_TEXT:
        wzp_pcap_text_str(out, "text ");
        wzp_pcap_text_clean(out, m->data);
        break;
    case WZP_PCAP_MESSAGE_QUIC:
        quic_line(out, m);
        break;
    case WZP_PCAP_MESSAGE_FORGOTTEN:
        wzp_pcap_text_str(out, "forgotten: too many connections at once");
        break;
    case WZP_PCAP_MESSAGE_PROBLEM:
        wzp_pcap_text_str(out, "problem: ");
        failure(out, m);
        break;
    }
    wzp_pcap_text_char(out, '\n');
}
