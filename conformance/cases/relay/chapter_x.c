/* Hardening (conformance sheet 24.16, 15, 20): what a relay must survive.  Rows and
 * X-16 are about clients; from X-20 on the cases are ours, one for each way around the tiers that a
 * tester can see.  What deployed relays leave open is SHOULD: there it is a warning. */
#include "conformance/cases/macros.h"
#include "conformance/cases/relay/plays.h"

/* --- X-13 ------------------------------------------------------------------------------------- */

enum { STREAMS = 256, PACKETS = 179, PAYLOAD = 1116 }; /* 199 764 bytes each */

static void endless_keyframes(wzp_ct_pattern *p, const wzp_ct_case *c) {
    (void)c;
    for (uint32_t i = 0; i < STREAMS * PACKETS; i++) {
        wzp_ct_packet *packet = wzp_ct_add(p, i * WZP_MS, WZP_MEDIA_VIDEO, WZP_CODEC_H264_BASELINE,
                                           WZP_MEDIA_KEYFRAME, PAYLOAD);
        if (packet == NULL) {
            return;
        }
        packet->hdr.stream_id = (uint8_t)(i / PACKETS);
        packet->hdr.timestamp_ms = i;
    }
    p->end = (wzp_time)STREAMS * PACKETS * WZP_MS;
}

/* --- X-20 to X-22 ----------------------------------------------------------------------------- */

#define TUNNEL(type, c, r, p, s)                                                                   \
    .stream = {.media_type = (type),                                                               \
               .codec = (c),                                                                       \
               .rate = (r),                                                                        \
               .payload = (p),                                                                     \
               .duration_ms = (s)*1000,                                                            \
               .ts = WZP_CT_TS_FLOOR}
#define SEND(id_, title, what, deadline, ...)                                                      \
    {                                                                                              \
        .info = {INFO(id_, "X", title, "CONF-A-1", HANG_UP, what, "conformance 15"),               \
                 .level = WZP_CT_SHOULD, .abuse = true},                                           \
        .criteria = {SHOULD_HANG_UP(ANY_CODE, deadline)}, __VA_ARGS__                              \
    }

#define X(id, level_, title, must, what, source_, script, n, ...)                                  \
    {                                                                                              \
        .kind = WZP_CT_PLAY,                                                                       \
        .info = {INFO(id, "X", title, "CONF-X-1", must, what, source_), .level = (level_)},        \
        .criteria = {.rule = WZP_CT_RULE_RESP}, .acts = (script), .act_count = (n),                \
        .state_size = WZP_CT_HARD_STATE, __VA_ARGS__                                               \
    }
#define HEARD .on_datagram = wzp_ct_hard_datagram
#define SHEET "conformance 24.16"

