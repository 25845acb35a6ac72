/* A scripted peer: sends the UDP payloads it was given at the times it was given and records what
 * comes back, ICMP errors included.  No protocol of its own. */
#ifndef WZP_SIM_HOST_RAW_HOST_H
#define WZP_SIM_HOST_RAW_HOST_H

#include "sim/host/host.h"

typedef struct wzp_sim_raw_host wzp_sim_raw_host;

typedef struct wzp_sim_raw_send {
    wzp_time at; /* network time */
    wzp_addr to;
    wzp_bytes payload; /* borrowed for the life of the host */
    uint8_t ecn;
    uint32_t repeat; /* so many more times */
    uint64_t every;  /* ns between them */
} wzp_sim_raw_send;

typedef struct wzp_sim_raw_got {
    wzp_time at;       /* network time */
    wzp_addr from, to; /* remote and local */
    wzp_sim_icmp icmp; /* an error about a packet to `from`; else NONE */
    uint16_t mtu;      /* TOO_BIG */
    uint8_t ecn;
    wzp_bytes payload; /* borrowed until the next packet comes; empty for errors */
} wzp_sim_raw_got;

typedef struct wzp_sim_raw_cfg {
    uint16_t port; /* 0: any */
    const wzp_sim_raw_send *script;
    size_t script_len; /* borrowed for its life */
    bool echo;         /* sends back what comes */
    size_t keep_max;   /* payload bytes that are recorded; 0: 1 MiB; what is beyond is counted */
} wzp_sim_raw_cfg;

/* LIMIT: the port is taken; NOMEM. */
WZP_MUST_USE wzp_err wzp_sim_raw_host_new(wzp_sim_raw_host **out, wzp_sim_host *host,
                                          const wzp_sim_raw_cfg *cfg);

/* Not while the simulation runs. */
void wzp_sim_raw_host_free(wzp_sim_raw_host **raw);

/* One more payload now.  False: the host has no address of that family. */
bool wzp_sim_raw_host_send(wzp_sim_raw_host *raw, const wzp_addr *to, wzp_bytes payload);

uint16_t wzp_sim_raw_host_port(const wzp_sim_raw_host *raw);
size_t wzp_sim_raw_host_count(const wzp_sim_raw_host *raw); /* recorded */
uint64_t wzp_sim_raw_host_unkept(const wzp_sim_raw_host *raw);
wzp_sim_raw_got wzp_sim_raw_host_got(const wzp_sim_raw_host *raw, size_t index);

#endif
