/* The command line of wzp-client. */
#ifndef WZP_BIN_CLIENT_CLIENT_OPTIONS_H
#define WZP_BIN_CLIENT_CLIENT_OPTIONS_H

#include "adapt/tier.h"
#include "base/addr.h"
#include "base/log.h"
#include "call/race.h"
#include "client/cipher.h"
#include "nat/stun_client.h"

enum {
    WZP_CLIENT_FINDINGS = 1,
    WZP_CLIENT_USAGE = 2,
    WZP_CLIENT_UNREADABLE = 3,
    WZP_CLIENT_UNREACHABLE = 4,
    WZP_CLIENT_INCONCLUSIVE = 5
};

typedef enum wzp_client_command {
    WZP_CLIENT_JOIN,
    WZP_CLIENT_ECHO,
    WZP_CLIENT_CALL,
    WZP_CLIENT_LISTEN,
    WZP_CLIENT_DRIFT,
    WZP_CLIENT_SWEEP,
    WZP_CLIENT_NETCHECK
} wzp_client_command;

/* What NETCHECK has besides `stun`, `no_portmap` and `relay`, which may be NULL. */
typedef struct wzp_client_netcheck_options {
    const char *relays[16]; /* HOST:PORT or NAME=HOST:PORT */
    size_t relay_count;
    bool no_ipv6;
    uint32_t timeout_ms; /* of a relay; STUN waits 3 s at most */
} wzp_client_netcheck_options;

typedef struct wzp_client_options {
    wzp_client_command command;
    const char *room, *send_file, *record, *alias, *relay;
    const char *metrics_file;   /* JOIN, CALL, LISTEN: a line of figures a second; NULL: none */
    const char *callee;         /* CALL: a fingerprint */
    const char *token;          /* NULL: none */
    double tone_hz, duration_s; /* 0: not given */
    double tone_s;              /* so long the tone; 0: to the end */
    bool silence, json, quiet;
    bool suppress_silence;
    bool feedback; /* sends TransportFeedback */
    wzp_network network;
    bool stats; /* JOIN, CALL, LISTEN: a line of statistics now and then, see docs/CONFORMANCE.md */
    wzp_media_crypto media_crypto;
    bool is_fixed;        /* the quality was chosen */
    uint8_t codec;        /* to begin with, or chosen */
    bool reject, generic; /* LISTEN: what it answers, instead of AcceptTrusted */
    /* CALL, LISTEN: the paths of the call.  `stun` and `no_portmap` are NETCHECK's, too. */
    wzp_race_policy policy;
    bool direct_only, relay_only;
    bool birthday;      /* many sockets against many probes, where nothing else is left */
    bool lab_addresses; /* loopback and private ones everywhere */
    bool no_portmap;
    wzp_addr gateway; /* CALL, LISTEN: that is asked for a port; NONE: that of the default route */
    const char *stun[WZP_STUN_SERVERS_MAX]; /* HOST:PORT */
    size_t stun_count;
    bool no_stun; /* not even those that deployed clients ask */
    bool has_seed, has_pin;
    uint8_t seed[32]; /* identity, from --seed or --mnemonic */
    uint8_t pin[32];  /* SHA-256 of the relay's certificate */
    unsigned repeat;  /* ECHO, DRIFT, SWEEP: runs */
    uint64_t draw;    /* SWEEP: --seed as a number */
    double loss_pct;  /* SWEEP: of its network, and the next one too */
    double jitter_ms;
    wzp_client_netcheck_options netcheck;
    const char *keylog, *media_keys, *qlog_dir; /* see io/traces.h; NULL: none */
    const char *capture;                        /* see io/capture.h; NULL: none */
    struct wzp_traces *traces;                  /* these, once they are open: main's */
    struct wzp_capture_lane *lane;              /* the same; of datagrams */
    struct wzp_capture_lane *media_lane;        /* or, if the file ends in .wzp, of media packets */
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