static const wzp_ct_case cases[] = {
    X("X-09", WZP_CT_INFO, "packets that are repeated", "anything but a close",
      "each of 100 packets of speech twice", SHEET, wzp_ct_acts_x09, WZP_CT_X09_ACTS, HEARD),
    X("X-10", WZP_CT_SHOULD, "a room of 100", "forward every packet to every member that stays",
      "4 of 100 members send 10 000 packets while 20 others leave and join 500 times", SHEET,
      wzp_ct_acts_x10, WZP_CT_X10_ACTS, HEARD, .is_long = true, .alone = true, .heavy = true,
      .feature = "100 sessions"),
    X("X-11", WZP_CT_MUST, "trunk frames from a member", "ignore them",
      "50 times 65 535 entries in 3, 10 and 1000 bytes, and an entry of 65 535 bytes in 16", SHEET,
      wzp_ct_acts_x11, WZP_CT_X11_ACTS, HEARD, .config = WZP_CT_CONFIG_TRUNKING,
      .skip = WZP_CT_REASON_UNSUPPORTED, .feature = "trunking"),
    X("X-12", WZP_CT_MUST, "signals without end", "serve others as if there were none",
      "two clients begin 200 signals and end none for 60 s", SHEET, wzp_ct_acts_x12,
      WZP_CT_X12_ACTS, HEARD, .is_long = true),
    X("X-13", WZP_CT_SHOULD, "keyframes without end", "serve others as if there were none",
      "200 KB of a keyframe on each of 256 streams, none of them ended, then 20 joins", SHEET,
      wzp_ct_acts_x13, WZP_CT_X13_ACTS, HEARD, .video = true, .is_long = true, .heavy = true,
      .build = endless_keyframes),
    X("X-14", WZP_CT_MUST, "gone without a word", "say who left within 45 s",
      "a member stops in the middle of A-02, without a close", SHEET, wzp_ct_acts_x14,
      WZP_CT_X14_ACTS, HEARD, WALL(WZP_CODEC_OPUS_24K, 90, 97, 10)),
    X("X-15", WZP_CT_MUST, "one certificate", "show each connection the same one",
      "a room, _signal, and another connection later", SHEET, wzp_ct_acts_x15, WZP_CT_X15_ACTS,
      HEARD),
    SEND("X-20", "video declared as audio", "media type Audio, codec H264, 100 pkt/s x 1000, 6 s",
         3.0, TUNNEL(WZP_MEDIA_AUDIO, WZP_CODEC_H264_BASELINE, 100, 1000, 6)),
    SEND("X-21", "data as a tunnel", "media type Data, codec H264, 500 pkt/s x 1000, 12 s", 10.0,
         TUNNEL(WZP_MEDIA_DATA, WZP_CODEC_H264_BASELINE, 500, 1000, 12)),
    SEND("X-22", "control as a tunnel", "media type Control, codec Opus64k, 100 pkt/s x 1000, 6 s",
         3.0, TUNNEL(WZP_MEDIA_CONTROL, WZP_CODEC_OPUS_64K, 100, 1000, 6)),
    X("X-23", WZP_CT_SHOULD, "signals as a tunnel", "pass on less than a tenth of it",
      "100 signals of 60 kB within a call in 5 s", "conformance 15", wzp_ct_acts_x23,
      WZP_CT_X23_ACTS, HEARD),
    X("X-24", WZP_CT_SHOULD, "picture loss is the sender's affair",
      "tell only who sends that video", "a PLI in a room of three", "conformance 15",
      wzp_ct_acts_x24, WZP_CT_X24_ACTS, .on_datagram = wzp_ct_room_datagram),
    X("X-25", WZP_CT_SHOULD, "a stream that two send", "tell both of picture loss",
      "one films at 30, another at 100 pkt/s on the same stream id; 8 PLIs", "conformance 15",
      wzp_ct_acts_x25, WZP_CT_X25_ACTS, .on_datagram = wzp_ct_room_datagram),
    X("X-26", WZP_CT_SHOULD, "a name that was proven", "leave it to who proved it",
      "RegisterPresence with the key of another client and a forged signature", "crypto 10.5",
      wzp_ct_acts_x26, WZP_CT_X26_ACTS, HEARD),
    X("X-27", WZP_CT_MUST, "waiting in front of a call's room", "let in only the call's parties",
      "a stranger connects before the call is offered, and offers when it is set up", "relay 8.9",
      wzp_ct_acts_x27, WZP_CT_X27_ACTS, HEARD),
    X("X-28", WZP_CT_SHOULD, "names make no series", "forget who has left",
      "80 clients in 40 rooms and on _signal come and go", "conformance 20", wzp_ct_acts_x28,
      WZP_CT_X28_ACTS, HEARD, .config = WZP_CT_CONFIG_METRICS, .skip = WZP_CT_REASON_NO_METRICS,
      .alone = true),
    X("X-29", WZP_CT_SHOULD, "handshakes without end",
      "serve others, and close who says nothing for 20 s",
      "64 connections to a room and to _signal say nothing", "relay 13", wzp_ct_acts_x29,
      WZP_CT_X29_ACTS, HEARD),
};

const wzp_ct_chapter wzp_ct_chapter_x = {"X", "Hardening", cases, WZP_COUNT_OF(cases)};
