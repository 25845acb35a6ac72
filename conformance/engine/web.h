/* What a network carries beside datagrams between two: searches that all devices hear (SSDP), and
 * questions over streams (HTTP).  For testers that are a device of the client's own network. */
#ifndef WZP_CONFORMANCE_ENGINE_WEB_H
#define WZP_CONFORMANCE_ENGINE_WEB_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/time.h"

enum {
    WZP_CT_WEB_PLACES = 2,
    WZP_CT_WEB_ANSWER_MAX = 512, /* to a search */
    WZP_CT_WEB_ASKED_MAX = 20480,
    WZP_CT_WEB_SAID_MAX = 8192
};

/* To a search. */
typedef struct wzp_ct_web_answer {
    size_t place;
    wzp_addr to;
    size_t len;
    uint8_t bytes[WZP_CT_WEB_ANSWER_MAX];
} wzp_ct_web_answer;

typedef struct wzp_ct_web_ops {
    /* A datagram to 239.255.255.250:1900. */
    void (*heard)(void *self, const wzp_addr *from, wzp_bytes datagram, wzp_time now);
    /* The next answer that is due by `now`. */
    bool (*next)(void *self, wzp_time now, wzp_ct_web_answer *out);
    wzp_time (*deadline)(void *self);
    /* What has come over a stream to this place.  Returns the length of the answer, with which the
     * stream ends; 0: more is to come. */
    size_t (*asked)(void *self, size_t place, wzp_bytes so_far, uint8_t *out, size_t cap,
                    wzp_time now);
} wzp_ct_web_ops;

typedef struct wzp_ct_web {
    void *self; /* of the core whose web it is */
    const wzp_ct_web_ops *ops;
} wzp_ct_web;

/* --- in real time ----------------------------------------------------------------------------- */

struct pollfd;
typedef struct wzp_ct_sockets wzp_ct_sockets;

/* Listens at the IPs of `places`, which get their ports, and hears searches on the loopback
 * interface, and on no other.  NULL: that is not possible on this machine. */
wzp_ct_sockets *wzp_ct_sockets_new(wzp_ct_web web, wzp_addr *places);
void wzp_ct_sockets_free(wzp_ct_sockets **sockets);
const void *wzp_ct_sockets_self(const wzp_ct_sockets *sockets);

/* What is to be polled, WZP_CT_SOCKETS of them; they are given back to be served. */
enum { WZP_CT_STREAMS = 8, WZP_CT_SOCKETS = 1 + WZP_CT_WEB_PLACES + WZP_CT_STREAMS };
void wzp_ct_sockets_poll(const wzp_ct_sockets *sockets, struct pollfd *fds);
wzp_time wzp_ct_sockets_deadline(const wzp_ct_sockets *sockets);
void wzp_ct_sockets_serve(wzp_ct_sockets *sockets, const struct pollfd *fds, wzp_time now);

#endif
