/* Links: what happens to packets on the way from one node to the next, each direction by itself.
 *
 *     carry -> MTU -> outage -> loss -> duplicate, corrupt -> queue -> rate -> delay -> far node
 *
 * Outages that hold packets instead of losing them do it where they would wait: in the queue.
 *
 * A description is plain data: the native link below runs it, ns-3 maps it onto its own devices,
 * queue discs and error models (ns3/ns3.h).  Zero means "none" everywhere, so {0} is a perfect
 * wire.  Times are ns, probabilities ppm, rates bit/s.  nat sheet 2.10. */
#ifndef WZP_SIM_NET_LINK_H
#define WZP_SIM_NET_LINK_H

#include "base/err.h"
#include "sim/engine/chance.h"
#include "sim/net/node.h"

/* --- delay ------------------------------------------------------------------------------------ */

typedef enum wzp_sim_delay_law {
    WZP_SIM_DELAY_FIXED,
    WZP_SIM_DELAY_UNIFORM,       /* base +- spread */
    WZP_SIM_DELAY_NORMAL,        /* mean base, deviation spread, cut to [0, base + 4 spread] */
    WZP_SIM_DELAY_LOGNORMAL,     /* base + exp(normal) with median spread and sigma = shape */
    WZP_SIM_DELAY_PARETO,        /* base + spread ((1-u)^(-1/shape) - 1), cut at 10 spread */
    WZP_SIM_DELAY_PARETO_NORMAL, /* base + a quarter normal, three quarters Pareto */
    WZP_SIM_DELAY_AR1,           /* base + x, x_n = rho x_(n-1) + sqrt(1-rho^2) spread z_n, >= 0 */
    WZP_SIM_DELAY_NETEM,         /* uniform with netem's correlation of uniform numbers */
    WZP_SIM_DELAY_WIFI,          /* picoquic's Wi-Fi jitter on top of base */
    WZP_SIM_DELAY_TRACE          /* base + (time, delay) points with linear interpolation */
} wzp_sim_delay_law;

typedef struct wzp_sim_point {
    uint64_t at, delay; /* ns */
} wzp_sim_point;

typedef struct wzp_sim_delay_cfg {
    wzp_sim_delay_law law;
    uint64_t base, spread;
    uint32_t shape_milli;       /* Pareto alpha (0: 3000), lognormal sigma; in thousandths */
    uint32_t rho_ppm;           /* AR1, NETEM */
    const wzp_sim_point *trace; /* borrowed for the life of the link; the last ends a period */
    size_t trace_count;
    bool reorder;        /* off: FIFO, jitter becomes bunching */
    uint32_t skip_every; /* every n-th packet skips the delay and overtakes; 0: none */
    uint32_t skip_ppm;
} wzp_sim_delay_cfg;

/* --- loss, duplication, corruption ----------------------------------------------------------- */

typedef enum wzp_sim_loss_model {
    WZP_SIM_LOSS_NONE,
    WZP_SIM_LOSS_BERNOULLI,  /* p */
    WZP_SIM_LOSS_GILBERT,    /* p (good to bad), r (bad to good), bad (loss in bad), good */
    WZP_SIM_LOSS_FOUR_STATE, /* netem's p13 p31 p32 p23 p14 */
    WZP_SIM_LOSS_PATTERN,    /* cyclic bits, first bit first: 1 is lost */
    WZP_SIM_LOSS_LIST        /* packets by index, from 0, ascending */
} wzp_sim_loss_model;

typedef struct wzp_sim_loss_cfg {
    wzp_sim_loss_model model;
    uint32_t p, r, bad, good;         /* ppm */
    uint32_t p13, p31, p32, p23, p14; /* ppm */
    uint64_t slot;                    /* Gilbert: ns per step; 0: a step per packet */
    uint32_t max_burst;               /* after so many losses one gets through; 0: any */
    const uint8_t *pattern;           /* borrowed; PATTERN: '0' and '1' bytes */
    const uint64_t *list;             /* borrowed; LIST */
    size_t count;                     /* of pattern or list */
    wzp_time until;                   /* relative to the link's start; 0: for ever */
} wzp_sim_loss_cfg;

typedef struct wzp_sim_mangle_cfg {
    uint32_t duplicate_ppm;
    uint64_t duplicate_from, duplicate_to; /* extra delay of the copy, uniform */
    uint32_t corrupt_ppm;                  /* one random payload bit flips */
    bool corrupt_pass;                     /* handed up as it is; else the checksum tells */
    wzp_time until;                        /* 0: for ever */
    uint32_t corrupt_max_burst;
} wzp_sim_mangle_cfg;

