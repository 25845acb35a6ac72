#include "tools/pcap/file/writer.h"

#include <assert.h>
#include <stdlib.h>

#include "tools/pcap/file/when.h"
#include "trace/inet.h"
#include "trace/pcapng.h"
#include "wire/json.h"

/* The longest block: a packet and its comment, and what is around them. */
#define CAP (WZP_PCAP_PACKET_MAX + WZP_PCAPNG_TEXT_MAX + 256)
#define SECRETS_MAX WZP_PCAP_PACKET_MAX /* of one block */
#define RECORD_MAX 65535u               /* of a `.wzp` file */

static const wzp_pcapng_order order = WZP_PCAPNG_LITTLE;

typedef struct interface {
    uint32_t link_type;
    char name[WZP_PCAP_NAME_MAX];
} interface;

struct wzp_pcap_writer {
    wzp_pcap_form form;
    wzp_pcap_sink *sink;
    void *sink_ctx;
    uint64_t start_ns;
    uint8_t *buf;
    interface *interfaces; /* [WZP_PCAP_INTERFACES_MAX] */
    uint32_t interface_count, recent;
};

/* --- blocks ----------------------------------------------------------------------------------- */

static wzp_wr begin(const wzp_pcap_writer *w) {
    wzp_wr wr;
    wzp_wr_init(&wr, w->buf, CAP);
    return wr;
}

/* Every block fits: its parts were limited before. */
static void end(const wzp_pcap_writer *w, const wzp_wr *wr) {
    assert(wzp_wr_end(wr) == WZP_OK);
    w->sink(w->sink_ctx, wzp_bytes_of(w->buf, wzp_wr_len(wr)));
}

static void put_u32_le(wzp_wr *wr, uint32_t value) {
    wzp_wr_u32(wr, __builtin_bswap32(value));
}

static void put_u64_le(wzp_wr *wr, uint64_t value) {
    wzp_wr_u64(wr, __builtin_bswap64(value));
}

/* --- heads ------------------------------------------------------------------------------------ */

static void put_member(wzp_wr *wr, const char *before, const char *text) {
    wzp_wr_str(wr, before);
    wzp_json_write_string(wr, wzp_bytes_str(text == NULL ? "" : text));
}

/* False: room or relay are too long. */
static bool write_wzp_head(const wzp_pcap_writer *w, const wzp_pcap_writer_cfg *cfg) {
    char start[WZP_PCAP_WHEN_MAX];
    wzp_wr wr = begin(w);
    wzp_pcap_when_write(start, cfg->start_ns);
    wzp_wr_str(&wr, "WZP\x01");
    put_u32_le(&wr, 0);
    put_member(&wr, "{\"room\":", cfg->room);
    put_member(&wr, ",\"relay\":", cfg->relay);
    put_member(&wr, ",\"start_time\":", start);
    wzp_wr_str(&wr, ",\"version\":1}");
    if (wzp_wr_end(&wr) != WZP_OK) {
        return false;
    }
    wzp_wr len;
    wzp_wr_init(&len, w->buf + 4, 4);
    put_u32_le(&len, (uint32_t)wzp_wr_len(&wr) - 8);
    end(w, &wr);
    return true;
}

static void write_section(const wzp_pcap_writer *w, const char *comment) {
    wzp_wr wr = begin(w);
    wzp_pcapng_put_section(&wr, order,
                           &(wzp_pcapng_section){.program = "wzp-pcap", .comment = comment});
    end(w, &wr);
}

static bool write_head(const wzp_pcap_writer *w, const wzp_pcap_writer_cfg *cfg) {
    if (w->form == WZP_PCAP_FORM_WZP) {
        return write_wzp_head(w, cfg);
    }
    write_section(w, cfg->comment);
    return true;
}

wzp_err wzp_pcap_writer_new(wzp_pcap_writer **out, const wzp_pcap_writer_cfg *cfg) {
    if (cfg->form != WZP_PCAP_FORM_PCAPNG && cfg->form != WZP_PCAP_FORM_WZP) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    wzp_pcap_writer *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return WZP_ERR_NOMEM;
    }
    w->form = cfg->form;
    w->sink = cfg->sink;
    w->sink_ctx = cfg->sink_ctx;
    w->start_ns = cfg->start_ns;
    w->buf = malloc(CAP);
    w->interfaces = calloc(WZP_PCAP_INTERFACES_MAX, sizeof(interface));
    if (w->buf == NULL || w->interfaces == NULL) {
        wzp_pcap_writer_free(&w);
        return WZP_ERR_NOMEM;
    }
    if (!write_head(w, cfg)) {
        wzp_pcap_writer_free(&w);
        return WZP_ERR_INVALID_ARGUMENT;
    }
    *out = w;
    return WZP_OK;
}

void wzp_pcap_writer_free(wzp_pcap_writer **writer) {
    if (*writer != NULL) {
        free((*writer)->interfaces);
        free((*writer)->buf);
        free(*writer);
        *writer = NULL;
    }
}

/* --- secrets ---------------------------------------------------------------------------------- */

/* As much as one block takes, up to the end of a line if there is one. */
static size_t piece_of(wzp_bytes text) {
    if (text.len <= SECRETS_MAX) {
        return text.len;
    }
    size_t len = SECRETS_MAX;
    while (len > 0 && text.data[len - 1] != '\n') {
        len--;
    }
    return len == 0 ? SECRETS_MAX : len;
}

