/* Clients whose audio is broken on purpose: what they send, as faults_client.h has the rest.  One
 * client at a time. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_AUDIO_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_AUDIO_H

#include <stdbool.h>

#include "base/bytes.h"

/* name, what is wrong with the client, the cases that must notice */
#define WZP_AUDIO_FAULT_MAP(X)                                                                     \
    X(VIDEO_ID, "video-codec-id", "gives each 40th packet of sound a codec of video", "AUD-001")   \
    X(NO_ID, "no-codec-id", "gives each 40th packet of sound an unassigned codec", "AUD-001")      \
    X(UNEVEN_CLOCK, "uneven-clock", "is one millisecond off in each 40th timestamp", "AUD-001")    \
    X(SAMPLES, "clock-of-samples", "counts samples in its timestamps", "AUD-001")                  \
    X(SKIPS, "skips-numbers", "leaves out each 40th number", "AUD-002")                            \
    X(REPEATS, "repeats-numbers", "uses each 40th number twice", "AUD-002")                        \
    X(TWO_ROWS, "two-rows-of-numbers", "numbers repair packets by themselves", "AUD-002b")         \
    X(CLOCK_BACK, "clock-back", "goes back by a second in each 80th packet", "AUD-003")            \
    X(CLOCK_BY_CODEC, "clock-by-codec", "begins a new clock with each codec", "AUD-003")           \
    X(TWO_FRAMES, "two-frames", "puts the 20 ms of a packet of Opus into it twice", "AUD-004")     \
    X(STEREO, "stereo", "says that its Opus is stereo", "AUD-004")                                 \
    X(NO_OPUS, "no-frames", "sends each 40th packet of Opus without a frame", "AUD-004")           \
    X(TOO_LONG, "too-long", "fills up its Opus to 528 bytes", "AUD-004")                           \
    X(CODEC2_CUT, "codec2-cut", "cuts the last byte off Codec2", "AUD-004b AUD-004c")              \
    X(OPUS_RATIO, "opus-ratio", "announces repair packets for Opus", "AUD-005")                    \
    X(OPUS_BLOCK, "opus-block", "counts blocks of Opus", "AUD-005")                                \
    X(OPUS_REPAIR, "opus-repair", "sends each tenth packet of Opus as a repair packet", "AUD-005") \
    X(REPORTS_OFTEN, "reports-often", "reports with each 25th frame", "QR-002")                    \
    X(REPORTS_RARELY, "reports-rarely", "reports with each 100th frame", "QR-002")                 \
    X(NO_REPORTS, "no-reports", "never reports", "QR-002")                                         \
    X(SHORT_REPORT, "short-report", "leaves out the fourth byte of reports", "QR-003")             \
    X(ONE_BLOCK, "one-block", "does not count its blocks", "FEC-001 FEC-001b")                     \
    X(SMALL_BLOCKS, "small-blocks", "sends a repair packet less", "FEC-001 FEC-001b")              \
    X(OTHER_ORDER, "index-first", "has index and block in the other order", "FEC-001 FEC-001b")    \
    X(RATIO, "other-ratio", "announces another ratio", "FEC-001 FEC-001b")                         \
    X(XOR, "xor", "sends the XOR of its frames as repair packets", "FEC-002 FEC-002b")             \
    X(NO_PREFIX, "no-prefix", "forgets the length of the frames in its symbols",                   \
      "FEC-002 FEC-002b")                                                                          \
    X(UNMARKED, "unmarked", "does not mark repair packets", "FEC-003")                             \
    X(OTHER_CODEC, "other-codec", "gives repair packets another codec", "FEC-003")                 \
    X(FAT, "fat", "fills its Opus up to twice its size", "AUD-006")                                \
    X(LONG_NOISE, "long-noise", "sends four bytes of comfort noise", "AUD-007")                    \
    X(OFTEN_NOISE, "frequent-noise", "sends comfort noise for each fifth frame", "AUD-007")        \
    X(NO_DRED, "no-dred", "leaves out DRED once it has sent a report", "DRED-001")                 \
    X(DRED_VERSION, "dred-version", "says version 11 of its DRED", "DRED-001")                     \
    X(STRICT_PROFILE, "strict-profile", "wants all fields of a profile, and no other", "QUAL-011")

typedef enum wzp_audio_fault {
    WZP_AUDIO_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_AUDIO_FAULT_##id,
    WZP_AUDIO_FAULT_MAP(X)
#undef X
        WZP_AUDIO_FAULT_COUNT
} wzp_audio_fault;

/* For faults_client.c: the client cannot read this signal. */
bool wzp_audio_fault_refuses(wzp_bytes json);

/* The fault of every client in this process from now on. */
void wzp_audio_fault_set(wzp_audio_fault which);

#endif
