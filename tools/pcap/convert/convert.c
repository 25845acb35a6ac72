#include "tools/pcap/convert/convert.h"

#include <stdio.h>
#include <stdlib.h>

#include "tools/pcap/convert/anonymous.h"
#include "tools/pcap/convert/rtpdump.h"
#include "tools/pcap/link/link.h"
#include "wire/json.h"

enum { TEXT_MAX = 512, RECORD_MAX = WZP_PCAP_RTPDUMP_RECORD + 65535 };

struct wzp_pcap_convert {
    wzp_pcap_convert_cfg cfg;
    wzp_pcap_writer *writer; /* NULL: nothing was written so far */
    wzp_pcap_link *link;     /* anonymous */
    wzp_pcap_anonymous anonymous;
    bool begun;        /* RTPDUMP */
    uint64_t start_ns; /* WZP, RTPDUMP */
    bool has_header;   /* `.wzp` is what is read */
    char room[TEXT_MAX], relay[TEXT_MAX];
    uint8_t record[RECORD_MAX];
    wzp_pcap_convert_counters count;
};

static wzp_err open_writer(wzp_pcap_convert *c, wzp_pcap_form form) {
    return wzp_pcap_writer_new(&c->writer, &(wzp_pcap_writer_cfg){.form = form,
                                                                  .sink = c->cfg.sink,
                                                                  .sink_ctx = c->cfg.sink_ctx,
                                                                  .room = c->room,
                                                                  .relay = c->relay,
                                                                  .start_ns = c->start_ns});
}

wzp_err wzp_pcap_convert_new(wzp_pcap_convert **out, const wzp_pcap_convert_cfg *cfg) {
    wzp_pcap_convert *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return WZP_ERR_NOMEM;
    }
    c->cfg = *cfg;
    wzp_pcap_anonymous_init(&c->anonymous, cfg->seed);
    wzp_err err = cfg->anonymous ? wzp_pcap_link_new(&c->link) : WZP_OK;
    const bool pcapng =
        cfg->form == WZP_PCAP_CONVERT_PACKETS || cfg->form == WZP_PCAP_CONVERT_MEDIA;
    if (err == WZP_OK && pcapng) {
        err = open_writer(c, WZP_PCAP_FORM_PCAPNG);
    }
    if (err != WZP_OK) {
        wzp_pcap_convert_free(&c);
        return err;
    }
    *out = c;
    return WZP_OK;
}

void wzp_pcap_convert_free(wzp_pcap_convert **convert) {
    if (*convert != NULL) {
        wzp_pcap_writer_free(&(*convert)->writer);
        wzp_pcap_link_free(&(*convert)->link);
        free(*convert);
        *convert = NULL;
    }
}

const wzp_pcap_convert_counters *wzp_pcap_convert_count(const wzp_pcap_convert *c) {
    return &c->count;
}

static bool keeps_secrets(const wzp_pcap_convert *c) {
    return c->cfg.form == WZP_PCAP_CONVERT_PACKETS && !c->cfg.strip_secrets && !c->cfg.anonymous;
}

wzp_err wzp_pcap_convert_inject(wzp_pcap_convert *c, wzp_bytes keylog) {
    return keeps_secrets(c) ? wzp_pcap_writer_secrets(c->writer, keylog) : WZP_ERR_INVALID_ARGUMENT;
}

static wzp_err counted(wzp_pcap_convert *c, wzp_err err) {
    c->count.written += err == WZP_OK ? 1 : 0;
    c->count.left_out += err == WZP_OK ? 0 : 1;
    return err == WZP_ERR_NOMEM ? err : WZP_OK;
}

/* --- packets ---------------------------------------------------------------------------------- */

static wzp_err anonymous_packet(wzp_pcap_convert *c, const wzp_pcap_packet *packet) {
    wzp_pcap_udp udp;
    wzp_fail fail;
    if (packet->link_type == WZP_PCAP_LINK_MEDIA) {
        wzp_pcap_packet bare = *packet;
        bare.comment = wzp_bytes_of(NULL, 0);
        return counted(c, wzp_pcap_writer_packet(c->writer, NULL, &bare));
    }
    if (wzp_pcap_link_take(c->link, packet, &udp, &fail) != WZP_PCAP_LINK_UDP || udp.cut ||
        !wzp_pcap_anonymous_may_show(&c->anonymous, &udp.src, &udp.dst, udp.payload)) {
        c->count.left_out++;
        return WZP_OK;
    }
    const wzp_addr src = wzp_pcap_anonymous_addr(&c->anonymous, &udp.src);
    const wzp_addr dst = wzp_pcap_anonymous_addr(&c->anonymous, &udp.dst);
    return counted(c,
                   wzp_pcap_writer_udp(c->writer, &(wzp_pcap_datagram){.time_ns = packet->time_ns,
                                                                       .src = &src,
                                                                       .dst = &dst,
                                                                       .way = packet->way,
                                                                       .ecn = udp.ecn,
                                                                       .payload = udp.payload}));
}

static wzp_err secrets(wzp_pcap_convert *c, const wzp_pcap_item *item) {
    if (!keeps_secrets(c)) {
        c->count.secrets_stripped++;
        return WZP_OK;
    }
    return item->media_keys ? wzp_pcap_writer_media_keys(c->writer, item->text)
                            : wzp_pcap_writer_secrets(c->writer, item->text);
}

/* --- the header of a `.wzp` file -------------------------------------------------------------- */

