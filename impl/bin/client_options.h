/* The command line of wzp-client. */
#ifndef WZP_BIN_CLIENT_OPTIONS_H
#define WZP_BIN_CLIENT_OPTIONS_H

#include "adapt/tier.h"
#include "base/addr.h"
#include "base/log.h"
#include "client/cipher.h"

enum { WZP_CLIENT_USAGE = 2, WZP_CLIENT_UNREADABLE = 3, WZP_CLIENT_UNREACHABLE = 4 };

typedef enum wzp_client_command {
    WZP_CLIENT_JOIN,
    WZP_CLIENT_ECHO,
    WZP_CLIENT_CALL,
    WZP_CLIENT_LISTEN
} wzp_client_command;

typedef struct wzp_client_options {
    wzp_client_command command;
    const char *room, *send_file, *record, *seed_hex, *alias, *relay;
    const char *callee;         /* CALL: a fingerprint */
    double tone_hz, duration_s; /* 0: not given */
    bool silence, json, quiet;
    bool suppress_silence;
    wzp_network network;
    bool stats; /* JOIN: a line of statistics now and then, see docs/CONFORMANCE.md */
    wzp_media_crypto media_crypto;
    bool is_fixed;        /* the quality was chosen */
    uint8_t codec;        /* to begin with, or chosen */
    bool reject, generic; /* LISTEN: what it answers, instead of AcceptTrusted */
    wzp_log_level log_level;
} wzp_client_options;

/* The program's exit status when it is over already, which --help and a mistake make it; -1: go on.
 */
int wzp_client_parse(wzp_client_options *out, int argc, char **argv);

/* HOST:PORT, by name too.  0, or the exit status after a line about it. */
int wzp_client_resolve(const char *text, wzp_addr *out);

/* One line on stderr; returns `code`. */
int wzp_client_complain(int code, const char *what, const char *why);

#endif
