/* Datagrams: shapes by connection, and where that does not fit by what the bytes look like. */
#include "tools/pcap/decode/core.h"
#include "wire/federation.h"
#include "wire/trunk.h"

/* --- saying ----------------------------------------------------------------------------------- */

static void say_media(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                      wzp_pcap_media *media) {
    uint8_t hdr[WZP_MEDIA_HDR_LEN];
    const wzp_pcap_role role = state->conn.role;
    if (role == WZP_PCAP_ROLE_DIRECT) {
        media->seal = WZP_PCAP_SEAL_NONE;
        media->plain = media->packet.payload;
    } else {
        const bool is_mini = media->shape == WZP_PCAP_MINI;
        wzp_pcap_sealed sealed = {.hdr = media->bytes.data,
                                  .payload = media->packet.payload,
                                  .to_server = message->to_server};
        sealed.report_follows = !is_mini && (media->packet.hdr.flags & WZP_MEDIA_QUALITY) != 0;
        if (is_mini) {
            wzp_wr wr;
            wzp_wr_init(&wr, hdr, sizeof hdr);
            wzp_media_hdr_write(&wr, &media->packet.hdr);
            sealed.hdr = hdr;
        }
        wzp_pcap_keys_open(&core->keys, &state->conn, &state->keys, &sealed, media, core->plain);
    }
    core->counters.media++;
    core->counters.opened += media->seal == WZP_PCAP_SEAL_OPENED;
    core->counters.failed += media->seal == WZP_PCAP_SEAL_FAILED;
    core->counters.no_key += media->seal == WZP_PCAP_SEAL_NO_KEY;
    core->counters.nonces_again += media->nonce_again;
    message->kind = WZP_PCAP_MESSAGE_MEDIA;
    message->media = media;
    wzp_pcap_core_say(core, message);
    message->media = NULL;
}

static void say_bad(wzp_pcap_core *core, wzp_pcap_message *message, wzp_bytes data,
                    const wzp_fail *fail) {
    core->counters.datagrams_bad++;
    message->kind = WZP_PCAP_MESSAGE_DATAGRAM;
    message->data = data;
    message->fail = *fail;
    wzp_pcap_core_say(core, message);
    message->data = (wzp_bytes){0};
    message->fail = (wzp_fail){0};
}

/* --- shapes ----------------------------------------------------------------------------------- */

static bool take_plain(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                       wzp_bytes data, wzp_fail *fail) {
    wzp_pcap_media media = {.shape = WZP_PCAP_PLAIN, .bytes = data};
    if (wzp_media_packet_parse(&media.packet, data, fail) != WZP_OK) {
        return false;
    }
    /* Connections that should carry none: it looks like one. */
    media.guessed = state->conn.role != WZP_PCAP_ROLE_ROOM &&
                    state->conn.role != WZP_PCAP_ROLE_DIRECT &&
                    state->conn.role != WZP_PCAP_ROLE_FILE;
    say_media(core, state, message, &media);
    return true;
}

static bool take_federation(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                            wzp_bytes data, wzp_fail *fail) {
    wzp_federation_datagram datagram;
    if (wzp_federation_parse(&datagram, data, fail) != WZP_OK) {
        return false;
    }
    wzp_pcap_media media = {.shape = WZP_PCAP_FEDERATION,
                            .guessed = state->conn.role != WZP_PCAP_ROLE_FEDERATION,
                            .packet = datagram.packet,
                            .bytes = datagram.packet_bytes};
    memcpy(media.room_hash, datagram.room_hash, sizeof media.room_hash);
    say_media(core, state, message, &media);
    return true;
}

static void take_entry(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                       const wzp_trunk_entry *entry, uint16_t index) {
    wzp_fail fail = {0};
    wzp_pcap_media media = {
        .shape = WZP_PCAP_TRUNK, .guessed = true, .bytes = entry->payload, .entry = index};
    memcpy(media.session_id, entry->session_id, sizeof media.session_id);
    if (wzp_media_packet_parse(&media.packet, entry->payload, &fail) == WZP_OK) {
        say_media(core, state, message, &media);
    } else {
        say_bad(core, message, entry->payload, &fail);
    }
}

/* Taken only if the entries fill it exactly and the first one looks like a media packet: a FULL
 * frame may begin with the same bytes. */
static bool take_trunk(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                       wzp_bytes data) {
    wzp_rd rd;
    uint16_t count;
    wzp_trunk_entry entry = {0};
    if (wzp_trunk_parse(&rd, data, &count) != WZP_OK || count == 0) {
        return false;
    }
    wzp_rd ahead = rd;
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_next(&ahead, &entry);
        if (i == 0 && (entry.payload.len < WZP_MEDIA_HDR_LEN ||
                       entry.payload.data[0] != WZP_PROTOCOL_VERSION)) {
            return false;
        }
    }
    if (wzp_rd_left(&ahead) != 0) {
        return false;
    }
    for (uint16_t i = 0; i < count; i++) {
        wzp_trunk_next(&rd, &entry);
        take_entry(core, state, message, &entry, i);
    }
    return true;
}

static bool take_compact(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                         wzp_bytes data) {
    wzp_pcap_media media = {.guessed = true, .bytes = data};
    wzp_compact *context = &state->compact[message->to_server];
    if (wzp_compact_decode(context, data, &media.packet, NULL) != WZP_OK) {
        return false;
    }
    media.shape = data.data[0] == WZP_COMPACT_FULL ? WZP_PCAP_FULL : WZP_PCAP_MINI;
    if (media.shape == WZP_PCAP_FULL) {
        media.bytes = wzp_bytes_of(data.data + 1, data.len - 1);
    }
    say_media(core, state, message, &media);
    return true;
}

void wzp_pcap_core_datagram(wzp_pcap_core *core, wzp_pcap_state *state, wzp_pcap_message *message,
                            wzp_bytes data) {
    wzp_fail fail = {0};
    if (state->conn.role == WZP_PCAP_ROLE_FEDERATION) {
        if (!take_federation(core, state, message, data, &fail)) {
            say_bad(core, message, data, &fail);
        }
        return;
    }
    if (take_plain(core, state, message, data, &fail) || take_trunk(core, state, message, data) ||
        take_compact(core, state, message, data)) {
        return;
    }
    wzp_fail ignored = {0};
    if (state->conn.role != WZP_PCAP_ROLE_UNKNOWN ||
        !take_federation(core, state, message, data, &ignored)) {
        say_bad(core, message, data, &fail);
    }
}
