/* What a phone says and hears about NATs that change ports (nat sheet 1.11, 1.14, 1.15). */
#include "phone/phone_internal.h"

/* --- telling ---------------------------------------------------------------------------------- */

/* Nothing before both sides may know of each other: a callee has accepted, and the relay knows the
 * caller's call, or it would drop what is about it. */
static bool may_say(const wzp_phone *p) {
    const bool is_known = p->is_caller ? p->rang : p->state == PHONE_ANSWERED;
    return p->is_open && (is_known || p->state == PHONE_TALKING);
}

void wzp_phone_say_probe(wzp_phone *p) {
    if (!p->has_probe || p->probe_said || !may_say(p)) {
        return;
    }
    wzp_call_probe_text text;
    wzp_signal signal = {.kind = WZP_SIGNAL_HARD_NAT_PROBE,
                         .version = 1,
                         .u.HardNatProbe.call_id = wzp_bytes_str(p->call_id)};
    wzp_call_probe_write(&signal.u.HardNatProbe, &p->probe, &text);
    (void)wzp_phone_send(p, &signal);
    p->probe_said = true;
}

void wzp_phone_set_probe(wzp_phone *p, const wzp_call_probe *probe) {
    p->probe = *probe;
    p->has_probe = true;
    p->probe_said = false;
    wzp_phone_say_probe(p);
}

void wzp_phone_hold_probe(wzp_phone *p) {
    p->has_probe = false;
}

/* Never before both sides have agreed: it tells our IP (U14). */
void wzp_phone_birthday(wzp_phone *p, const wzp_call_birthday *birthday) {
    if (p->state != PHONE_TALKING || !p->is_open) {
        return;
    }
    wzp_call_probe_text text;
    wzp_signal signal = {.kind = WZP_SIGNAL_HARD_NAT_BIRTHDAY_START,
                         .version = 1,
                         .u.HardNatBirthdayStart.call_id = wzp_bytes_str(p->call_id)};
    wzp_call_birthday_write(&signal.u.HardNatBirthdayStart, birthday, &text);
    (void)wzp_phone_send(p, &signal);
}

/* --- hearing ---------------------------------------------------------------------------------- */

/* The one of the offer that has not come yet: signals overtake each other. */
static void keep_early(wzp_phone *p, const wzp_signal_HardNatProbe *probe) {
    p->early_id[0] = '\0';
    if (!wzp_phone_is_call_id(probe->call_id)) {
        p->counters.probes_elsewhere++;
    } else if (wzp_call_probe_read(&p->early_probe, probe, &p->refused_addresses)) {
        memcpy(p->early_id, probe->call_id.data, probe->call_id.len);
        p->early_id[probe->call_id.len] = '\0';
    }
}

void wzp_phone_on_probe(wzp_phone *p, const wzp_signal_HardNatProbe *probe) {
    if (p->state == PHONE_IDLE) {
        keep_early(p, probe);
    } else if (!wzp_phone_is_about(p, probe->call_id)) {
        p->counters.probes_elsewhere++;
    } else if (wzp_call_probe_read(&p->peer_probe, probe, &p->refused_addresses)) {
        p->counters.probes++;
        p->tell_probe = true;
    }
}

void wzp_phone_adopt_early_probe(wzp_phone *p) {
    if (p->early_id[0] != '\0' && strcmp(p->early_id, p->call_id) == 0) {
        p->counters.probes++;
        p->peer_probe = p->early_probe;
        p->tell_probe = true;
    }
    p->early_id[0] = '\0';
}

/* Upstream's clients open ports that lead nowhere, and say so even when nobody has accepted (U7,
 * U14): nothing of that is of use. */
void wzp_phone_on_birthday(wzp_phone *p, const wzp_signal_HardNatBirthdayStart *start) {
    if (p->state != PHONE_TALKING || !p->is_open || !p->celebrates || !p->peer_celebrates ||
        !wzp_phone_is_about(p, start->call_id)) {
        p->counters.birthdays_ignored++;
    } else if (wzp_call_birthday_read(&p->peer_birthday, start, &p->refused_addresses)) {
        p->counters.birthdays++;
        p->tell_birthday = true;
    }
}

void wzp_phone_forget_probe(wzp_phone *p) {
    p->tell_probe = p->tell_birthday = p->probe_said = false;
    p->peer_probes = p->peer_celebrates = false;
    p->early_id[0] = '\0';
    p->peer_probe = (wzp_call_probe){.port_count = 0};
}

void wzp_phone_count(const wzp_phone *phone, wzp_phone_counters *out) {
    *out = phone->counters;
}
