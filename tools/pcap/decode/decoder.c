#include "tools/pcap/decode/decoder.h"

#include <stdlib.h>

#include "tools/pcap/decode/core.h"

struct wzp_pcap_decoder {
    wzp_pcap_link *link;
    wzp_pcap_quic *quic;
    uint32_t unknown_said; /* the link type that was complained about last; 0: none */
    wzp_pcap_core core;
};

wzp_err wzp_pcap_decoder_new(wzp_pcap_decoder **out, const wzp_pcap_decoder_cfg *cfg) {
    wzp_pcap_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL) {
        return WZP_ERR_NOMEM;
    }
    const wzp_pcap_quic_cfg quic = {.sink = wzp_pcap_core_event,
                                    .sink_ctx = &decoder->core,
                                    .frames = cfg->frames,
                                    .any_port = cfg->any_port,
                                    .at_once = !cfg->waits_for_secrets};
    wzp_err err = wzp_pcap_core_init(&decoder->core, cfg);
    if (err == WZP_OK) {
        err = wzp_pcap_link_new(&decoder->link);
    }
    if (err == WZP_OK) {
        err = wzp_pcap_quic_new(&decoder->quic, &quic);
    }
    if (err != WZP_OK) {
        wzp_pcap_decoder_free(&decoder);
        return err;
    }
    *out = decoder;
    return WZP_OK;
}

void wzp_pcap_decoder_free(wzp_pcap_decoder **decoder) {
    wzp_pcap_decoder *d = *decoder;
    if (d != NULL) {
        wzp_pcap_quic_free(&d->quic);
        wzp_pcap_link_free(&d->link);
        wzp_pcap_core_clear(&d->core);
        free(d);
        *decoder = NULL;
    }
}

wzp_err wzp_pcap_decoder_secrets(wzp_pcap_decoder *decoder, wzp_bytes text) {
    return wzp_pcap_quic_secrets(decoder->quic, text);
}

wzp_err wzp_pcap_decoder_media_keys(wzp_pcap_decoder *decoder, wzp_bytes text, size_t *line) {
    return wzp_pcap_keys_take(&decoder->core.keys, text, line);
}

/* --- items ------------------------------------------------------------------------------------ */

static void say_problem(wzp_pcap_decoder *decoder, const wzp_pcap_packet *packet, const char *text,
                        const wzp_fail *fail) {
    wzp_pcap_message message = {.kind = WZP_PCAP_MESSAGE_PROBLEM,
                                .packet_number = packet->number,
                                .time_ns = packet->time_ns,
                                .packet = packet,
                                .fail = *fail,
                                .text = text};
    wzp_pcap_core_say(&decoder->core, &message);
}

static void say_file_problem(wzp_pcap_decoder *decoder, const wzp_pcap_problem *problem) {
    wzp_pcap_message message = {
        .kind = WZP_PCAP_MESSAGE_PROBLEM, .packet_number = problem->packet, .text = problem->text};
    message.fail.offset = (size_t)problem->offset;
    message.fail.got = problem->got;
    wzp_pcap_core_say(&decoder->core, &message);
}

static void say_header(wzp_pcap_decoder *decoder, wzp_bytes json) {
    wzp_pcap_message message = {
        .kind = WZP_PCAP_MESSAGE_TEXT, .conn = &decoder->core.file.conn, .data = json};
    wzp_pcap_core_say(&decoder->core, &message);
}

/* Once for each run of packets of that type. */
static void say_unknown(wzp_pcap_decoder *decoder, const wzp_pcap_packet *packet) {
    const wzp_fail fail = {.field = "link type", .got = packet->link_type};
    if (decoder->unknown_said != packet->link_type) {
        decoder->unknown_said = packet->link_type;
        say_problem(decoder, packet, "packets of a link type that is not read are skipped", &fail);
    }
}

static void take_packet(wzp_pcap_decoder *decoder, const wzp_pcap_packet *packet) {
    wzp_pcap_udp udp;
    wzp_fail fail = {0};
    decoder->core.packet = packet;
    if (packet->link_type == WZP_PCAP_LINK_MEDIA) {
        wzp_pcap_core_record(&decoder->core, packet);
        decoder->core.packet = NULL;
        return;
    }
    switch (wzp_pcap_link_take(decoder->link, packet, &udp, &fail)) {
    case WZP_PCAP_LINK_UDP:
        wzp_pcap_quic_take(decoder->quic, &udp, packet->number, packet->time_ns);
        break;
    case WZP_PCAP_LINK_MALFORMED:
        say_problem(decoder, packet, "headers of a packet are malformed", &fail);
        break;
    case WZP_PCAP_LINK_UNKNOWN:
        say_unknown(decoder, packet);
        break;
    case WZP_PCAP_LINK_OTHER:
    case WZP_PCAP_LINK_PIECE:
        break;
    }
    decoder->core.packet = NULL;
}

static wzp_err take_secrets(wzp_pcap_decoder *decoder, const wzp_pcap_item *item) {
    size_t line = 0;
    if (!item->media_keys) {
        return wzp_pcap_quic_secrets(decoder->quic, item->text);
    }
    const wzp_err err = wzp_pcap_keys_take(&decoder->core.keys, item->text, &line);
    if (err != WZP_OK && err != WZP_ERR_NOMEM) {
        const wzp_pcap_problem problem = {
            .text = "media keys in the file: a line is not as it should be, the rest is ignored",
            .got = line};
        say_file_problem(decoder, &problem);
        return WZP_OK;
    }
    return err;
}

wzp_err wzp_pcap_decoder_take(wzp_pcap_decoder *decoder, const wzp_pcap_item *item) {
    wzp_err err = WZP_OK;
    switch (item->kind) {
    case WZP_PCAP_ITEM_PACKET:
        take_packet(decoder, &item->packet);
        break;
    case WZP_PCAP_ITEM_SECRETS:
        err = take_secrets(decoder, item);
        break;
    case WZP_PCAP_ITEM_HEADER:
        say_header(decoder, item->text);
        break;
    case WZP_PCAP_ITEM_PROBLEM:
        say_file_problem(decoder, &item->problem);
        break;
    }
    return decoder->core.nomem ? WZP_ERR_NOMEM : err;
}

void wzp_pcap_decoder_end(wzp_pcap_decoder *decoder) {
    wzp_pcap_quic_end(decoder->quic);
    wzp_pcap_core_end(&decoder->core);
}

const wzp_pcap_decoder_counters *wzp_pcap_decoder_count(const wzp_pcap_decoder *decoder) {
    return &decoder->core.counters;
}

const wzp_pcap_quic_counters *wzp_pcap_decoder_quic(const wzp_pcap_decoder *decoder) {
    return wzp_pcap_quic_count(decoder->quic);
}

const wzp_pcap_link_counters *wzp_pcap_decoder_link(const wzp_pcap_decoder *decoder) {
    return wzp_pcap_link_count(decoder->link);
}
