/* What a peer is told of how our NAT gives out ports, and what of that we believe of theirs: where
 * the ports count up, the next ones can be dialled (HardNatProbe, nat sheet 1.14, 1.15, 1.18).
 *
 * Plain values, nothing allocates. */
#ifndef WZP_CALL_HARD_NAT_H
#define WZP_CALL_HARD_NAT_H

#include "call/addresses.h"
#include "nat/birthday.h"
#include "nat/gather.h"

#define WZP_CALL_PROBE_PORTS_MAX 16

/* So many of the next ports are tried before any other new destination, and so many in all.  Where
 * both NATs count the first ones meet or none; where only theirs does, others may have taken eleven
 * ports since they looked. */
#define WZP_CALL_AHEAD_FIRST 7
#define WZP_CALL_AHEAD 12

typedef struct wzp_call_probe {
    wzp_port_alloc alloc;
    wzp_addr external; /* the IP outside of the NAT, with the latest port; NONE: not known */
    uint16_t ports[WZP_CALL_PROBE_PORTS_MAX]; /* as servers saw them, the latest first */
    size_t port_count;
    uint64_t time_ms; /* Unix, when that was; 0: nobody knows */
} wzp_call_probe;

/* Ours. */
void wzp_call_probe_of(wzp_call_probe *out, const wzp_gather_ports *ports, uint64_t time_ms);

typedef struct wzp_call_probe_text {
    char allocation[WZP_PORT_ALLOC_TEXT_MAX], ip[WZP_ADDR_TEXT_MAX];
} wzp_call_probe_text;

/* All fields but the call_id; they point into `probe` and `text`.  In the form that deployed
 * clients read. */
void wzp_call_probe_write(wzp_signal_HardNatProbe *out, const wzp_call_probe *probe,
                          wzp_call_probe_text *text);

/* A peer's, in either form and order (U5, U6).  False: it makes no sense, which is counted, and
 * `out` is as it was: a port 0, more than PORTS_MAX of them, no allocation or IP that can be read,
 * steps of 0 or without a port. */
bool wzp_call_probe_read(wzp_call_probe *out, const wzp_signal_HardNatProbe *in,
                         wzp_call_refused *refused);

/* HardNatBirthdayStart: a peer behind a NAT with ports that nobody can foretell has opened many. */
typedef struct wzp_call_birthday {
    wzp_addr external;                      /* the IP outside of its NAT */
    uint16_t opened;                        /* sockets */
    uint16_t ports[WZP_BIRTHDAY_KNOWN_MAX]; /* where others saw some of them; it may say none */
    size_t port_count;
} wzp_call_birthday;

/* All fields but the call_id; they point into `birthday` and `text`. */
void wzp_call_birthday_write(wzp_signal_HardNatBirthdayStart *out,
                             const wzp_call_birthday *birthday, wzp_call_probe_text *text);

/* A peer's.  False: it makes no sense, which is counted, and `out` is as it was: no socket, no IP,
 * a port 0, more than WZP_BIRTHDAY_KNOWN_MAX of them. */
bool wzp_call_birthday_read(wzp_call_birthday *out, const wzp_signal_HardNatBirthdayStart *in,
                            wzp_call_refused *refused);

/* Ours is hard and theirs is easy: each knows its part of a birthday. */
bool wzp_call_is_hard(wzp_port_alloc alloc);

/* Its NAT's next mappings can be foretold. */
bool wzp_call_probe_counts(const wzp_call_probe *probe);

/* Where the NAT's next mappings will be, without the first `skip` and at most `count`, in this
 * order; the number of them, 0 unless it counts. */
size_t wzp_call_probe_ahead(wzp_addr out[WZP_CALL_AHEAD], const wzp_call_probe *probe, size_t skip,
                            size_t count);

#endif
