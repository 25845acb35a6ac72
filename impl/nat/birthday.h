/* Meeting behind a NAT that gives out random ports: one side opens many mappings towards the other,
 * which tries many ports of it (nat sheet 1.15).  Here is which ports, when, and what it is worth.
 *
 *     hard side: N sockets, one datagram each to the easy side's reflexive address
 *     easy side: M ports of the hard side's IP, from its one socket, one each interval
 *
 * Plain struct, nothing allocates; integers only. */
#ifndef WZP_NAT_BIRTHDAY_H
#define WZP_NAT_BIRTHDAY_H

#include "base/addr.h"
#include "base/rng.h"
#include "base/time.h"

#define WZP_BIRTHDAY_PORTS 32 /* that the hard side opens, unless told otherwise */
#define WZP_BIRTHDAY_PORTS_MAX 256
#define WZP_BIRTHDAY_PROBES 128
#define WZP_BIRTHDAY_PROBES_MAX 2048
#define WZP_BIRTHDAY_KNOWN_MAX 256
#define WZP_BIRTHDAY_INTERVAL (20 * WZP_MS)
#define WZP_BIRTHDAY_INTERVAL_MIN (10 * WZP_MS) /* whatever is asked for */
#define WZP_BIRTHDAY_OPEN_EVERY (5 * WZP_MS)    /* the hard side's datagrams, to one address */
#define WZP_BIRTHDAY_TIMEOUT (8 * WZP_S)

typedef enum wzp_birthday_rules {
    WZP_BIRTHDAY_REFERENCE, /* as many different ports as asked for; known ones first, once each */
    WZP_BIRTHDAY_DEPLOYED   /* all known ones, even if these are more than asked for, and random
                             * ones that were drawn before are left out: there may be fewer */
} wzp_birthday_rules;

/* Ports `first` to `first + count - 1`. */
typedef struct wzp_port_block {
    uint16_t first;
    uint32_t count;
} wzp_port_block;

typedef struct wzp_birthday_cfg {
    wzp_birthday_rules rules;
    wzp_addr host;         /* the hard side's external IP; its port is ignored */
    const uint16_t *known; /* borrowed during start; 0 is left out, and so is what follows the
                            * first WZP_BIRTHDAY_KNOWN_MAX: a peer can say anything */
    size_t known_count;
    size_t probes;        /* 0: WZP_BIRTHDAY_PROBES; above the maximum it is cut */
    wzp_port_block block; /* REFERENCE: to draw from; count 0: 1024-65535 */
    uint64_t interval;    /* ns; 0: 20 ms; below the minimum it is that */
    uint64_t timeout;     /* ns; 0: 8 s */
} wzp_birthday_cfg;

typedef struct wzp_birthday {
    wzp_addr host;
    uint16_t ports[WZP_BIRTHDAY_PROBES_MAX];
    size_t count, next;
    uint64_t interval;
    wzp_time next_at, ends_at;
} wzp_birthday;

void wzp_birthday_start(wzp_birthday *b, const wzp_birthday_cfg *cfg, wzp_rng rng, wzp_time now);

/* Where the next datagram goes.  False: not yet, or no more.  Never two at once: what was not sent
 * in time shifts all that follows, since bursts are what guards against port scans look for. */
bool wzp_birthday_next(wzp_birthday *b, wzp_time now, wzp_addr *out);

/* When the next one is due; NEVER: there is none, or it would be too late. */
wzp_time wzp_birthday_deadline(const wzp_birthday *b);

/* Parts per million of meeting, when `probes` of `space` ports are tried and `open` lead to us. */
uint32_t wzp_birthday_chance_ppm(uint32_t open, uint32_t probes, uint32_t space);

/* The smallest aligned block of 1024, 2048 or 4096 ports that has all of `ports[count]`, as of a
 * carrier's NAT that gives its users blocks; count 0: there is none, or fewer than 3 ports. */
wzp_port_block wzp_birthday_block(const uint16_t *ports, size_t count);

#endif
