/* Addresses as strangers tell them, one on each line: the first is reflexive, the second mapped,
 * all others local ones, but for a line "?allocation ip ports", which is a probe, and "!ip ports",
 * which is the beginning of a birthday: ports are the pairs of octets at the end.  What is read is
 * written so that it is read the same, and what is dialled is in bounds, has a port, is nobody's
 * twice, and with the reference policy never ourselves or many. */
#include "call/hard_nat.h"
#include "nat/ip_kind.h"
#include "require.h"

enum { LINES = 64, PORTS = 64 };

static void read_again(const wzp_call_addresses *first) {
    wzp_call_address_fields fields;
    wzp_call_addresses again;
    wzp_call_refused refused = {0};
    wzp_call_addresses_write(&fields, first);
    wzp_call_addresses_read(&again, &fields.reflexive, &fields.local, &fields.mapped, &refused);
    require(wzp_addr_equal(&again.reflexive, &first->reflexive));
    require(wzp_addr_equal(&again.mapped, &first->mapped));
    require(again.local_count == first->local_count);
    for (size_t i = 0; i < again.local_count; i++) {
        require(wzp_addr_equal(&again.local[i], &first->local[i]));
    }
    require(refused.unreadable == 0 && refused.surplus == 0);
}

static wzp_bytes cut(wzp_bytes *rest) {
    size_t len = 0;
    while (len < rest->len && rest->data[len] != ' ') {
        len++;
    }
    const wzp_bytes word = wzp_bytes_of(rest->data, len);
    len += len < rest->len ? 1 : 0;
    *rest = wzp_bytes_of(rest->data + len, rest->len - len);
    return word;
}

static void read_probe_again(const wzp_call_probe *first) {
    wzp_signal_HardNatProbe out = {.call_id = wzp_bytes_str("")};
    wzp_call_probe_text text;
    wzp_call_probe again;
    wzp_call_refused refused = {0};
    wzp_call_probe_write(&out, first, &text);
    require(wzp_call_probe_read(&again, &out, &refused));
    require(again.alloc.kind == first->alloc.kind && again.alloc.delta == first->alloc.delta);
    require(wzp_addr_equal(&again.external, &first->external));
    require(again.port_count == first->port_count);
    require(memcmp(again.ports, first->ports, first->port_count * sizeof first->ports[0]) == 0);
}

static size_t read_ports(uint16_t out[PORTS], wzp_bytes line) {
    size_t count = 0;
    for (; count < PORTS && 2 * count + 1 < line.len; count++) {
        out[count] = (uint16_t)(line.data[2 * count] << 8 | line.data[2 * count + 1]);
    }
    return count;
}

static void read_birthday(wzp_bytes line) {
    uint16_t ports[PORTS];
    wzp_call_refused refused = {0};
    wzp_call_probe_text text;
    wzp_call_birthday first;
    wzp_call_birthday again = {.port_count = 0};
    const wzp_bytes ip = cut(&line);
    const size_t count = read_ports(ports, line);
    const wzp_signal_HardNatBirthdayStart in = {.call_id = wzp_bytes_str(""),
                                                .acceptor_port_count = (uint16_t)(count + 1),
                                                .acceptor_ports = {ports, count},
                                                .external_ip = ip};
    wzp_signal_HardNatBirthdayStart out = {.call_id = wzp_bytes_str("")};
    if (!wzp_call_birthday_read(&first, &in, &refused)) {
        require(refused.unreadable + refused.unusable + refused.surplus == 1);
        return;
    }
    require(first.external.family != WZP_ADDR_NONE && first.port_count == count);
    wzp_call_birthday_write(&out, &first, &text);
    require(wzp_call_birthday_read(&again, &out, &refused));
    require(wzp_addr_same_ip(&again.external, &first.external));
    require(again.port_count == count && again.opened == first.opened);
}

static bool read_probe(wzp_call_probe *out, wzp_bytes line) {
    uint16_t ports[PORTS];
    wzp_call_refused refused = {0};
    const wzp_bytes allocation = cut(&line);
    const wzp_bytes ip = cut(&line);
    const size_t count = read_ports(ports, line);
    const wzp_signal_HardNatProbe in = {.call_id = wzp_bytes_str(""),
                                        .port_sequence = {ports, count},
                                        .allocation = allocation,
                                        .external_ip = ip};
    if (!wzp_call_probe_read(out, &in, &refused)) {
        require(refused.unreadable + refused.surplus + refused.unusable == 1);
        return false;
    }
    read_probe_again(out);
    return true;
}

static void dial(const wzp_call_addresses *own, const wzp_call_addresses *peer,
                 wzp_race_policy policy, const wzp_call_probe *probe) {
    const wzp_call_dial_cfg cfg = {.policy = policy, .probe = probe};
    wzp_race_candidate got[WZP_RACE_CANDIDATES_MAX];
    wzp_call_refused refused = {0};
    const size_t n = wzp_call_dial_order(got, own, peer, &cfg, &refused);
    require(n <= WZP_RACE_CANDIDATES_MAX);
    for (size_t i = 0; i < n; i++) {
        const wzp_ip_kind kind = wzp_ip_kind_of(&got[i].addr);
        require(got[i].addr.family != WZP_ADDR_NONE);
        if (policy == WZP_RACE_DEPLOYED) {
            require(got[i].addr.family == WZP_ADDR_V4);
            continue;
        }
        require(got[i].addr.port != 0);
        require(kind == WZP_IP_GLOBAL || (got[i].is_near && kind != WZP_IP_MULTICAST &&
                                          kind != WZP_IP_LOOPBACK && kind != WZP_IP_RESERVED));
        require(!wzp_addr_equal(&got[i].addr, &own->reflexive));
        for (size_t k = 0; k < i; k++) {
            require(!wzp_addr_equal(&got[i].addr, &got[k].addr));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_bytes lines[LINES];
    wzp_call_probe probe;
    const wzp_call_probe *heard = NULL;
    size_t count = 0;
    size_t from = 0;
    for (size_t i = 0; i <= size && count < LINES; i++) {
        if (i < size && data[i] != '\n') {
            continue;
        }
        if (i > from && data[from] == '?') {
            const wzp_bytes said = wzp_bytes_of(data + from + 1, i - from - 1);
            heard = read_probe(&probe, said) ? &probe : heard;
        } else if (i > from && data[from] == '!') {
            read_birthday(wzp_bytes_of(data + from + 1, i - from - 1));
        } else {
            lines[count++] = wzp_bytes_of(data + from, i - from);
        }
        from = i + 1;
    }
    wzp_call_addresses peer;
    wzp_call_refused refused = {0};
    const wzp_opt_str reflexive = {count > 0, count > 0 ? lines[0] : wzp_bytes_str("")};
    const wzp_opt_str mapped = {count > 1, count > 1 ? lines[1] : wzp_bytes_str("")};
    const wzp_list_str local = {lines + 2, count > 2 ? count - 2 : 0};
    wzp_call_addresses_read(&peer, &reflexive, &local, &mapped, &refused);
    read_again(&peer);
    const wzp_call_addresses own = {.reflexive = wzp_addr_v4(203, 0, 113, 5, 4000),
                                    .local = {wzp_addr_v4(192, 168, 1, 2, 4000)},
                                    .local_count = 1};
    dial(&own, &peer, WZP_RACE_REFERENCE, heard);
    dial(&own, &peer, WZP_RACE_DEPLOYED, heard);
    dial(&peer, &own, WZP_RACE_REFERENCE, heard);
    return 0;
}
