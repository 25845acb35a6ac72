/* HTTP messages as text, as far as UPnP needs them: requests in, responses out, and the header
 * lines that SSDP shares with HTTP.  Pure functions. */
#ifndef WZP_SIM_GATEWAY_HTTP_H
#define WZP_SIM_GATEWAY_HTTP_H

#include "base/addr.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/wr.h"

#define WZP_SIM_HTTP_HEAD_MAX 4096
#define WZP_SIM_HTTP_BODY_MAX 16384

/* Views into the request. */
typedef struct wzp_sim_http_request {
    wzp_bytes method, target;
    wzp_bytes head; /* all lines */
    wzp_bytes body;
    size_t len; /* of the whole request: a second one may follow on the same connection */
} wzp_sim_http_request;

/* TRUNCATED: as far as it goes it is right, and more must come.  PARSE: never a request that we
 * understand (no HTTP/1.x, too long, a body in chunks).  `fail` may be NULL. */
WZP_MUST_USE wzp_err wzp_sim_http_parse(wzp_sim_http_request *out, wzp_bytes text, wzp_fail *fail);

/* The value of the first header of this name (any case), blanks around it removed.  `head` begins
 * with the start line. */
bool wzp_sim_http_header(wzp_bytes head, const char *name, wzp_bytes *value);

/* The first line of `head` without its end. */
wzp_bytes wzp_sim_http_start_line(wzp_bytes head);

/* A whole response; with `chunked` its body comes in pieces that break anywhere. */
void wzp_sim_http_respond(wzp_wr *wr, unsigned status, const char *type, wzp_bytes body,
                          bool chunked);

/* Text comparison for views, any case. */
bool wzp_sim_http_same(wzp_bytes text, const char *word);

/* Digits only, at most `most`. */
bool wzp_sim_http_number(wzp_bytes text, uint32_t most, uint32_t *out);

void wzp_sim_http_put_number(wzp_wr *wr, uint32_t value);

/* "a.b.c.d" or "[v6]", without the port. */
void wzp_sim_http_put_ip(wzp_wr *wr, const wzp_addr *addr);

#endif
