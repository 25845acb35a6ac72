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
    CLIENT_CONNECTING,
    CLIENT_OFFERED,
    CLIENT_ANSWERED, /* the answer verified, the room not yet seen */
    CLIENT_ACTIVE,
    CLIENT_HUNG_UP, /* by the relay: nothing is sent any more */
    CLIENT_CLOSED
} client_state;

/* What every packet needs comes first. */
struct wzp_client {
    client_state state;
    bool tell_joined, tell_room, tell_hangup, tell_closed; /* what was not told yet */
    bool tell_lost, tell_back, lost;
    bool capture_asked;
    uint8_t codec; /* of the frame that is asked for, or was last */
    uint16_t frame_ms;
    uint32_t seq, ts, members;
    uint64_t sent, codec_changes, malformed;
    wzp_listener_refused refused; /* but for what the listeners count */
    wzp_listener_counts heard;
    wzp_time capture_at, received_at;
    wzp_time leave_at; /* after a hangup, if the relay does not close; else WZP_TIME_NEVER */
    uint64_t packets_received;
    wzp_quic *quic;
    wzp_quic_conn conn;
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

    wzp_identity identity;
    wzp_admission admission;
    wzp_ephemeral ephemeral;
    char room[WZP_QUIC_SNI_MAX + 1], alias[128], hangup[192], closed[192];
    int16_t pcm[WZP_AUDIO_FRAME_MAX];
};

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
void wzp_client_on_media(wzp_client *c, wzp_bytes datagram, wzp_time now);

#endif