/* --- rate and queue --------------------------------------------------------------------------- */

typedef enum wzp_sim_queue_kind {
    WZP_SIM_QUEUE_DROPTAIL,
    WZP_SIM_QUEUE_DROPHEAD,
    WZP_SIM_QUEUE_CODEL,    /* RFC 8289 */
    WZP_SIM_QUEUE_FQ_CODEL, /* RFC 8290 */
    WZP_SIM_QUEUE_PIE,      /* RFC 8033 */
    WZP_SIM_QUEUE_DUAL      /* low-latency and classic queue by ECT(1), coupled (RFC 9332) */
} wzp_sim_queue_kind;

typedef struct wzp_sim_queue_cfg {
    wzp_sim_queue_kind kind;
    uint32_t limit_packets, limit_bytes; /* 0: no such limit; one packet always fits */
    uint64_t limit_ns;         /* at the link's mean rate; 0: none.  No limit: 1000 packets,
                                  FQ-CoDel 10240 */
    uint64_t target, interval; /* 0: CoDel 5 and 100 ms, PIE 15 and 15, dual 15 and 16 */
    bool ecn;                  /* mark instead of drop where the sender can */
} wzp_sim_queue_cfg;

typedef struct wzp_sim_rate_step {
    uint64_t at; /* ns */
    uint64_t bits_per_s;
} wzp_sim_rate_step;

typedef struct wzp_sim_rate_cfg {
    uint64_t bits_per_s;           /* 0: no limit, no queue */
    uint32_t overhead;             /* bytes per packet besides its IP length */
    uint32_t burst;                /* > 0: token bucket of so many bytes instead of a serial link */
    const uint32_t *opportunities; /* borrowed; ms at which 1504 bytes may leave (mahimahi) */
    size_t opportunity_count;      /* > 0 replaces bits_per_s; the last one ends a period */
    const wzp_sim_rate_step *steps; /* borrowed; a serial link's rate from `at` on */
    size_t step_count; /* > 0 stands in for bits_per_s, which must be 0; the first step is at 0, the
                          last only ends a period */
} wzp_sim_rate_cfg;

/* --- outages, slots, cross traffic ----------------------------------------------------------- */

typedef enum wzp_sim_outage_kind {
    WZP_SIM_OUTAGE_NONE,
    WZP_SIM_OUTAGE_PERIODIC,    /* `on` ns up, `off` ns down, for ever */
    WZP_SIM_OUTAGE_EXPONENTIAL, /* means `on` and `off` */
    WZP_SIM_OUTAGE_HANDOVER     /* down for uniform off..off_to, each uniform on..on_to */
} wzp_sim_outage_kind;

typedef struct wzp_sim_outage_cfg {
    wzp_sim_outage_kind kind;
    uint64_t first; /* of the first outage, from the link's start; 0: `on` */
    uint64_t on, on_to, off, off_to;
    bool hold; /* nothing leaves the queue, without a rate neither; then all that waits goes on.
                  Else what comes in is lost */
} wzp_sim_outage_cfg;

/* Starlink's 15 s slots with boundaries at seconds 12, 27, 42 and 57 after the link's start (nat
 * sheet 2.10); all zero: none. */
typedef struct wzp_sim_slots_cfg {
    bool on;
    uint64_t base_from, base_to; /* one-way delay, drawn at each boundary, instead of delay.base */
    uint64_t gap_from, gap_to;   /* hold at the boundary */
    uint32_t burst_loss_ppm;     /* Gilbert loss for 200 ms after it, two in a row on average */
    uint64_t outage_every, outage_from, outage_to; /* mean distance; all that comes in is lost */
} wzp_sim_slots_cfg;

typedef enum wzp_sim_cross_kind {
    WZP_SIM_CROSS_NONE,
    WZP_SIM_CROSS_CBR,
    WZP_SIM_CROSS_POISSON,
    WZP_SIM_CROSS_VIDEO, /* 4 s segments: 2 s at twice the rate, 2 s of silence */
    WZP_SIM_CROSS_RENO,  /* `flows` window models that see this queue's drops */
    WZP_SIM_CROSS_CUBIC
} wzp_sim_cross_kind;

