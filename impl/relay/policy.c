/* What --enforce on does beyond one connection's meters (conformance sheet 7, 10, 13): accounts of
 * fingerprints and addresses, conduct, and what follows for who broke a rule. */
#include <stdio.h>
#include <stdlib.h>

#include "meter/conduct.h"
#include "relay/internal.h"

/* What is known of one sender. */
struct judge {
    wzp_conduct conduct;
    wzp_quota_account *accounts[ACCOUNT_COUNT]; /* NULL: there was no place for one */
    uint64_t estimates;                         /* of its room, as it knows them */
    bool has_spent_month;                       /* which is no offence */
};

/* --- settings --------------------------------------------------------------------------------- */

static uint64_t or_default(uint64_t value, uint64_t by_default) {
    return value == WZP_POLICY_NONE ? 0 : value != 0 ? value : by_default;
}

static wzp_bans_cfg bans_cfg(const wzp_relay *r) {
    return (wzp_bans_cfg){.cooldown = or_default(r->cfg.policy.cooldown, WZP_POLICY_COOLDOWN),
                          .block = or_default(r->cfg.policy.block, WZP_POLICY_BLOCK)};
}

void wzp_relay_policy_change(wzp_relay *r, const wzp_relay_policy *policy) {
    r->cfg.policy = *policy;
    const wzp_bans_cfg cfg = bans_cfg(r);
    if (r->bans != NULL) {
        wzp_bans_configure(r->bans, &cfg);
    }
}

static uint64_t month_of(const session *s) {
    const wzp_relay_policy *p = &s->relay->cfg.policy;
    return s->is_named ? or_default(p->month_authenticated, WZP_POLICY_MONTH_AUTHENTICATED)
                       : or_default(p->month_anonymous, WZP_POLICY_MONTH_ANONYMOUS);
}

/* 0: addresses have no accounts. */
static uint32_t senders_per_ip(const wzp_relay *r) {
    const uint64_t n = or_default(r->cfg.policy.senders_per_ip, WZP_QUOTA_SENDERS_MAX);
    return n < WZP_QUOTA_SENDERS_MAX ? (uint32_t)n : WZP_QUOTA_SENDERS_MAX;
}

/* --- accounts --------------------------------------------------------------------------------- */

static uint64_t hash_name(const session *s) {
    return wzp_relay_account_id(s->relay, wzp_bytes_str(s->fingerprint));
}

/* IPv6 users have whole networks of addresses. */
static uint64_t hash_address(const session *s) {
    const wzp_addr *from = &s->path.remote;
    const size_t len = from->family == WZP_ADDR_V6 ? 8 : 4;
    return wzp_relay_account_id(s->relay, wzp_bytes_of(from->ip, len));
}

static void open_account(session *s, account_kind kind, uint64_t id) {
    wzp_quota *quota = wzp_relay_quota(s->relay, kind);
    if (quota != NULL) {
        s->judge->accounts[kind] = wzp_quota_open(quota, id, s->relay->now);
    }
}

static bool make_judge(session *s) {
    s->judge = calloc(1, sizeof *s->judge);
    if (s->judge == NULL) {
        return false;
    }
    wzp_conduct_init(&s->judge->conduct, s->relay->now);
    if (s->fingerprint[0] != '\0') {
        open_account(s, ACCOUNT_FINGERPRINT, hash_name(s));
    }
    if (senders_per_ip(s->relay) != 0) {
        open_account(s, ACCOUNT_ADDRESS, hash_address(s));
    }
    return true;
}

void wzp_relay_judge_free(session *s) {
    for (size_t i = 0; s->judge != NULL && i < ACCOUNT_COUNT; i++) {
        if (s->judge->accounts[i] != NULL) {
            wzp_quota_close(s->judge->accounts[i]);
        }
    }
    free(s->judge);
    s->judge = NULL;
}

/* Its video is called abusive now: what it said must not be said again to others. */
bool wzp_relay_is_in_doubt(const session *s) {
    return s->judge != NULL && s->judge->conduct.video_state.verdict == WZP_SCORE_ABUSIVE;
}

static bool exceeds(session *s, account_kind kind, const wzp_quota_limits *limits, bool is_video,
                    size_t bytes) {
    wzp_quota_account *a = s->judge->accounts[kind];
    const wzp_quota_verdict v =
        a != NULL ? wzp_quota_charge(a, limits, is_video, bytes, s->relay->now) : WZP_QUOTA_FINE;
    if (v == WZP_QUOTA_FINE) {
        return false;
    }
    s->relay->metrics.quota_exceeded[kind][v]++;
    s->judge->has_spent_month = v == WZP_QUOTA_MONTH_SPENT;
    return true;
}

