/* The command line of wzp-conformance. */
#ifndef WZP_CONFORMANCE_BIN_OPTIONS_H
#define WZP_CONFORMANCE_BIN_OPTIONS_H

#include "conformance/engine/case.h"
#include "conformance/report/expect.h"
#include "relay/relay.h"

typedef enum wzp_ct_command {
    WZP_CT_COMMAND_LIST,
    WZP_CT_COMMAND_RUN,
    WZP_CT_COMMAND_REPORT
} wzp_ct_command;

typedef struct wzp_ct_options {
    wzp_ct_command command;
    const wzp_ct_case **cases; /* what was selected, in order */
    size_t case_count;
    const char *target, *exec; /* NULL: not given */
    const char *replay_file;   /* a capture whose traffic is played, and nothing else; NULL: none */
    uint64_t replay_stream;    /* this stream of it; 0: whoever sent most */
    const char *client;        /* a command, or "embedded"; NULL: a relay is tested; "":
                                  a client that only takes calls */
    const char *listener, *checker, *caller;  /* commands; NULL: none */
    const char *mover;                        /* changes the listener's network; NULL: nobody */
    const char *metrics, *auth_metrics;       /* the same */
    const char *configs[WZP_CT_CONFIG_COUNT]; /* commands or addresses; [PLAIN] is unused */
    const char *json, *junit, *html, *markdown, *expect, *out;
    wzp_ct_expectations expectations; /* of `expect`, once they are read */
    const char *net;   /* --virtual: a scenario whose access every tester has; NULL: none */
    const char *saved; /* report: the JSON report to show */
    char *made[4];     /* the paths above that --out gave; owned */
    size_t made_count;
    char evidence_path[512];
    const char *evidence_dir; /* NULL: none */
    wzp_ct_mode mode;
    wzp_enforce enforce;  /* of the embedded relay */
    bool strict_identity; /* the same */
    uint32_t repeat, jobs;
    uint64_t seed;
    bool strict, strict_limits, virtual_time, dry_run, tap, quiet, colour, evidence_all, mode_given;
    bool long_too; /* the cases were chosen: those that take a minute are meant as well */
    wzp_log_level log_level;
    char replay[256];
} wzp_ct_options;

/* -1: go on with *out; otherwise the exit status, all having been said. */
int wzp_ct_options_parse(wzp_ct_options *out, int argc, char **argv);
void wzp_ct_options_clear(wzp_ct_options *options);

/* Reads --expect FILE, if there is one, so that no run is in vain.  False: it cannot be read, or
 * names what does not exist (said). */
bool wzp_ct_options_read_expectations(wzp_ct_options *options);

/* Applies --strict and what was read to the report. */
void wzp_ct_options_expect(const wzp_ct_options *options, wzp_ct_report *report);

#endif
