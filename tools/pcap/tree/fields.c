#include "tools/pcap/tree/fields.h"

static const wzp_pcap_field_info fields[WZP_PCAP_FIELD_COUNT] = {
#define X(id, name, type, what) {name, what, WZP_PCAP_TYPE_##type},
    WZP_PCAP_FIELD_MAP(X)
#undef X
};

const wzp_pcap_field_info *wzp_pcap_field_info_of(unsigned id) {
    return &fields[id];
}

int wzp_pcap_field_by_name(wzp_bytes name) {
    for (int i = 0; i < WZP_PCAP_FIELD_COUNT; i++) {
        if (wzp_bytes_equal(name, wzp_bytes_str(fields[i].name))) {
            return i;
        }
    }
    return -1;
}

const char *wzp_pcap_field_value_name(unsigned id, uint64_t value) {
    if (value > UINT8_MAX) {
        return NULL;
    }
    if (id == WZP_PCAP_FIELD_CODEC) {
        const wzp_codec_info *codec = wzp_codec_find((uint8_t)value);
        return codec != NULL ? codec->name : NULL;
    }
    return id == WZP_PCAP_FIELD_MEDIA_TYPE ? wzp_media_type_name((uint8_t)value) : NULL;
}

int64_t wzp_pcap_field_value_by_name(unsigned id, wzp_bytes name) {
    for (unsigned i = 0; i <= UINT8_MAX; i++) {
        const char *known = wzp_pcap_field_value_name(id, i);
        if (known != NULL && wzp_bytes_equal(name, wzp_bytes_str(known))) {
            return i;
        }
    }
    return -1;
}

#define NAME_OF(names, index) ((size_t)(index) < WZP_COUNT_OF(names) ? (names)[index] : "?")

const char *wzp_pcap_shape_name(wzp_pcap_shape shape) {
    static const char *const names[] = {"plain", "full", "mini", "trunk", "federation"};
    return NAME_OF(names, shape);
}

const char *wzp_pcap_seal_name(wzp_pcap_media_seal seal) {
    static const char *const names[] = {"unknown", "opened", "failed", "none"};
    return NAME_OF(names, seal);
}

const char *wzp_pcap_quic_type_name(wzp_pcap_quic_type type) {
    static const char *const names[] = {"Initial", "0-RTT", "Handshake",
                                        "Retry",   "1-RTT", "Version Negotiation"};
    return NAME_OF(names, type);
}

const char *wzp_pcap_quic_seal_name(wzp_pcap_quic_seal seal) {
    static const char *const names[] = {"opened", "no secret", "no hello", "bad tag", "cut"};
    return NAME_OF(names, seal);
}

static const char *quic_event_name(wzp_pcap_quic_kind kind) {
    static const char *const names[] = {"opened", "hello",    "accepted", "params", "packet",
                                        "frame",  "datagram", "stream",   "path",   "keys",
                                        "closed", "joined",   "problem"};
    return NAME_OF(names, kind);
}

const char *wzp_pcap_event_name(const wzp_pcap_message *message) {
    static const char *const names[] = {"media", "signal",    "bad datagram", "text",
                                        "quic",  "forgotten", "problem"};
    return message->kind == WZP_PCAP_MESSAGE_QUIC && message->event != NULL
               ? quic_event_name(message->event->kind)
               : NAME_OF(names, message->kind);
}
