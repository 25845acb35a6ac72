/* Shared by the files of the client core; nobody else includes it. */
#ifndef WZP_CLIENT_INTERNAL_H
#define WZP_CLIENT_INTERNAL_H

#include "adapt/feedback.h"
#include "adapt/remb.h"
#include "client/admission.h"
#include "client/client.h"
#include "client/listener.h"
#include "client/pace.h"
#include "client/reception.h"
#include "client/repeats.h"
#include "crypto/handshake.h"
#include "media/silence.h"

typedef enum client_state {
    CLIENT_SILENT, /* there is no way for sound yet */
    CLIENT_ACTIVE, /* sound is asked for: this goes on even while a path is missing */
    CLIENT_OVER    /* nothing is sent any more */
} client_state;

typedef enum client_relay {
    CLIENT_RELAY_NONE,
    CLIENT_RELAY_CONNECTING,
    CLIENT_RELAY_OFFERED,
    CLIENT_RELAY_ANSWERED, /* the answer verified, the room not yet seen */
    CLIENT_RELAY_JOINED,
    CLIENT_RELAY_HUNG_UP, /* by the relay: nothing is sent to it any more */
    CLIENT_RELAY_DOWN
} client_relay;

typedef enum client_path { CLIENT_NO_PATH, CLIENT_BY_RELAY, CLIENT_DIRECT } client_path;

/* What every packet needs comes first. */
struct wzp_client {
    client_state state;
    client_relay relay_is;
    client_path path;                                      /* that was taken */
    bool tell_joined, tell_room, tell_hangup, tell_closed; /* what was not told yet */
    bool tell_lost, tell_back, lost;
    bool capture_asked;
    uint8_t codec; /* of the frame that is asked for, or was last */
    uint16_t frame_ms;
    uint32_t seq, ts, members;
    uint64_t sent, unsent, codec_changes, malformed, unreadable;
    wzp_listener_refused refused; /* but for what the listeners count */
    wzp_listener_counts heard;
    wzp_time capture_at, received_at;
    wzp_time leave_at;    /* after a hangup, if the relay does not close; else WZP_TIME_NEVER */
    wzp_quic_conn parted; /* a relay's: it was dropped, and is listened to until part_at */
    wzp_time part_at;
    wzp_time relay_heard_at; /* media; 0: never */
    uint64_t packets_received;
    wzp_quic_stats way;                 /* of the connection that is sent by, at the last frame */
    wzp_quic *quic;                     /* the endpoint's */
    wzp_quic_conn relay, direct, sends; /* the last is that of the two that is sent by; 0: none */
    wzp_audio_enc *enc;
    wzp_repair_out *repair;
    wzp_silence silence;
    wzp_client_cfg cfg;
    wzp_cipher cipher;
    wzp_pace pace;
    wzp_listener listeners[WZP_TRACKS_MAX]; /* of the tracks with the same index */
    wzp_tracks tracks;
    wzp_reception reception;
    wzp_repeats repeats;
    wzp_feedback feedback; /* about one sender */
    uint32_t feedback_track;
    wzp_time feedback_at, others_at; /* when that one was heard last, and anybody else */
    wzp_remb remb;
    uint64_t media_bytes; /* since remb was told last */
    wzp_time remb_at, began_at;

    wzp_endpoint *endpoint;
    bool is_owner; /* of the endpoint */
    wzp_endpoint_user user;
    wzp_identity identity;
    wzp_admission admission, next_admission; /* of this relay, and as it begins with another */
    wzp_ephemeral ephemeral;
    bool was_hung_up; /* the relay that is there, or was last: `hangup` says why */
    char room[WZP_QUIC_SNI_MAX + 1], alias[128], hangup[192], closed[192];
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
};

/* --- links.c: connections, and which of them is sent by --------------------------------------- */

/* Makes what the next relay is to be told. */
void wzp_client_prepare(wzp_client *c);
/* Gets the endpoint, and dials unless it waits. */
WZP_MUST_USE wzp_err wzp_client_open(wzp_client *c, wzp_time now);
/* The relay is ready for media. */
void wzp_client_joined(wzp_client *c, wzp_time now);
/* The relay wants no more of them. */
void wzp_client_hung_up(wzp_client *c, wzp_time now);
/* Media go by the relay. */
bool wzp_client_uses_relay(const wzp_client *c);
/* CLOSED: there is nothing that it could be sent by. */
WZP_MUST_USE wzp_err wzp_client_send_media(wzp_client *c, wzp_bytes datagram);
void wzp_client_links_tick(wzp_client *c, wzp_time now);
wzp_time wzp_client_links_deadline(const wzp_client *c);

/* --- signals.c: the handshake, and what is said beside media ---------------------------------- */

void wzp_client_send_json(wzp_client *c, wzp_bytes json);
void wzp_client_send_signal(wzp_client *c, const wzp_signal *signal, wzp_time now);
/* The connection stands, or something of it was acknowledged: begins when it may. */
void wzp_client_admit(wzp_client *c, const wzp_quic_event *ev, wzp_time now);
void wzp_client_send_rekey(wzp_client *c, wzp_time now);
bool wzp_client_may_pass(const wzp_client *c, bool out, wzp_bytes json, wzp_time now);
void wzp_client_on_signal(wzp_client *c, wzp_bytes json, wzp_time now);

/* --- media.c: packets of sound ---------------------------------------------------------------- */

void wzp_client_tell_feedback(wzp_client *c, wzp_time now);
wzp_time wzp_client_feedback_deadline(const wzp_client *c);
/* `cipher`: what it is sealed with; NULL: in clear, whatever the relay's path is. */
void wzp_client_on_media(wzp_client *c, wzp_bytes datagram, wzp_cipher *cipher, wzp_time now);

#endif
