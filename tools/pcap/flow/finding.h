/* What is worth telling of a capture, in plain words, with the packet where it shows.  Bounded: of
 * one kind and stream the first WZP_PCAP_FINDINGS_EACH are told and the others counted. */
#ifndef WZP_PCAP_FLOW_FINDING_H
#define WZP_PCAP_FLOW_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WZP_PCAP_FINDINGS_MAX = 400, WZP_PCAP_FINDINGS_EACH = 5, WZP_PCAP_FINDING_TEXT = 240 };

/* name, as in JSON */
#define WZP_PCAP_FINDING_MAP(X)                                                                    \
    X(LOSS_BURST, "loss_burst")                                                                    \
    X(LOSS, "loss")                                                                                \
    X(RESET, "sequence_reset")                                                                     \
    X(STALL, "stall")                                                                              \
    X(PAUSE, "pause")                                                                              \
    X(LATE, "late")                                                                                \
    X(DUPLICATES, "duplicates")                                                                    \
    X(SEQUENCE_TWICE, "sequence_twice")                                                            \
    X(NONCE_AGAIN, "nonce_reuse")                                                                  \
    X(DRIFT, "clock_drift")                                                                        \
    X(CLOCK_UNIT, "clock_unit")                                                                    \
    X(FLAPPING, "codec_flapping")                                                                  \
    X(DIRECTIVE_IGNORED, "directive_ignored")                                                      \
    X(NO_KEYFRAME, "no_keyframe")                                                                  \
    X(FREEZE, "video_freeze")                                                                      \
    X(FRAMES_LOST, "frames_lost")                                                                  \
    X(FEC_LOST, "fec_lost")                                                                        \
    X(REPORT_DISAGREES, "report_disagrees")                                                        \
    X(RTT_JUMP, "rtt_jump")                                                                        \
    X(PATH_CHANGED, "address_change")                                                              \
    X(CLOSED, "closed")                                                                            \
    X(UNREADABLE, "unreadable")                                                                    \
    X(SEAL_FAILED, "media_key_fails")                                                              \
    X(VIOLATION, "violation")                                                                      \
    X(HANGUP, "hangup_enf1")                                                                       \
    X(BARRED, "barred_enf1")                                                                       \
    X(HANGUP_SEEN, "hangup_seen")                                                                  \
    X(MOS, "low_mos")                                                                              \
    X(BAD_DATAGRAM, "bad_datagram")                                                                \
    X(BAD_SIGNAL, "bad_signal")                                                                    \
    X(PROBLEM, "problem")                                                                          \
    X(LIMIT, "limit")

typedef enum wzp_pcap_finding_kind {
#define X(name, text) WZP_PCAP_FINDING_##name,
    WZP_PCAP_FINDING_MAP(X)
#undef X
        WZP_PCAP_FINDING_COUNT
} wzp_pcap_finding_kind;

typedef enum wzp_pcap_level {
    WZP_PCAP_LEVEL_NOTE,
    WZP_PCAP_LEVEL_WARNING,
    WZP_PCAP_LEVEL_BAD
} wzp_pcap_level;

typedef struct wzp_pcap_finding {
    uint64_t packet, ns;   /* 0: of no packet */
    uint64_t more;         /* of this kind and stream after this one, which are not told */
    uint32_t conn, stream; /* 0: of none */
    wzp_pcap_finding_kind kind;
    wzp_pcap_level level;
    char text[WZP_PCAP_FINDING_TEXT]; /* may hold bytes of the capture: escape it */
} wzp_pcap_finding;

typedef struct wzp_pcap_findings {
    size_t count;
    uint64_t dropped;
    wzp_pcap_finding list[WZP_PCAP_FINDINGS_MAX];
} wzp_pcap_findings;

/* "loss_burst"; static text. */
const char *wzp_pcap_finding_name(wzp_pcap_finding_kind kind);
const char *wzp_pcap_level_name(wzp_pcap_level level); /* "note", "warning", "bad" */

/* Of what the finding is: all but its text. */
typedef struct wzp_pcap_about {
    uint64_t packet, ns;
    uint32_t conn, stream;
} wzp_pcap_about;

void wzp_pcap_findings_add(wzp_pcap_findings *findings, wzp_pcap_finding_kind kind,
                           wzp_pcap_level level, const wzp_pcap_about *about, const char *format,
                           ...) __attribute__((format(printf, 5, 6)));

/* By packet; those of no packet last. */
void wzp_pcap_findings_sort(wzp_pcap_findings *findings);

#endif
