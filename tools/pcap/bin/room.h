/* A core of tools/pcap/send on a socket of its own, until it is done or the user has enough: what
 * replay and live have in common. */
#ifndef WZP_PCAP_BIN_ROOM_H
#define WZP_PCAP_BIN_ROOM_H

#include "io/drive.h"
#include "tools/pcap/bin/options.h"

typedef struct wzp_pcap_room {
    /* The owner's; may be NULL but for `ctx`. */
    void (*turn)(void *ctx, wzp_time now); /* after each turn of the core */
    void (*interrupted)(void *ctx);        /* Ctrl-C, or SIGTERM */
    void (*started)(void *ctx);            /* the loop is there, for timers */
    void *ctx;

    wzp_addr relay, local;
    wzp_udp *udp;
    uv_loop_t loop;
    wzp_drive drive;
    uv_signal_t signals[2];
    uv_timer_t goodbye;
    bool has_loop, ends;
} wzp_pcap_room;

/* HOST:PORT, by name too, and a socket: on loopback if the relay is.  -1, or the exit status after
 * a complaint.  Nobody but who was named is ever sent to, and no group of hosts. */
int wzp_pcap_room_open(wzp_pcap_room *room, const char *target);

/* Until wzp_pcap_room_end.  -1, or the exit status after a complaint. */
int wzp_pcap_room_run(wzp_pcap_room *room, wzp_core core);

/* From one of the callbacks, once the core was told to say good-bye: ends soon.  Twice is harmless.
 */
void wzp_pcap_room_end(wzp_pcap_room *room);

/* After what uses it; also after a failure. */
void wzp_pcap_room_close(wzp_pcap_room *room);

#endif