typedef struct wzp_sim_cross_cfg {
    wzp_sim_cross_kind kind;
    uint64_t bits_per_s;  /* CBR, POISSON, VIDEO */
    uint32_t flows;       /* RENO, CUBIC */
    uint32_t packet;      /* IP bytes, 0: 1500 */
    uint64_t rtt;         /* of the TCP models besides this queue; 0: 40 ms */
    wzp_time from, until; /* relative to the link's start; until 0: for ever */
} wzp_sim_cross_cfg;

#define WZP_SIM_CROSS_MAX 4

/* --- one direction ---------------------------------------------------------------------------- */

typedef struct wzp_sim_link_cfg {
    wzp_sim_delay_cfg delay;
    wzp_sim_loss_cfg loss;
    wzp_sim_mangle_cfg mangle;
    wzp_sim_rate_cfg rate;
    wzp_sim_queue_cfg queue;
    wzp_sim_outage_cfg outage;
    wzp_sim_slots_cfg slots;
    wzp_sim_cross_cfg cross[WZP_SIM_CROSS_MAX];
    uint32_t mtu;       /* IP bytes; 0: 65535 */
    bool mtu_silent;    /* too big: dropped without ICMP */
    const char *access; /* "wifi", "lte": a medium that only ns-3 models; NULL: none */
} wzp_sim_link_cfg;

/* WZP_ERR_INVALID_ARGUMENT with the field's name ("loss.p") and value in `fail`, and in its offset
 * which element of a list: a probability over 1, a trace that does not ascend, a Gilbert model that
 * never leaves its bad state with loss 1, ... */
WZP_MUST_USE wzp_err wzp_sim_link_check(const wzp_sim_link_cfg *cfg, wzp_fail *fail);

/* The access presets of nat sheet 2.10 ("fiber" ... "corp-vpn"); false: there is none by that
 * name.  `up`: towards the network. */
bool wzp_sim_link_preset(const char *name, bool up, wzp_sim_link_cfg *out);
const char *wzp_sim_link_preset_name(size_t index); /* NULL past the last */

/* --- the native link -------------------------------------------------------------------------- */

typedef struct wzp_sim_link wzp_sim_link;

/* One direction, towards `port` of `to`.  `name` is borrowed for its life and names its random
 * streams; `cfg` is copied (what it borrows is not), and must have passed the check.  `pool` is
 * that of the packets it will carry.  WZP_ERR_NOMEM; WZP_ERR_INVALID_ARGUMENT: `access` is not
 * NULL.
 *
 * A link without rate and delay delivers at the same time, in a task of its own and never within
 * the call that carried the packet. */
WZP_MUST_USE wzp_err wzp_sim_link_new(wzp_sim_link **out, const char *name,
                                      const wzp_sim_link_cfg *cfg, wzp_sim_clock clock,
                                      wzp_sim_pool *pool, wzp_sim_node *to, unsigned port);

/* Frees what it carries.  The clock must not run any more, and may be gone. */
void wzp_sim_link_free(wzp_sim_link **link);

wzp_sim_pipe *wzp_sim_link_pipe(wzp_sim_link *link);

/* Where ICMP errors about what is too big go: the sender's own node. */
void wzp_sim_link_set_origin(wzp_sim_link *link, wzp_sim_node *from, unsigned port,
                             const wzp_addr *address);

/* While it runs.  What waits stays and leaves at the new rate; packets in flight, and the one that
 * is being sent, keep the time they were given.  Outages, slots and cross traffic begin anew if
 * their description changed, and else go on.  `cfg` must have passed the check. */
void wzp_sim_link_set(wzp_sim_link *link, const wzp_sim_link_cfg *cfg);

/* Down: packets are lost, or with `hold` they wait until it is up again. */
void wzp_sim_link_cut(wzp_sim_link *link, bool down, bool hold);

/* Packets that were carried; cross traffic counts by itself. */
/* Called for every packet that the link drops, cross traffic included; `packet` is borrowed.  NULL:
 * nobody looks. */
typedef void wzp_sim_link_dropped(void *ctx, const wzp_sim_packet *packet, wzp_sim_drop why,
                                  wzp_time now);
void wzp_sim_link_watch(wzp_sim_link *link, wzp_sim_link_dropped *dropped, void *ctx);

void wzp_sim_link_count(const wzp_sim_link *link, wzp_sim_counts *out);
void wzp_sim_link_cross_count(const wzp_sim_link *link, wzp_sim_counts *out);

/* Packets that wait, cross traffic too; `bytes` may be NULL. */
uint64_t wzp_sim_link_queued(const wzp_sim_link *link, uint64_t *bytes);

#endif
