/* The client core: one audio call in a room, as a user hears it.
 *
 * Sans-IO like the relay: datagrams and time in, packets and events out.  The caller supplies sound
 * when CAPTURE asks for it and takes what PLAY gives.  Payloads travel in clear inside QUIC, which
 * is the form that works between deployed clients (crypto sheet 0.3), unless cipher.h is told
 * otherwise.  One thread, bounded memory:
 * at most WZP_TRACKS_MAX senders are told apart.
 *
 * The connection to the relay is its own, or one of an endpoint that is shared with others (nat
 * sheet 1.3).  There it can be a part of a direct call: it then waits for what it is told about
 * the relay, and may send by a direct connection instead.
 *
 * In coded mode no codec runs: the caller pushes frames that are coded already and gets them back
 * as they are played.  Everything else is the same call; simulators need it to be fast. */
#ifndef WZP_CLIENT_CLIENT_H
#define WZP_CLIENT_CLIENT_H

#include "adapt/policy.h"
#include "adapt/tier.h"
#include "call/endpoint.h"
#include "client/cipher.h"
#include "client/listener.h"
#include "media/audio.h"
#include "media/jbuf.h"
#include "media/tracks.h"
#include "quic/core.h"
#include "wire/signal.h"

typedef struct wzp_client wzp_client;

typedef struct wzp_client_cfg {
    wzp_rng rng;
    wzp_log log;
    uint8_t seed[32];   /* identity; the client wipes its copy */
    const char *room;   /* SNI; NULL or "": "default" */
    const char *alias;  /* NULL: none */
    const char *token;  /* see admission.h; NULL: none */
    const uint8_t *pin; /* SHA-256 of the relay's certificate; NULL: any will do */
    uint8_t codec;      /* an audio codec; to begin with, if the client adapts */
    bool adapts;        /* follows its path, the relay and its peers; else the codec is fixed */
    wzp_adapt_policy policy;
    wzp_network network; /* to begin with; of a cellular one more is borne, but not for as long */
    bool listen_only;    /* never asks for sound */
    bool coded;          /* coded mode; any audio codec will do */
    bool coded_codec2;   /* in coded mode: adapts down to Codec2, not only to Opus at 6 kbit/s */
    /* Silence is not sent, but a packet of comfort noise for every ten frames of it (media sheet
     * 2.5), as upstream's CLI does and its desktop client does not.  Not in coded mode: there the
     * caller says what is silent. */
    bool suppress_silence;
    /* TransportFeedback, twenty times a second while one other sender is heard (REFERENCE only; it
     * names no sender, so among several nobody could use it).  Off by default: no deployed peer
     * reads it and relays pass none on, it costs more than a voice does, and relays older than it
     * end a session for a signal that they cannot read. */
    bool feedback;
    uint64_t wall_us; /* for it: the clock when the call starts, us since 1970 */
    wzp_media_crypto media_crypto;
    wzp_quic_path path; /* remote: the relay */
    /* Shared with others, and outlives the client; should be made with WZP_CLIENT_LIFETIME.  NULL:
     * one of its own, for which the rest is. */
    wzp_endpoint *endpoint;
    bool waits; /* needs `endpoint`: nobody is dialled until wzp_client_dial_relay */
    bool deterministic;
    void (*keylog)(void *ctx, wzp_quic_conn conn, const char *line);
    void *keylog_ctx;
    void (*qlog)(void *ctx, wzp_quic_conn conn, wzp_bytes data, bool fin);
    void *qlog_ctx;
    /* Keys of sealed media, from which epoch on they are used: `epoch` counts the rekeys of the
     * connection.  `key` is borrowed for the call.  May be NULL. */
    void (*media_key)(void *ctx, wzp_quic_conn conn, uint32_t epoch,
                      const uint8_t key[WZP_KEY_LEN]);
    void *media_key_ctx;
    /* Sees every audio packet that comes in, before the jitter buffer does; may be NULL.  `packet`
     * is borrowed for the call. */
    void (*arrival)(void *ctx, const wzp_media_packet *packet, wzp_time now);
    void *arrival_ctx;
    /* Sees every signal before it leaves (`out`) or is read; false keeps it back, and a copy of
     * `json` may then be given to wzp_client_signal.  For simulators; may be NULL. */
    bool (*signal)(void *ctx, bool out, wzp_bytes json, wzp_time now);
    void *signal_ctx;
} wzp_client_cfg;