typedef void put_lines(wzp_wr *wr, wzp_pcapng_order order, wzp_bytes lines);

static wzp_err write_lines(const wzp_pcap_writer *w, put_lines *put, wzp_bytes text) {
    if (w->form != WZP_PCAP_FORM_PCAPNG) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    while (text.len > 0) {
        const size_t len = piece_of(text);
        wzp_wr wr = begin(w);
        put(&wr, order, wzp_bytes_of(text.data, len));
        end(w, &wr);
        text = wzp_bytes_of(text.data + len, text.len - len);
    }
    return WZP_OK;
}

wzp_err wzp_pcap_writer_secrets(wzp_pcap_writer *w, wzp_bytes keylog) {
    return write_lines(w, wzp_pcapng_put_secrets, keylog);
}

wzp_err wzp_pcap_writer_media_keys(wzp_pcap_writer *w, wzp_bytes lines) {
    return write_lines(w, wzp_pcapng_put_media_keys, lines);
}

/* --- packets ---------------------------------------------------------------------------------- */

static bool is_interface(const interface *face, uint32_t link_type, wzp_bytes name) {
    return face->link_type == link_type && wzp_bytes_equal(wzp_bytes_str(face->name), name);
}

static void add_interface(wzp_pcap_writer *w, uint32_t link_type, wzp_bytes name) {
    interface *face = &w->interfaces[w->interface_count++];
    face->link_type = link_type;
    memcpy(face->name, name.data, name.len);
    face->name[name.len] = '\0';
    wzp_wr wr = begin(w);
    wzp_pcapng_put_interface(&wr, order,
                             &(wzp_pcapng_interface){.link_type = (uint16_t)link_type,
                                                     .name = name.len != 0 ? face->name : NULL,
                                                     .digits = 9});
    end(w, &wr);
}

/* Makes `recent` the number of the interface. */
static wzp_err find_interface(wzp_pcap_writer *w, uint32_t link_type, const char *text) {
    const wzp_bytes name =
        wzp_pcapng_cut(wzp_bytes_str(text == NULL ? "" : text), WZP_PCAP_NAME_MAX - 1);
    if (w->interface_count > 0 && is_interface(&w->interfaces[w->recent], link_type, name)) {
        return WZP_OK;
    }
    uint32_t at = 0;
    while (at < w->interface_count && !is_interface(&w->interfaces[at], link_type, name)) {
        at++;
    }
    if (at == WZP_PCAP_INTERFACES_MAX) {
        return WZP_ERR_LIMIT;
    }
    if (at == w->interface_count) {
        add_interface(w, link_type, name);
    }
    w->recent = at;
    return WZP_OK;
}

static uint32_t flags_of(wzp_pcap_way way) {
    return way == WZP_PCAP_IN ? WZP_PCAPNG_INBOUND : way == WZP_PCAP_OUT ? WZP_PCAPNG_OUTBOUND : 0;
}

static wzp_err write_record(const wzp_pcap_writer *w, const wzp_pcap_packet *packet) {
    if (packet->link_type != WZP_PCAP_LINK_MEDIA || packet->data.len > RECORD_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const uint64_t since = packet->time_ns > w->start_ns ? packet->time_ns - w->start_ns : 0;
    wzp_wr wr = begin(w);
    put_u64_le(&wr, since / 1000);
    put_u32_le(&wr, (uint32_t)packet->data.len);
    wzp_wr_bytes(&wr, packet->data);
    end(w, &wr);
    return WZP_OK;
}

wzp_err wzp_pcap_writer_packet(wzp_pcap_writer *w, const char *name,
                               const wzp_pcap_packet *packet) {
    if (w->form == WZP_PCAP_FORM_WZP) {
        return write_record(w, packet);
    }
    if (packet->data.len > WZP_PCAP_PACKET_MAX || packet->link_type > UINT16_MAX) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_err err = find_interface(w, packet->link_type, name);
    if (err != WZP_OK) {
        return err;
    }
    wzp_wr wr = begin(w);
    wzp_pcapng_put_packet(&wr, order,
                          &(wzp_pcapng_packet){.interface = w->recent,
                                               .time = packet->time_ns,
                                               .original_len = packet->original_len,
                                               .data = packet->data,
                                               .flags = flags_of(packet->way),
                                               .comment = packet->comment});
    end(w, &wr);
    return WZP_OK;
}

wzp_err wzp_pcap_writer_udp(wzp_pcap_writer *w, const wzp_pcap_datagram *datagram) {
    uint8_t head[WZP_INET_HEAD_MAX];
    const size_t len =
        wzp_inet_udp_head(head, datagram->src, datagram->dst, datagram->ecn, datagram->payload);
    if (len == 0 || w->form != WZP_PCAP_FORM_PCAPNG) {
        return WZP_ERR_INVALID_ARGUMENT;
    }
    const wzp_err err = find_interface(w, WZP_LINKTYPE_RAW, NULL);
    if (err != WZP_OK) {
        return err;
    }
    wzp_wr wr = begin(w);
    wzp_pcapng_put_packet(&wr, order,
                          &(wzp_pcapng_packet){.interface = w->recent,
                                               .time = datagram->time_ns,
                                               .head = wzp_bytes_of(head, len),
                                               .data = datagram->payload,
                                               .flags = flags_of(datagram->way)});
    end(w, &wr);
    return WZP_OK;
}
