/* Sends a plan by guests, each packet at its time.  Deadlines are absolute: a packet that is late
 * is sent at once and moves no later one.
 *
 * A packet core that contains the guests'; not thread-safe. */
#ifndef WZP_PCAP_SEND_PLAYER_H
#define WZP_PCAP_SEND_PLAYER_H

#include "tools/pcap/send/guests.h"
#include "tools/pcap/send/plan.h"

#define WZP_PCAP_PLAYER_LATE (1 * WZP_MS)     /* from here on a packet counts as late */
#define WZP_PCAP_PLAYER_SETTLE (100 * WZP_MS) /* from the room to the first packet */
#define WZP_PCAP_PLAYER_FLUSH (2 * WZP_S)     /* so long what is queued may take at the end */

typedef enum wzp_pcap_pace {
    WZP_PCAP_PACE_PLAN, /* the plan's times, divided by speed_ppm */
    WZP_PCAP_PACE_RATE, /* so many packets a second */
    WZP_PCAP_PACE_TOP   /* as fast as QUIC takes them */
} wzp_pcap_pace;

typedef struct wzp_pcap_player_cfg {
    wzp_pcap_guests *guests;   /* the first ones are the plan's senders; borrowed */
    const wzp_pcap_plan *plan; /* borrowed */
    wzp_pcap_pace pace;
    uint64_t speed_ppm; /* 1000000: as fast as it was */
    uint64_t rate;      /* packets a second */
    uint32_t loops;     /* at least 1 */
    /* Numbers and timestamps of each stream begin at 0 and go on from loop to loop; holes stay.
     * Where packets are sealed, the streams of a sender begin far apart, for they share nonces. */
    bool rewrite;
    bool seal;
    /* Each packet that QUIC took, as it was before it was sealed; may be NULL. */
    void (*sent)(void *ctx, uint32_t sender, wzp_bytes packet);
    void *ctx;
} wzp_pcap_player_cfg;

typedef struct wzp_pcap_player wzp_pcap_player;

/* WZP_ERR_INVALID_ARGUMENT (nothing to send, other numbers of guests, speed, rate, loops), NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_player_new(wzp_pcap_player **out, const wzp_pcap_player_cfg *cfg);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_player_free(wzp_pcap_player **player);

wzp_core wzp_pcap_player_core(wzp_pcap_player *player);

/* All was sent and has left, or will not; or the guests are gone. */
bool wzp_pcap_player_is_done(const wzp_pcap_player *player);

/* Packet `i` of loop `loop`, as it is sent before it is sealed. */
wzp_media_packet wzp_pcap_player_packet(const wzp_pcap_player *player, size_t i, uint32_t loop);

typedef struct wzp_pcap_player_report {
    uint64_t packets, bytes; /* that were given to QUIC */
    uint64_t refused;        /* that were not: too large for the path, or the connection is gone */
    uint64_t late;
    uint64_t duration_ns;                              /* from the first to the last */
    uint64_t error_p50_ns, error_p99_ns, error_max_ns; /* how long after their time */
    uint8_t digest[WZP_SHA256_LEN]; /* over sender and bytes of each packet, in their order */
    wzp_pcap_guests_counters wire;  /* as they are now */
} wzp_pcap_player_report;
void wzp_pcap_player_tell(const wzp_pcap_player *player, wzp_pcap_player_report *out);

/* The digest that sending all of the plan gives; nothing is sent. */
void wzp_pcap_player_foresee(const wzp_pcap_player *player, uint8_t digest[WZP_SHA256_LEN]);

#endif