/* A frame that could not leave for so long would not be played any more: datagram_lifetime of its
 * endpoint. */
#define WZP_CLIENT_LIFETIME (200 * WZP_MS)

/* Starts to connect, unless it waits.  WZP_ERR_INVALID_ARGUMENT (codec, room, token, waits without
 * an endpoint), LIMIT, NOMEM, CRYPTO_LIB. */
WZP_MUST_USE wzp_err wzp_client_new(wzp_client **out, const wzp_client_cfg *cfg, wzp_time now);
/* Sends nothing: hang up first to be polite.  Accepts NULL, leaves NULL. */
void wzp_client_free(wzp_client **client);

/* Its shared endpoint is about to be freed: nothing is sent any more, and nothing is closed. */
void wzp_client_detach(wzp_client *client);

/* With a shared endpoint, whose core is its owner's matter, recv and next_packet do nothing, and
 * tick is for after the endpoint's. */
wzp_core wzp_client_core(wzp_client *client);

/* Longer than any keep-alive of ours takes to be answered, its repetition included. */
#define WZP_CLIENT_PATIENCE (4 * WZP_S)

typedef enum wzp_client_event_kind {
    WZP_CLIENT_JOINED,  /* the relay answered and its answer is genuine */
    WZP_CLIENT_ROOM,    /* .count members now */
    WZP_CLIENT_CAPTURE, /* push .samples of sound now; in coded mode, one frame of as many */
    WZP_CLIENT_PLAY,   /* .pcm[.samples] of sender .track belong at .at_sample of its recording.  In
                          coded mode .slot says what fills .samples of time, pauses included, and
                          .payload is the frame's */
    WZP_CLIENT_LOST,   /* nothing came by the path that is taken for WZP_CLIENT_PATIENCE: tell the
                          user.  The   call goes on, and ends only if this lasts for QUIC's idle
                          timeout
                        */
    WZP_CLIENT_BACK,   /* after LOST: something came */
    WZP_CLIENT_HANGUP, /* .text says why; nothing is sent to the relay any more; CLOSED follows */
    WZP_CLIENT_CLOSED  /* the end; .text.  Not told by a client that waits */
} wzp_client_event_kind;

typedef struct wzp_client_event {
    wzp_client_event_kind kind;
    uint32_t count, track;
    size_t samples;
    uint8_t codec;      /* CAPTURE: of the frame that is asked for */
    uint64_t at_ms;     /* since the call began to play this sender, rounded down */
    uint64_t at_sample; /* the same in samples */
    const int16_t *pcm; /* 48 kHz mono; borrowed until the next call */
    wzp_jbuf_kind slot;
    wzp_bytes payload; /* empty unless .slot is WZP_JBUF_FRAME; borrowed until the next call */
    const char *text;  /* borrowed until the next call; printable */
} wzp_client_event;

bool wzp_client_next_event(wzp_client *client, wzp_time now, wzp_client_event *out);

/* One frame, as CAPTURE asked.  INVALID_ARGUMENT: another number of samples; CLOSED. */
WZP_MUST_USE wzp_err wzp_client_push(wzp_client *client, const int16_t *pcm, size_t samples,
                                     wzp_time now);

/* Coded mode: one coded frame, as CAPTURE asked; copied.  Empty: nothing was said for the length of
 * a frame, nothing is sent and the media clock goes on.  INVALID_ARGUMENT: longer than
 * WZP_OPUS_PACKET_MAX, or not in coded mode; CLOSED. */
WZP_MUST_USE wzp_err wzp_client_push_coded(wzp_client *client, wzp_bytes frame, wzp_time now);

/* Sends a signal, or reads it as one that came; the hook above does not see it.  Nothing after the
 * end.  `json` is borrowed for the call. */
