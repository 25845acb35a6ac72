/* What a relay keeps over restarts, and what it tells of its place (relay sheet 2, 8.1). */
#include <stdio.h>
#include <string.h>

#include "conformance/cases/relay/plays.h"
#include "conformance/cases/relay/steps.h"

/* --- RLY-006, RLY-007: who it is -------------------------------------------------------------- */

/* A life of the relay: what it finds in its identity file, who asks for its certificate, and how
 * that is to compare. */
typedef struct life {
    wzp_ct_identity_file file;
    wzp_ct_who who;
    enum { ANY, SAME_AS_X, OTHER_THAN_X, SAME_AS_L, AS_DERIVED } certificate;
} life;

/* SHA-256 of the certificate that the seed 00 01 .. 1f gives (relay sheet 2.3). */
static const uint8_t derived[32] = {
    0x0c, 0x62, 0xcf, 0xb5, 0xb9, 0xe3, 0x7c, 0x77, 0xae, 0x81, 0x3d, 0x9b, 0xc3, 0x5d, 0x5c, 0xef,
    0x53, 0xe1, 0x2b, 0x0a, 0xbb, 0xd8, 0xe6, 0x3b, 0x4b, 0x42, 0x99, 0x95, 0x7d, 0x6f, 0x37, 0xa9};

static bool begin_life(wzp_ct_exec *e, wzp_time now) {
    const life *l = wzp_ct_play_arg(e);
    (void)now;
    return wzp_ct_play_restart(e, l->file);
}

static bool is_as_it_must_be(wzp_ct_exec *e, const life *l) {
    const uint8_t *seen = wzp_ct_play_party(e, l->who)->cert;
    const uint8_t *at_x = wzp_ct_play_party(e, WZP_CT_X)->cert;
    const uint8_t *at_l = wzp_ct_play_party(e, WZP_CT_L)->cert;
    const size_t len = sizeof derived;
    switch (l->certificate) {
    case ANY:
        return true;
    case SAME_AS_X:
        return memcmp(seen, at_x, len) == 0;
    case OTHER_THAN_X:
        return memcmp(seen, at_x, len) != 0;
    case SAME_AS_L:
        return memcmp(seen, at_l, len) == 0;
    case AS_DERIVED:
        return memcmp(seen, derived, len) == 0;
    }
    return false;
}

static wzp_ct_so_far go_life(wzp_ct_exec *e, wzp_time now) {
    const life *l = wzp_ct_play_arg(e);
    const wzp_ct_party *p = wzp_ct_play_party(e, l->who);
    wzp_ct_play_wake(e, now + 20 * WZP_MS);
    if (!wzp_ct_play_is_restarted(e)) {
        return WZP_CT_NOT_YET;
    }
    if (p->state == WZP_PARTY_IDLE &&
        !wzp_ct_play_dial(e, l->who, (wzp_party_dial){.hold_first = true}, now)) {
        return WZP_CT_UNSURE;
    }
    if (!p->has_cert) {
        return wzp_party_gone(p) ? WZP_CT_NEVER : WZP_CT_NOT_YET;
    }
    if (is_as_it_must_be(e, l)) {
        return WZP_CT_HAPPENED;
    }
    wzp_ct_play_say(e, "the certificate begins %02x:%02x:%02x:%02x", p->cert[0], p->cert[1],
                    p->cert[2], p->cert[3]);
    return WZP_CT_NEVER;
}

static const life first = {WZP_CT_IDENTITY_KNOWN, WZP_CT_X, ANY};
static const life second = {WZP_CT_IDENTITY_AS_LEFT, WZP_CT_L, SAME_AS_X};
static const life exact = {WZP_CT_IDENTITY_KNOWN, WZP_CT_X, AS_DERIVED};
static const life damaged = {WZP_CT_IDENTITY_CORRUPT, WZP_CT_L, OTHER_THAN_X};
static const life afterwards = {WZP_CT_IDENTITY_AS_LEFT, WZP_CT_KX, SAME_AS_L};

/* A program may take its time to start; a handshake that began before asks again after 1 and 3 s.
 */
#define LIFE(text, life)                                                                           \
    {                                                                                              \
        .required = (text), .within_s = 9, .begin = begin_life, .go = go_life,                     \
        .late = WZP_CT_REASON_NO_RESPONSE, .arg = (life)                                           \
    }

const wzp_ct_act wzp_ct_acts_rly006[WZP_CT_RLY006_ACTS] = {
    LIFE("it starts and shows a certificate", &first),
    LIFE("it starts again with the same identity file and shows the same certificate", &second)};
const wzp_ct_act wzp_ct_acts_rly006b[WZP_CT_RLY006B_ACTS] = {
    LIFE("it starts and shows the certificate that derives from its seed", &exact)};
const wzp_ct_act wzp_ct_acts_rly007[WZP_CT_RLY007_ACTS] = {
    LIFE("it starts and shows a certificate", &first),
    LIFE("it starts with a damaged identity file and shows another certificate", &damaged),
    LIFE("it starts once more and is the same as the last time", &afterwards)};

/* --- RLY-062: where it is --------------------------------------------------------------------- */

static wzp_ct_so_far go_placed(wzp_ct_exec *e, wzp_time now) {
    static const char *const want[] = {WZP_CT_RELAY_1, WZP_CT_RELAY_2};
    const wzp_signal_RegisterPresenceAck *ack = &wzp_ct_play_party(e, WZP_CT_X)
                                                     ->last[WZP_SIGNAL_REGISTER_PRESENCE_ACK]
                                                     ->u.RegisterPresenceAck;
    const wzp_list_str *relays = &ack->available_relays;
    (void)now;
    bool good = ack->relay_region.present &&
                wzp_bytes_equal(ack->relay_region.value, wzp_bytes_str(WZP_CT_REGION));
    if (!good) {
        wzp_ct_play_say(e, "relay_region is \"%.*s\"",
                        ack->relay_region.present ? (int)ack->relay_region.value.len : 0,
                        (const char *)ack->relay_region.value.data);
    }
    for (size_t i = 0; i < relays->count; i++) {
        if (i >= WZP_COUNT_OF(want) || !wzp_bytes_equal(relays->items[i], wzp_bytes_str(want[i]))) {
            wzp_ct_play_say(e, "entry %zu is \"%.*s\"", i + 1, (int)relays->items[i].len,
                            (const char *)relays->items[i].data);
            good = false;
        }
    }
    if (relays->count != WZP_COUNT_OF(want)) {
        wzp_ct_play_say(e, "%zu relays", relays->count);
    }
    return good && relays->count == WZP_COUNT_OF(want) ? WZP_CT_HAPPENED : WZP_CT_NEVER;
}

const wzp_ct_act wzp_ct_acts_rly062[WZP_CT_RLY062_ACTS] = {
    WZP_CT_REGISTERED(wzp_ct_only_x),
    {.required = "relay_region is " WZP_CT_REGION ", available_relays \"" WZP_CT_RELAY_1
                 "\" and \"" WZP_CT_RELAY_2 "\" in this order",
     .within_s = 1,
     .go = go_placed,
     .late = WZP_CT_REASON_NO_RESPONSE},
};
