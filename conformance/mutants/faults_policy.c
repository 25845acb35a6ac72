/* Faults of what --enforce on does beyond the meters: accounts, conduct, bans. */
#include <string.h>

#include "conformance/engine/case.h"
#include "conformance/mutants/faults.h"
#include "conformance/mutants/wrap.h"
#include "meter/conduct.h"
#include "relay/internal.h"

static wzp_fault fault(void) {
    return wzp_fault_now();
}

enum { TRACKS = 4096, ROOMS = 64, NAMES = 512, SCORES = 256 };

/* What a hasty judge remembers of a sender. */
typedef struct track {
    const wzp_conduct *conduct;
    unsigned packets, keyframes, others, doubts;
    wzp_time first_at;
} track;
static track tracks[TRACKS];
static size_t track_count;

/* The deployed scorer of a session. */
typedef struct scored {
    uint64_t number;
    wzp_video_scorer scorer;
} scored;
static scored scores[SCORES];

/* The rooms in which somebody was hung up on lately. */
static char rooms[ROOMS][WZP_QUIC_SNI_MAX + 1];
static unsigned room_count;

/* How often a name came. */
typedef struct known {
    char name[WZP_AUTH_IDENTITY_MAX + 1];
    unsigned joins;
} known;
static known names[NAMES];
static size_t name_count;

void wzp_fault_policy_reset(void) {
    track_count = 0;
    memset(scores, 0, sizeof scores);
    memset(rooms, 0, sizeof rooms);
    memset(names, 0, sizeof names);
}

/* --- accounts --------------------------------------------------------------------------------- */

WRAP(wzp_quota_verdict, wzp_quota_charge, wzp_quota_account *account,
     const wzp_quota_limits *limits, bool is_video, size_t bytes, wzp_time now) {
    wzp_quota_limits changed = *limits;
    if (fault() == WZP_FAULT_E_OFF) {
        return WZP_QUOTA_FINE;
    }
    if (fault() == WZP_FAULT_E_ANONYMOUS && limits->senders == 1) {
        changed.month_bytes = WZP_CT_QUOTA;
    }
    const bool is_tight = fault() == WZP_FAULT_E_TIGHT;
    const bool as_audio = is_tight || fault() == WZP_FAULT_E_AUDIO;
    return __real_wzp_quota_charge(account, &changed, is_video && !as_audio,
                                   is_tight ? 3 * bytes : bytes, now);
}

/* --- conduct ---------------------------------------------------------------------------------- */

static track *track_of(const wzp_conduct *conduct) {
    for (size_t i = 0; i < track_count; i++) {
        if (tracks[i].conduct == conduct) {
            return &tracks[i];
        }
    }
    track *place = &tracks[track_count < TRACKS ? track_count++ : 0];
    *place = (track){.conduct = conduct};
    return place;
}

WRAP(void, wzp_conduct_init, wzp_conduct *conduct, wzp_time now) {
    *track_of(conduct) = (track){.conduct = conduct};
    __real_wzp_conduct_init(conduct, now);
}

static bool doubted_for(track *t, bool doubt, unsigned seconds) {
    t->doubts += doubt ? 1 : 0;
    return t->doubts >= seconds;
}

/* Too few keyframes or too many, at once. */
static bool is_odd_video(const track *t) {
    return (t->keyframes == 0 && t->others >= 100) || (t->others == 0 && t->keyframes >= 25);
}

static void note_packet(track *t, const wzp_media_hdr *hdr, wzp_time now) {
    const bool is_video = hdr->media_type == WZP_MEDIA_VIDEO;
    const bool is_key = (hdr->flags & WZP_MEDIA_KEYFRAME) != 0;
    t->first_at = t->packets++ == 0 ? now : t->first_at;
    t->keyframes += is_video && is_key ? 1 : 0;
    t->others += is_video && !is_key ? 1 : 0;
}