/* Where scores have consequences, a suspect one's bucket refills at half speed. */
static bool is_suspect(const session *s, bool is_video) {
    const wzp_conduct *c = &s->judge->conduct;
    const wzp_score_verdict v = is_video ? c->video_state.verdict : c->audio_state.verdict;
    return s->relay->cfg.policy.entropy_closes && v >= WZP_SCORE_SUSPECT;
}

/* An address may send as much as so many anonymous senders; of those whom the service named only
 * the rate counts. */
static bool spends_too_much(session *s, const wzp_media_packet *packet) {
    const size_t bytes = WZP_MEDIA_HDR_LEN + packet->payload.len;
    const bool is_video = packet->hdr.media_type == WZP_MEDIA_VIDEO;
    const wzp_quota_limits own = {
        .senders = 1, .month_bytes = month_of(s), .is_tight = is_suspect(s, is_video)};
    wzp_quota_limits all = {.senders = senders_per_ip(s->relay)};
    all.month_bytes = s->is_named ? 0 : own.month_bytes * all.senders;
    return exceeds(s, ACCOUNT_FINGERPRINT, &own, is_video, bytes) ||
           (all.senders != 0 && exceeds(s, ACCOUNT_ADDRESS, &all, is_video, bytes));
}

/* --- conduct ---------------------------------------------------------------------------------- */

/* The least that any member can take, and the least of all others for that one itself.  Asked when
 * one has told something and there is video in the room. */
void wzp_relay_note_estimate(const session *s) {
    room *rm = s->room;
    if (rm->owners == NULL || s->relay->cfg.enforce != WZP_ENFORCE_ON) {
        return;
    }
    rm->least_kbps = rm->second_kbps = UINT32_MAX;
    rm->least = NULL;
    for (size_t i = 0; i < rm->count; i++) {
        const session *m = rm->members[i];
        const bool told = m->has_remb || m->has_report;
        if (told && m->layer.bwe_kbps < rm->least_kbps) {
            rm->second_kbps = rm->least_kbps;
            rm->least_kbps = m->layer.bwe_kbps;
            rm->least = m;
        } else if (told && m->layer.bwe_kbps < rm->second_kbps) {
            rm->second_kbps = m->layer.bwe_kbps;
        }
    }
    rm->estimates++;
}

/* Only the receivers' word counts, and each time they give it once. */
static const uint32_t *fresh_estimate(const session *s) {
    const room *rm = s->room;
    if (s->judge->estimates == rm->estimates) {
        return NULL;
    }
    s->judge->estimates = rm->estimates;
    const uint32_t *kbps = rm->least == s ? &rm->second_kbps : &rm->least_kbps;
    return *kbps != UINT32_MAX ? kbps : NULL;
}

static bool is_abusive(session *s, const wzp_media_packet *packet) {
    wzp_relay *r = s->relay;
    const uint8_t type = packet->hdr.media_type;
    const uint32_t *estimate = type == WZP_MEDIA_VIDEO ? fresh_estimate(s) : NULL;
    const wzp_conduct_news news = wzp_conduct_observe(&s->judge->conduct, &packet->hdr,
                                                      packet->payload.len, estimate, r->now);
    if (news.judged) {
        wzp_relay_observe_score(r, type, (double)news.score);
        r->metrics.verdicts[type][news.after] += news.before != news.after ? 1 : 0;
        r->metrics.suspects[type] +=
            news.before < WZP_SCORE_SUSPECT && news.after >= WZP_SCORE_SUSPECT ? 1 : 0;
        r->metrics.abuse_seconds += news.is_abuse ? 1 : 0;
    }
    return news.is_abuse && r->cfg.policy.entropy_closes;
}

wzp_violation wzp_relay_judge(session *s, const wzp_media_packet *packet) {
    if (s->judge == NULL && !make_judge(s)) {
        return WZP_VIOLATION_NONE;
    }
    if (spends_too_much(s, packet)) {
        return WZP_VIOLATION_RATE_CAP;
    }
    return is_abusive(s, packet) ? WZP_VIOLATION_ENTROPY : WZP_VIOLATION_NONE;
}

/* --- what follows ----------------------------------------------------------------------------- */

static wzp_bans *list_of(wzp_relay *r) {
    const wzp_bans_cfg cfg = bans_cfg(r);
    if (r->bans == NULL && wzp_bans_new(&r->bans, &cfg) != WZP_OK) {
        wzp_logf(&r->cfg.log, WZP_LOG_ERROR, "no memory: nobody is barred");
    }
    return r->bans;
}

