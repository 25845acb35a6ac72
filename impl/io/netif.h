/* What the system knows of its own network: the addresses of its interfaces, the IPv4 gateway and
 * which of our addresses faces it, and word when any of that changes (nat sheet 1.6, 1.8, 1.9).
 * Asked of the kernel by rtnetlink; nothing is run and no file is read. */
#ifndef WZP_IO_NETIF_H
#define WZP_IO_NETIF_H

#include <uv.h>

#include "base/bytes.h"
#include "base/time.h"
#include "nat/local.h"

#define WZP_NETIF_ADDRS_MAX 64
#define WZP_NETIF_LINKS_MAX 64

/* Ports are 0. */
typedef struct wzp_netif_table {
    wzp_interface_addr addrs[WZP_NETIF_ADDRS_MAX]; /* in the kernel's order */
    size_t count, surplus;                         /* surplus: there was no room for so many */
    wzp_addr gateway; /* of the IPv4 default route with the least metric; NONE: there is none */
    wzp_addr own;     /* our address towards it; NONE with it */
} wzp_netif_table;

/* WZP_ERR_IO: the kernel does not tell; errno says why. */
WZP_MUST_USE wzp_err wzp_netif_read(wzp_netif_table *out);

/* Same addresses with the same flags, same gateway. */
bool wzp_netif_equal(const wzp_netif_table *a, const wzp_netif_table *b);

/* --- watching --------------------------------------------------------------------------------- */

/* A change of network is many messages; who is told waits until they are over, at most so long
 * after the first one. */
#define WZP_NETIF_SETTLE_MS 50

/* The caller sets changed and ctx; the object must stay where it is until the loop has run once
 * more after wzp_netif_watch_stop.  The rest is private. */
typedef struct wzp_netif_watch {
    /* The table differs from the one before; borrowed for the call.  May stop the watch. */
    void (*changed)(void *ctx, const wzp_netif_table *table);
    void *ctx;

    wzp_netif_table table; /* as it was told last, at first as it was at the start */
    uint64_t messages;     /* of the kernel */
    uint64_t idle;         /* times that nothing which matters had changed after such */
    int fd;
    uv_poll_t socket;
    uv_timer_t settle;
    bool running;
} wzp_netif_watch;

/* WZP_ERR_IO: no socket of this kind, or the table cannot be read; errno says why. */
WZP_MUST_USE wzp_err wzp_netif_watch_start(wzp_netif_watch *watch, uv_loop_t *loop);
/* Twice is harmless. */
void wzp_netif_watch_stop(wzp_netif_watch *watch);

/* --- the kernel's messages -------------------------------------------------------------------- */

/* For tests: what wzp_netif_read makes of one batch of answers.  `found` starts as zeros and is
 * finished by the caller. */
typedef struct wzp_netif_reading {
    wzp_netif_table table;
    struct wzp_netif_link {
        uint32_t index;
        bool is_up, is_loopback;
    } links[WZP_NETIF_LINKS_MAX];
    size_t link_count;
    uint32_t metric; /* of the gateway's route */
    bool is_done;    /* the last message of the answer has come */
    int error;       /* errno of the kernel's answer; 0: none */
    uint64_t cut;    /* messages and attributes that end too early */
} wzp_netif_reading;

/* `batch` is borrowed for the call, and may be any bytes. */
void wzp_netif_reading_add(wzp_netif_reading *reading, wzp_bytes batch);

#endif