static void copy_text(char out[TEXT_MAX], wzp_bytes raw) {
    uint8_t text[TEXT_MAX];
    const size_t len = raw.len < TEXT_MAX ? wzp_json_unescape(text, raw) : SIZE_MAX;
    if (len != SIZE_MAX) {
        memcpy(out, text, len);
        out[len] = '\0';
    }
}

static void header(wzp_pcap_convert *c, wzp_bytes text) {
    static const char field[] = "header";
    uint8_t name[WZP_JSON_NAME_MAX];
    bool first = true;
    wzp_json json;
    wzp_json_init(&json, text);
    wzp_json_begin(&json, '{', field);
    while (wzp_json_next(&json, '}', &first, field)) {
        const wzp_bytes key = wzp_json_key(&json, name, field);
        const bool is_room = wzp_bytes_equal(key, wzp_bytes_str("room"));
        const bool is_relay = wzp_bytes_equal(key, wzp_bytes_str("relay"));
        if ((is_room || is_relay) && wzp_json_peek(&json) == WZP_JSON_STRING) {
            copy_text(is_room ? c->room : c->relay, wzp_json_raw_string(&json, field));
        } else {
            wzp_json_skip(&json, field);
        }
    }
    c->has_header = true;
}

wzp_err wzp_pcap_convert_item(wzp_pcap_convert *c, const wzp_pcap_item *item) {
    switch (item->kind) {
    case WZP_PCAP_ITEM_HEADER:
        header(c, item->text);
        return WZP_OK;
    case WZP_PCAP_ITEM_SECRETS:
        return secrets(c, item);
    case WZP_PCAP_ITEM_PACKET:
        if (c->cfg.form != WZP_PCAP_CONVERT_PACKETS) {
            return WZP_OK;
        }
        return c->cfg.anonymous
                   ? anonymous_packet(c, &item->packet)
                   : counted(c, wzp_pcap_writer_packet(c->writer, item->packet.interface_name,
                                                       &item->packet));
    case WZP_PCAP_ITEM_PROBLEM:
        return WZP_OK;
    }
    return WZP_OK;
}

/* --- media ------------------------------------------------------------------------------------ */

static void describe_file(wzp_pcap_convert *c, const wzp_pcap_message *m) {
    c->start_ns = m->time_ns;
    if (!c->has_header && m->conn != NULL && m->conn->role != WZP_PCAP_ROLE_FILE) {
        (void)snprintf(c->room, sizeof c->room, "%s", m->conn->sni);
        (void)wzp_addr_text(&m->conn->server, c->relay);
    }
}

static wzp_err as_packet(wzp_pcap_convert *c, const wzp_pcap_message *m) {
    char name[WZP_PCAP_NAME_MAX] = "file";
    if (m->conn != NULL && m->conn->role != WZP_PCAP_ROLE_FILE) {
        (void)snprintf(name, sizeof name, "conn %u %s", m->conn->number,
                       m->to_server ? "client" : "server");
    }
    return wzp_pcap_writer_packet(
        c->writer, name,
        &(wzp_pcap_packet){.time_ns = m->time_ns,
                           .link_type = WZP_PCAP_LINK_MEDIA,
                           .original_len = (uint32_t)m->media->bytes.len,
                           .way = m->packet != NULL ? m->packet->way : WZP_PCAP_WAY_UNKNOWN,
                           .data = m->media->bytes});
}

static wzp_err as_record(wzp_pcap_convert *c, const wzp_pcap_message *m) {
    if (c->writer == NULL) {
        describe_file(c, m);
        const wzp_err err = open_writer(c, WZP_PCAP_FORM_WZP);
        if (err != WZP_OK) {
            return err;
        }
    }
    return as_packet(c, m);
}

static wzp_err as_rtp(wzp_pcap_convert *c, const wzp_pcap_message *m) {
    const wzp_media_hdr *hdr = &m->media->packet.hdr;
    const bool opened = m->media->seal == WZP_PCAP_SEAL_OPENED;
    const uint32_t conn = m->conn != NULL ? m->conn->number : 0;
    wzp_wr wr;
    if ((hdr->flags & WZP_MEDIA_REPAIR) != 0) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_wr_init(&wr, c->record, sizeof c->record);
    if (!c->begun) {
        describe_file(c, m);
        wzp_pcap_rtpdump_head(&wr, c->start_ns);
        c->begun = true;
    }
    const uint64_t since = m->time_ns > c->start_ns ? m->time_ns - c->start_ns : 0;
    wzp_pcap_rtpdump_record(&wr, hdr, conn << 9 | (m->to_server ? 256u : 0u) | hdr->stream_id,
                            (uint32_t)(since / 1000000),
                            opened ? m->media->plain : m->media->packet.payload);
    if (wzp_wr_end(&wr) != WZP_OK) {
        return WZP_ERR_OVERFLOW;
    }
    c->cfg.sink(c->cfg.sink_ctx, wzp_bytes_of(c->record, wzp_wr_len(&wr)));
    return WZP_OK;
}

wzp_err wzp_pcap_convert_message(wzp_pcap_convert *c, const wzp_pcap_message *m) {
    if (m->kind != WZP_PCAP_MESSAGE_MEDIA) {
        return WZP_OK;
    }
    switch (c->cfg.form) {
    case WZP_PCAP_CONVERT_MEDIA:
        return counted(c, as_packet(c, m));
    case WZP_PCAP_CONVERT_WZP:
        return counted(c, as_record(c, m));
    case WZP_PCAP_CONVERT_RTPDUMP:
        return counted(c, as_rtp(c, m));
    case WZP_PCAP_CONVERT_PACKETS:
        break;
    }
    return WZP_OK;
}