/* For the lists of the other workers; what does not fit stays with this one. */
static void publish(wzp_relay *r, const wzp_ban *ban) {
    if (r->offences == NULL) {
        r->offences = calloc(WZP_LIMIT_OFFENCES, sizeof *r->offences);
    }
    if (r->offences != NULL && r->offences_len < WZP_LIMIT_OFFENCES) {
        r->offences[r->offences_len++] = *ban;
    }
    atomic_fetch_add(&r->cfg.shared->offences, 1);
}

bool wzp_relay_next_offence(wzp_relay *r, wzp_ban *out) {
    if (r->offences_len == 0) {
        return false;
    }
    *out = r->offences[--r->offences_len];
    return true;
}

static bool is_loopback(const wzp_addr *a) {
    static const uint8_t v6[16] = {[15] = 1};
    return a->family == WZP_ADDR_V4 ? a->ip[0] == 127 : memcmp(a->ip, v6, sizeof v6) == 0;
}

/* What it would be known by again, "": by nothing.  Guests without a fingerprint are known by a
 * number for their address, which says nothing of it to who reads the list. */
typedef struct ban_name {
    char text[WZP_AUTH_IDENTITY_MAX + 1];
} ban_name;

static ban_name known_as(const session *s) {
    ban_name name = {""};
    if (s->fingerprint[0] != '\0') {
        (void)snprintf(name.text, sizeof name.text, "%s", s->fingerprint);
    } else if (s->bridge != NULL && !is_loopback(&s->path.remote)) {
        (void)snprintf(name.text, sizeof name.text, "guest-%016llx",
                       (unsigned long long)hash_address(s));
    }
    return name;
}

void wzp_relay_offend(session *s, wzp_violation violation) {
    wzp_relay *r = s->relay;
    const bool is_offence = s->judge == NULL || !s->judge->has_spent_month;
    const ban_name name = known_as(s);
    wzp_bans *bans = is_offence && name.text[0] != '\0' ? list_of(r) : NULL;
    if (bans == NULL) {
        return;
    }
    const wzp_ban *ban = wzp_bans_offend(bans, name.text, hash_address(s), violation, r->now + 1);
    if (ban != NULL) {
        publish(r, ban);
        wzp_relay_event_push(r, s, ban->is_block ? "block" : "cool_down",
                             wzp_violation_find(violation)->code);
    }
}

/* Asked after the signature, so that nobody can be locked out by an offer that was forged. */
bool wzp_relay_turn_away(session *s) {
    wzp_relay *r = s->relay;
    char text[WZP_BAN_TEXT_MAX];
    const ban_name name = known_as(s);
    const wzp_ban *ban = r->bans != NULL && r->cfg.enforce == WZP_ENFORCE_ON
                             ? wzp_bans_find(r->bans, name.text, r->now)
                             : NULL;
    if (ban == NULL) {
        return false;
    }
    const wzp_signal hangup = {
        .kind = WZP_SIGNAL_HANGUP,
        .version = 1,
        .u.Hangup.reason = {.kind = WZP_HANGUP_POLICY_VIOLATION,
                            .code = (uint8_t)(ban->code - WZP_VIOLATION_BITRATE),
                            .reason = wzp_bytes_str(wzp_ban_text(ban, r->now, text))}};
    r->metrics.turned_away[ban->is_block ? 1 : 0]++;
    wzp_relay_event_push(r, s, "join_refused", text);
    wzp_relay_farewell(s, &hangup, "policy violation", WZP_TIMER_MISMATCH);
    return true;
}

/* --- the list, for whoever keeps and shows it ------------------------------------------------- */

const wzp_bans *wzp_relay_bans(const wzp_relay *r) {
    return r->bans;
}

bool wzp_relay_put_ban(wzp_relay *r, const wzp_ban *ban, wzp_time now) {
    return list_of(r) != NULL && wzp_bans_put(r->bans, ban, now);
}

bool wzp_relay_pardon(wzp_relay *r, const char *name) {
    return r->bans != NULL && wzp_bans_pardon(r->bans, name);
}

wzp_err wzp_relay_bans_load(wzp_relay *r, wzp_bytes snapshot, wzp_time now, uint64_t unix_s,
                            wzp_fail *fail) {
    return list_of(r) != NULL ? wzp_bans_load(r->bans, snapshot, now, unix_s, fail) : WZP_ERR_NOMEM;
}

void wzp_relay_policy_free(wzp_relay *r) {
    wzp_bans_free(&r->bans);
    for (size_t i = 0; i < ACCOUNT_COUNT; i++) {
        wzp_quota_free(&r->quotas[i]);
    }
    free(r->offences);
}
