/* Clients whose audio is broken on purpose: what they send, as faults_client.h has the rest.  One
 * client at a time. */
#ifndef WZP_CONFORMANCE_MUTANTS_FAULTS_AUDIO_H
#define WZP_CONFORMANCE_MUTANTS_FAULTS_AUDIO_H

/* name, what is wrong with the client, the cases that must notice */
#define WZP_AUDIO_FAULT_MAP(X)                                                                     \
    X(VIDEO_ID, "video-codec-id", "gives each 40th packet of sound a codec of video", "AUD-001")   \
    X(NO_ID, "no-codec-id", "gives each 40th packet of sound an unassigned codec", "AUD-001")      \
    X(UNEVEN_CLOCK, "uneven-clock", "is one millisecond off in each 40th timestamp", "AUD-001")    \
    X(SAMPLES, "clock-of-samples", "counts samples in its timestamps", "AUD-001")                  \
    X(SKIPS, "skips-numbers", "leaves out each 40th number", "AUD-002")                            \
    X(REPEATS, "repeats-numbers", "uses each 40th number twice", "AUD-002")                        \
    X(CLOCK_BACK, "clock-back", "goes back by a second in each 80th packet", "AUD-003")            \
    X(CLOCK_BY_CODEC, "clock-by-codec", "begins a new clock with each codec", "AUD-003")           \
    X(OPUS_RATIO, "opus-ratio", "announces repair packets for Opus", "AUD-005")                    \
    X(OPUS_BLOCK, "opus-block", "counts blocks of Opus", "AUD-005")                                \
    X(OPUS_REPAIR, "opus-repair", "sends each tenth packet of Opus as a repair packet", "AUD-005")

typedef enum wzp_audio_fault {
    WZP_AUDIO_FAULT_NONE,
#define X(id, name, text, caught_by) WZP_AUDIO_FAULT_##id,
    WZP_AUDIO_FAULT_MAP(X)
#undef X
        WZP_AUDIO_FAULT_COUNT
} wzp_audio_fault;

/* The fault of every client in this process from now on. */
void wzp_audio_fault_set(wzp_audio_fault which);

#endif
