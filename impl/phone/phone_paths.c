/* What a phone says and hears about direct paths (nat sheet 1.2, 1.4, 1.9, 1.11, 1.17). */
#include <stdio.h>

#include "nat/ip_kind.h"
#include "phone/phone_internal.h"
#include "wzp_version.h"

enum { WINNER_MAX = sizeof "Direct 4294967295" };

/* The only text that relays forward as it is (nat sheet 1.2). */
void wzp_phone_name_build(wzp_phone *p) {
    (void)snprintf(p->own_build, sizeof p->own_build, "%s%s%s%s", WZP_VERSION,
                   p->probes && !p->is_plain ? WZP_PHONE_PROBES : "",
                   p->celebrates && !p->is_plain ? WZP_PHONE_CELEBRATES : "",
                   p->is_plain ? "" : WZP_PHONE_ABLE);
}

static wzp_opt_str build_of(const wzp_phone *p) {
    return (wzp_opt_str){true, wzp_bytes_str(p->own_build)};
}

/* --- telling ---------------------------------------------------------------------------------- */

/* Signals are written before the fields are needed again. */
static wzp_call_address_fields *fields_of(wzp_phone *p) {
    wzp_call_addresses_write(&p->fields, &p->addresses);
    return &p->fields;
}

void wzp_phone_offer_paths(wzp_phone *p, wzp_signal_DirectCallOffer *offer) {
    const wzp_call_address_fields *f = fields_of(p);
    offer->caller_reflexive_addr = f->reflexive;
    offer->caller_local_addrs = f->local;
    offer->caller_mapped_addr = f->mapped;
    offer->caller_build_version = build_of(p);
}

void wzp_phone_answer_paths(wzp_phone *p, wzp_signal_DirectCallAnswer *answer) {
    const wzp_call_address_fields *f = fields_of(p);
    answer->callee_reflexive_addr = f->reflexive;
    answer->callee_local_addrs = f->local;
    answer->callee_mapped_addr = f->mapped;
    answer->callee_build_version = build_of(p);
}

void wzp_phone_set_addresses(wzp_phone *p, const wzp_call_addresses *addresses) {
    p->addresses = *addresses;
}

/* Relays do not pass on what they do not know: this text is free (nat sheet 1.2). */
static wzp_bytes winner(char buf[WINNER_MAX], uint32_t number, bool direct_won) {
    const char *word = direct_won ? "Direct" : "Relay";
    if (number == 0) {
        (void)snprintf(buf, WINNER_MAX, "%s", word);
    } else {
        (void)snprintf(buf, WINNER_MAX, "%s %u", word, (unsigned)number);
    }
    return wzp_bytes_str(buf);
}

void wzp_phone_report(wzp_phone *p, uint32_t number, bool direct_ok, bool direct_won) {
    char text[WINNER_MAX];
    if (p->state != PHONE_TALKING) {
        return;
    }
    (void)wzp_phone_send(
        p, &(wzp_signal){.kind = WZP_SIGNAL_MEDIA_PATH_REPORT,
                         .version = 1,
                         .u.MediaPathReport = {.call_id = wzp_bytes_str(p->call_id),
                                               .direct_ok = direct_ok,
                                               .race_winner = winner(text, number, direct_won)}});
}

bool wzp_phone_owes_update(const wzp_phone *p) {
    return p->generation < p->peer_generation;
}

uint32_t wzp_phone_pair(const wzp_phone *p) {
    return p->generation == p->peer_generation ? p->generation : 0;
}

static void send_update(wzp_phone *p) {
    const wzp_call_address_fields *f = fields_of(p);
    (void)wzp_phone_send(p,
                         &(wzp_signal){.kind = WZP_SIGNAL_CANDIDATE_UPDATE,
                                       .version = 1,
                                       .u.CandidateUpdate = {.call_id = wzp_bytes_str(p->call_id),
                                                             .reflexive_addr = f->reflexive,
                                                             .local_addrs = f->local,
                                                             .mapped_addr = f->mapped,
                                                             .generation = p->generation}});
}

void wzp_phone_update_again(wzp_phone *p) {
    if (p->state == PHONE_TALKING && p->is_open && p->generation > 0) {
        p->answered_again = p->generation;
        send_update(p);
    }
}

/* From 1 on: deployed receivers refuse 0 (nat sheet U8).  Nothing follows the last number, to which
 * only a peer can bring us. */