WRAP(wzp_conduct_news, wzp_conduct_observe, wzp_conduct *conduct, const wzp_media_hdr *hdr,
     size_t payload_len, const uint32_t *estimate_kbps, wzp_time now) {
    const bool is_video = hdr->media_type == WZP_MEDIA_VIDEO;
    wzp_media_hdr changed = *hdr;
    if (is_video && fault() == WZP_FAULT_F_VIDEO_AS_AUDIO) {
        changed.media_type = WZP_MEDIA_AUDIO;
    }
    wzp_conduct_news news =
        __real_wzp_conduct_observe(conduct, &changed, payload_len, estimate_kbps, now);
    track *t = track_of(conduct);
    note_packet(t, hdr, now);
    const bool is_suspect = news.judged && news.after == WZP_SCORE_SUSPECT;
    switch (fault()) {
    case WZP_FAULT_F_OFF:
        news.is_abuse = false;
        break;
    case WZP_FAULT_F_HASTY:
        news.is_abuse = doubted_for(t, is_suspect && !is_video, 20);
        break;
    case WZP_FAULT_F_VIDEO_AS_AUDIO:
        news.is_abuse = doubted_for(t, is_suspect && is_video, 20);
        break;
    case WZP_FAULT_F_INSTANT:
        news.is_abuse = news.judged && news.score < 0.35F && t->packets > 600;
        break;
    case WZP_FAULT_F_EARLY:
        news.is_abuse = t->packets >= 10 && t->packets < 20 && now - t->first_at < 150 * WZP_MS;
        break;
    case WZP_FAULT_F_UNCOUNTED:
        news.judged = false;
        break;
    case WZP_FAULT_V_HASTY:
        news.is_abuse = is_video && is_odd_video(t);
        break;
    case WZP_FAULT_V_STRICT:
        news.is_abuse = doubted_for(t, is_video && news.judged && news.score < 0.9F, 15);
        break;
    default:
        break;
    }
    return news;
}

WRAP(bool, wzp_relay_is_in_doubt, const session *s) {
    return fault() != WZP_FAULT_V_REPLAYS && __real_wzp_relay_is_in_doubt(s);
}

/* The deployed scorer of video, which counts packets for frames and drops what it dislikes. */
bool wzp_fault_drops_video(const session *s, wzp_bytes datagram) {
    wzp_media_packet packet;
    scored *one = &scores[s->number % WZP_COUNT_OF(scores)];
    if (fault() != WZP_FAULT_V_DEPLOYED || s->state != SESSION_ROOM ||
        wzp_media_packet_parse(&packet, datagram, NULL) != WZP_OK ||
        packet.hdr.media_type != WZP_MEDIA_VIDEO) {
        return false;
    }
    if (one->number != s->number) {
        one->number = s->number;
        wzp_video_scorer_init(&one->scorer);
    }
    wzp_video_scorer_observe(&one->scorer, &packet.hdr, packet.payload.len, NULL, s->relay->now);
    return wzp_video_scorer_verdict(&one->scorer) == WZP_SCORE_ABUSIVE;
}

/* --- who may come again ----------------------------------------------------------------------- */

void wzp_fault_note_offence(const session *s) {
    memcpy(rooms[room_count++ % ROOMS], s->sni, sizeof rooms[0]);
}

static bool saw_offence(const char *name) {
    for (size_t i = 0; i < ROOMS; i++) {
        if (strcmp(rooms[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void wzp_fault_blame_offer(session *s, wzp_bytes json) {
    wzp_signal *signal = NULL;
    if (fault() == WZP_FAULT_BARS_FORGED && wzp_signal_parse(&signal, json, NULL, NULL) == WZP_OK &&
        signal->kind == WZP_SIGNAL_CALL_OFFER) {
        const wzp_signal_CallOffer *offer = &signal->u.CallOffer;
        const wzp_bytes signature = wzp_bytes_of(offer->signature.items, offer->signature.count);
        if (wzp_handshake_verify(signature, offer->identity_pub.bytes, WZP_ROLE_OFFER,
                                 offer->ephemeral_pub.bytes) != WZP_OK) {
            wzp_fingerprint_text(s->fingerprint, offer->identity_pub.bytes);
            wzp_relay_offend(s, WZP_VIOLATION_BITRATE);
        }
    }
    wzp_signal_free(&signal);
}

static unsigned count_joins(const char *name) {
    for (size_t i = 0; i < NAMES; i++) {
        if (strcmp(names[i].name, name) == 0) {
            return ++names[i].joins;
        }
    }
    known *one = &names[name_count++ % NAMES];
    *one = (known){.joins = 1};
    memcpy(one->name, name, strlen(name) + 1);
    return 1;
}

WRAP(bool, wzp_relay_turn_away, session *s) {
    const wzp_bans *bans = s->relay->bans;
    const wzp_ban *ban = bans != NULL ? wzp_bans_find(bans, s->fingerprint, s->relay->now) : NULL;
    if (fault() == WZP_FAULT_NO_BANS ||
        (fault() == WZP_FAULT_NO_BLOCKS && ban != NULL && ban->is_block)) {
        return false;
    }
    if ((fault() == WZP_FAULT_BARS_ALL && saw_offence(s->sni)) ||
        (fault() == WZP_FAULT_FEW_RETURNS && count_joins(s->fingerprint) > 10)) {
        wzp_relay_end(s, "policy violation");
        return true;
    }
    return __real_wzp_relay_turn_away(s);
}