void wzp_client_signal(wzp_client *client, bool out, wzp_bytes json, wzp_time now);

/* The endpoint is on another kind of network now. */
void wzp_client_network(wzp_client *client, wzp_network network, wzp_time now);

/* Says good-bye and closes with "hangup".  A client that waits ends at once; if it sends by a
 * direct connection, that is not its own to close. */
void wzp_client_hangup(wzp_client *client, wzp_time now);

/* --- paths of a direct call (nat sheet 1.16 to 1.19): for clients that wait only -------------- */

/* Begins to join the room at this relay.  INVALID_ARGUMENT: there is one already, the client does
 * not wait, or `relay` is no address; LIMIT, NOMEM, CRYPTO_LIB.  One that has hung up is left. */
WZP_MUST_USE wzp_err wzp_client_dial_relay(wzp_client *client, const wzp_addr *relay, wzp_time now);

/* Closes its connection, or dial, with code 0 and WZP_CLIENT_NOT_SELECTED; no event about it
 * follows.  If media have just come by it and a direct path is taken, they are heard for half a
 * second more: the other side turns later than we do.  At once when it is called again. */
#define WZP_CLIENT_NOT_SELECTED "not-selected"
void wzp_client_drop_relay(wzp_client *client, wzp_time now);

typedef enum wzp_client_relay {
    WZP_CLIENT_RELAY_NONE,
    WZP_CLIENT_RELAY_DIALLING,
    WZP_CLIENT_RELAY_UP,  /* its answer is genuine: media could flow */
    WZP_CLIENT_RELAY_DOWN /* it ended, and was not dropped */
} wzp_client_relay;

/* *why says how it ended, otherwise it is ""; borrowed until the relay is dialled again.  May be
 * NULL. */
wzp_client_relay wzp_client_relay_state(const wzp_client *client, const char **why);

/* From now on what is sent leaves by this connection of the endpoint, in clear (nat sheet 1.17),
 * and sound is asked for.  The connection and its events are the caller's; media clock, sequence
 * numbers and codec go on as they are. */
void wzp_client_take_direct(wzp_client *client, wzp_quic_conn conn, wzp_time now);

/* The same by the relay, once it is up and the room was seen: until then by the direct connection
 * that was taken before, if it still is there. */
void wzp_client_take_relay(wzp_client *client, wzp_time now);

/* A datagram came by a direct connection, whichever; borrowed for the call.  Both paths are
 * listened to, whatever is sent by. */
void wzp_client_direct_media(wzp_client *client, wzp_bytes datagram, wzp_time now);

/* --- what is known ---------------------------------------------------------------------------- */

/* `rtt_ms` to `expired` are of the connection that is sent by; when it is over, what they were
 * last. */
typedef struct wzp_client_stats {
    uint64_t sent, received, lost, concealed, late;
    uint64_t played;    /* frames of others, each from its own packet or from repair packets */
    uint64_t recovered; /* frames that were lost and came back in other packets; not concealed */
    uint32_t tracks;
    double jitter_ms, rtt_ms; /* jitter: the worst of the senders */
    uint64_t rtt;             /* ns; 0: not known */
    uint64_t packets_lost;    /* of ours, as QUIC's loss recovery sees it */
    uint64_t expired;         /* frames of ours that the network did not take in time */
    uint64_t unsent;          /* packets of ours while there was no connection for them */
    uint8_t codec;            /* that is sent now */
    uint64_t codec_changes;
    uint64_t buffered;            /* frames that wait to be played now */
    uint64_t underruns;           /* frames that were not there in time, recovered ones included */
    uint64_t overruns;            /* frames for which there was no room */
    wzp_cipher_stats cipher;      /* zero in clear */
    uint64_t malformed;           /* datagrams that are no media packet of this version */
    uint64_t unreadable;          /* signals */
    uint64_t crowded;             /* packets of more senders than are told apart */
    wzp_listener_refused refused; /* packets of the others, by reason */
} wzp_client_stats;
void wzp_client_count(const wzp_client *client, wzp_client_stats *out);

#endif