void wzp_phone_update(wzp_phone *p, const wzp_call_addresses *addresses) {
    if (p->state != PHONE_TALKING || !p->is_open || p->generation == UINT32_MAX) {
        return;
    }
    p->generation = wzp_phone_owes_update(p) ? p->peer_generation : p->generation + 1;
    p->addresses = *addresses;
    send_update(p);
}

void wzp_phone_reflect(wzp_phone *p, wzp_time now) {
    if (p->line != LINE_UP) {
        wzp_phone_reflected(p, (wzp_addr){.family = WZP_ADDR_NONE});
        return;
    }
    (void)wzp_phone_send(p, &(wzp_signal){.kind = WZP_SIGNAL_REFLECT});
    p->reflect_until = wzp_time_after(now, WZP_PHONE_REFLECT_LIMIT);
}

/* --- hearing ---------------------------------------------------------------------------------- */

static bool ends_with(wzp_bytes text, const char *end) {
    const size_t len = strlen(end);
    return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static bool is_able(const wzp_opt_str *build) {
    return build->present && ends_with(build->value, WZP_PHONE_ABLE);
}

/* Marks begin with a plus sign and are in any order, but for WZP_PHONE_ABLE. */
bool wzp_phone_has_mark(const wzp_opt_str *build, const char *mark) {
    wzp_bytes text = build->value;
    if (!is_able(build)) {
        return false;
    }
    while (text.len > 0 && !ends_with(text, mark)) {
        size_t len = text.len - 1;
        while (len > 0 && text.data[len] != '+') {
            len--;
        }
        text = wzp_bytes_of(text.data, len);
    }
    return text.len > 0;
}

void wzp_phone_read_marks(wzp_phone *p, const wzp_opt_str *build) {
    p->peer_is_able = is_able(build);
    p->peer_probes = wzp_phone_has_mark(build, WZP_PHONE_PROBES);
    p->peer_celebrates = wzp_phone_has_mark(build, WZP_PHONE_CELEBRATES);
}

static bool is_signed_by(const char *fingerprint, const wzp_signal_DirectCallAnswer *a) {
    char text[WZP_FINGERPRINT_TEXT + 1];
    if (!a->identity_pub.present || !a->ephemeral_pub.present || !a->signature.present) {
        return false;
    }
    wzp_fingerprint_text(text, a->identity_pub.value);
    return strcmp(text, fingerprint) == 0 &&
           wzp_handshake_verify(wzp_bytes_of(a->signature.value.items, a->signature.value.count),
                                a->identity_pub.value, WZP_ROLE_ANSWER,
                                a->ephemeral_pub.value) == WZP_OK;
}

/* Signals overtake each other: the set-up may have come before. */
static void on_answer(wzp_phone *p, const wzp_signal_DirectCallAnswer *a) {
    if (!p->is_caller || !wzp_phone_is_about(p, a->call_id)) {
        p->counters.ignored++;
        return;
    }
    wzp_phone_read_marks(p, &a->callee_build_version);
    p->proven = is_signed_by(p->peer, a);
    p->is_open = p->is_open && a->accept_mode == WZP_ACCEPT_TRUSTED;
}

void wzp_phone_set_up_paths(wzp_phone *p, const wzp_signal_CallSetup *setup) {
    wzp_call_addresses_read(&p->peer_addresses, &setup->peer_direct_addr, &setup->peer_local_addrs,
                            &setup->peer_mapped_addr, &p->refused_addresses);
}

/* What follows the word; 0 if that is no number. */
static uint32_t number_of(wzp_bytes winner) {
    uint64_t number = 0;
    size_t i = 0;
    while (i < winner.len && winner.data[i] != ' ') {
        i++;
    }
    for (i++; i < winner.len; i++) {
        const bool is_digit = winner.data[i] >= '0' && winner.data[i] <= '9';
        number = is_digit ? number * 10 + (uint64_t)(winner.data[i] - '0') : UINT64_MAX;
        if (number > UINT32_MAX) {
            return 0;
        }
    }
    return (uint32_t)number;
}

/* Also before the set-up: who is faster says so at once (nat sheet 1.17, 18).  Two that are told at
 * once become one: the later race counts, and in one race nobody comes back to a path that it
 * left. */
static void on_path(wzp_phone *p, const wzp_signal_MediaPathReport *report) {
    const uint32_t number = number_of(report->race_winner);
    if (!wzp_phone_is_about(p, report->call_id) || (p->tell_path && number < p->peer_race)) {
        p->counters.ignored++;
        return;
    }
    const bool is_more = p->tell_path && number == p->peer_race;
    p->peer_direct_ok = report->direct_ok && (p->peer_direct_ok || !is_more);
    p->peer_race = number;
    p->tell_path = true;
}

/* Who repeats itself had lost its line, and with it what we said meanwhile.  Once, so that two who
 * had do not go on and on. */
static void answer_again(wzp_phone *p, uint32_t generation, bool is_due) {
    if (is_due && generation == p->peer_generation && generation <= p->generation &&
        generation > p->answered_again) {
        p->answered_again = generation;
        send_update(p);
    }
}

static void on_update(wzp_phone *p, const wzp_signal_CandidateUpdate *u) {
    const bool is_due =
        p->state == PHONE_TALKING && p->is_open && wzp_phone_is_about(p, u->call_id);
    if (!is_due || u->generation <= p->peer_generation) {
        p->counters.stale_updates++;
        answer_again(p, u->generation, is_due);
        return;
    }
    p->counters.updates++;
    p->counters.update_number = u->generation;
    p->peer_generation = u->generation;
    wzp_call_addresses_read(&p->peer_addresses, &u->reflexive_addr, &u->local_addrs,
                            &u->mapped_addr, &p->refused_addresses);
    p->tell_update = true;
}

/* Deployed clients take what comes. */
bool wzp_phone_can_be_sent_to(wzp_phone *p, const wzp_addr *addr) {
    const wzp_ip_kind kind = wzp_ip_kind_of(addr);
    const bool is_unicast = kind != WZP_IP_NONE && kind != WZP_IP_UNSPECIFIED &&
                            kind != WZP_IP_MULTICAST && kind != WZP_IP_RESERVED;
    const bool can_be = p->is_plain || (is_unicast && addr->port != 0);
    p->refused_addresses.unusable += can_be ? 0 : 1;
    return can_be;
}

void wzp_phone_reflected(wzp_phone *p, wzp_addr observed) {
    p->observed = observed;
    p->reflect_until = WZP_TIME_NEVER;
    p->tell_reflexive = true;
}

/* Unasked answers are nothing. */
static void on_reflected(wzp_phone *p, const wzp_signal_ReflectResponse *response) {
    wzp_call_addresses seen;
    const wzp_opt_str text = {true, response->observed_addr};
    if (p->reflect_until == WZP_TIME_NEVER) {
        p->counters.ignored++;
        return;
    }
    wzp_call_addresses_read(&seen, &text, &(wzp_list_str){NULL, 0},
                            &(wzp_opt_str){.present = false}, &p->refused_addresses);
    if (seen.reflexive.family != WZP_ADDR_NONE && !wzp_phone_can_be_sent_to(p, &seen.reflexive)) {
        seen.reflexive = (wzp_addr){.family = WZP_ADDR_NONE};
    }
    wzp_phone_reflected(p, seen.reflexive);
}

void wzp_phone_on_path_signal(wzp_phone *p, const wzp_signal *signal) {
    switch (signal->kind) {
    case WZP_SIGNAL_DIRECT_CALL_ANSWER:
        on_answer(p, &signal->u.DirectCallAnswer);
        break;
    case WZP_SIGNAL_MEDIA_PATH_REPORT:
        on_path(p, &signal->u.MediaPathReport);
        break;
    case WZP_SIGNAL_CANDIDATE_UPDATE:
        on_update(p, &signal->u.CandidateUpdate);
        break;
    case WZP_SIGNAL_HARD_NAT_PROBE:
        wzp_phone_on_probe(p, &signal->u.HardNatProbe);
        break;
    case WZP_SIGNAL_HARD_NAT_BIRTHDAY_START:
        wzp_phone_on_birthday(p, &signal->u.HardNatBirthdayStart);
        break;
    case WZP_SIGNAL_REFLECT_RESPONSE:
        on_reflected(p, &signal->u.ReflectResponse);
        break;
    default: /* upgrades, and what this phone does not know */
        p->counters.ignored++;
        break;
    }
}

void wzp_phone_forget_paths(wzp_phone *p) {
    wzp_phone_forget_probe(p);
    p->tell_path = p->tell_update = false;
    p->is_caller = p->is_open = p->peer_is_able = p->peer_direct_ok = false;
    p->generation = p->peer_generation = p->peer_race = p->answered_again = 0;
    p->peer_addresses = (wzp_call_addresses){.local_count = 0};
}
