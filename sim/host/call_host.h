/* Somebody in a call: a client core on a simulated host that dials a relay, joins a room, says
 * frames that can be told apart (speech.h) and keeps account of what it hears of everybody else.
 *
 * Codecs do not run, everything else does: QUIC, encryption, handshake, RaptorQ, jitter buffer. Its
 * frames are filler, or come from a file that a codec made. */
#ifndef WZP_SIM_HOST_CALL_HOST_H
#define WZP_SIM_HOST_CALL_HOST_H

#include "client/client.h"
#include "sim/host/ear.h"
#include "sim/host/host.h"
#include "sim/host/signal_faults.h"

typedef struct wzp_sim_call_host wzp_sim_call_host;

#define WZP_SIM_CALL_SENDERS_MAX WZP_TRACKS_MAX

typedef enum wzp_sim_call_event_kind {
    WZP_SIM_CALL_DIALLED,
    WZP_SIM_CALL_JOINED, /* the relay's answer is genuine */
    WZP_SIM_CALL_ROOM,   /* .count members */
    WZP_SIM_CALL_HEARD,  /* the first frame of .sender was played */
    WZP_SIM_CALL_SIGNAL, /* a fault hit a signal; .text: "CallAnswer dropped" */
    WZP_SIM_CALL_PATH,   /* packets come from another address: .path, .text: "direct", "relay" */
    WZP_SIM_CALL_LOST,   /* the client noticed that nothing comes any more */
    WZP_SIM_CALL_BACK,   /* after LOST: something came */
    WZP_SIM_CALL_HANGUP, /* .text: why */
    WZP_SIM_CALL_CLOSED  /* .text; the end, unless it dials again */
} wzp_sim_call_event_kind;

const char *wzp_sim_call_event_name(wzp_sim_call_event_kind kind); /* "joined", ...; static */

typedef struct wzp_sim_call_event {
    wzp_sim_call_event_kind kind;
    wzp_time at; /* on the network's clock */
    uint32_t count, sender;
    wzp_quic_path path;
    const char *text; /* borrowed for the call; "" where it does not apply */
} wzp_sim_call_event;

typedef struct wzp_sim_call_cfg {
    const char *name; /* borrowed for its life; names its random stream and its identity */
    uint32_t id;      /* the sender in its frames; unique in the simulation */
    wzp_addr relay;
    const char *room;  /* NULL: "default"; copied */
    const char *alias; /* NULL: the name */
    uint8_t codec;     /* an Opus codec id; to begin with, if it adapts */
    bool adapts;       /* as in client/client.h; not with payloads */
    bool codec2;       /* adapts down to Codec2; `id` is at most WZP_SIM_SPEECH_SHORT_ID then */
    uint16_t port;     /* local; 0: any */
    bool listen_only;
    uint32_t talk_ms, silence_ms; /* its pattern, multiples of 40; silence 0: it never pauses */
    uint16_t frame_bytes;         /* 0: what the codec's nominal rate gives */
    bool no_dred; /* its frames hold no sound but their own; payloads from a file never do */
    /* What it says, one after the other, instead of filler; of the codec's frame length.  NULL:
     * filler.  Borrowed for its life. */
    const wzp_sim_payloads *payloads;
    wzp_time dial_at;   /* network time; in the past: at once */
    wzp_time hangup_at; /* 0 or WZP_TIME_NEVER: it stays */
    /* After an end that it did not want: dial again so long after it; 0: never.  Its frames and its
     * ears go on where they were. */
    uint64_t redial_after;
    const wzp_sim_signal_fault *faults; /* at most WZP_SIM_SIGNAL_FAULTS_MAX; borrowed */
    size_t fault_count;
    void (*event)(void *ctx, const wzp_sim_call_event *event); /* may be NULL */
    void *ctx;
    /* As in client/client.h; may be NULL. */
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
} wzp_sim_call_cfg;

/* `host` is borrowed for its life.  INVALID_ARGUMENT (codec, pattern, frame_bytes, payloads,
 * fault_count), NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_call_host_new(wzp_sim_call_host **out, wzp_sim_host *host,
                                           const wzp_sim_call_cfg *cfg);

/* Not while the simulation runs. */
void wzp_sim_call_host_free(wzp_sim_call_host **call);

/* --- as the sound of a handset (phone_host.h), with dial_at WZP_TIME_NEVER -------------------- */

/* Makes a client that waits, on the handset's endpoint; NULL: out of memory.  Lent until leave. */
wzp_client *wzp_sim_call_host_join(wzp_sim_call_host *call, wzp_endpoint *endpoint,
                                   const wzp_addr *relay, const char *room);
/* Takes its events: after the handset was served. */
void wzp_sim_call_host_serve(wzp_sim_call_host *call, wzp_time local);
/* Media take this path now. */
void wzp_sim_call_host_take(wzp_sim_call_host *call, bool direct, const wzp_addr *remote);
/* The call is over: `text` says why. */
void wzp_sim_call_host_leave(wzp_sim_call_host *call, const char *text);

/* Its identity; 32 bytes, borrowed. */
const uint8_t *wzp_sim_call_host_seed(const wzp_sim_call_host *call);

/* From now on its frames are far larger than its codec makes. */
void wzp_sim_call_host_abuse(wzp_sim_call_host *call);

/* Now, from outside: says good-bye. */
void wzp_sim_call_host_hangup(wzp_sim_call_host *call);

/* Times are the network's; WZP_TIME_NEVER: it has not happened. */
typedef struct wzp_sim_call_report {
    const char *name; /* borrowed from the cfg */
    uint32_t id, dials;
    wzp_time dialled_at, joined_at, heard_at; /* of the first dial; heard: any frame of anybody */
    wzp_time ended_at;                        /* of the last dial */
    wzp_time lost_at;                         /* when the client said so last */
    uint64_t setup;                           /* ns from dialled to heard; 0: never heard */
    uint64_t frames_sent, send_failed;
    uint32_t members; /* of the room, as told last */
    bool in_call;
    wzp_quic_path path;          /* of the last packet that came; family NONE before */
    uint32_t path_changes;       /* of the remote address, after the first */
    uint64_t rtt;                /* QUIC's smoothed estimate, ns */
    uint64_t packets_lost;       /* that QUIC declared lost, of this client's */
    uint32_t signals_hit;        /* by faults */
    uint64_t frames_foreign;     /* played, yet not of ours: must be 0 */
    char hangup[96], closed[96]; /* "" : none */
    size_t senders;
    wzp_sim_heard heard[WZP_SIM_CALL_SENDERS_MAX]; /* in order of appearance */
} wzp_sim_call_report;

/* Judges as of `now` (network time), or as of the end of the call if that was earlier. */
void wzp_sim_call_host_report(const wzp_sim_call_host *call, wzp_time now,
                              wzp_sim_call_report *out);

/* What is heard of one sender; NULL: nothing.  Borrowed. */
wzp_sim_ear *wzp_sim_call_host_ear(const wzp_sim_call_host *call, uint32_t sender);

#endif
