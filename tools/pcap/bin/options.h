/* The command line of wzp-pcap: options that all verbs share, and the verbs. */
#ifndef WZP_PCAP_BIN_OPTIONS_H
#define WZP_PCAP_BIN_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/log.h"

/* Exit codes are the same for all programs of the house. */
enum {
    EXIT_GOOD = 0,
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_INCONCLUSIVE = 5
};

#define WZP_PCAP_KEYLOGS_MAX 16
#define WZP_PCAP_ARGS_MAX 16
#define WZP_PCAP_OWN_OPTION 512 /* a verb's own long options count from here */

/* What all verbs take.  Strings are those of the command line. */
typedef struct wzp_pcap_options {
    const char *args[WZP_PCAP_ARGS_MAX]; /* what is no option: captures, mostly */
    size_t arg_count;
    const char *keylogs[WZP_PCAP_KEYLOGS_MAX], *media_keys[WZP_PCAP_KEYLOGS_MAX];
    size_t keylog_count, media_key_count;
    uint64_t max_packets; /* UINT64_MAX: all */
    bool quiet, colour;   /* colour: standard output is a terminal that wants it */
    bool legacy_nonce;    /* try packet counters as nonces, too */
    wzp_log_level log_level;
} wzp_pcap_options;

/* One verb, one file verb_NAME.c, one line in verbs.c. */
typedef struct wzp_pcap_verb {
    const char *name;
    const char *args;             /* as usage shows them: "FILE" */
    const char *about;            /* half a line */
    const char *help;             /* its own options and an example, lines with their ends */
    const char *shorts;           /* as for getopt, its own; NULL: none */
    const struct option *options; /* its own long ones up to one without name; NULL: none */
    /* One of its options; false after wzp_pcap_complain. */
    bool (*take)(int id, const char *value);
    /* Returns the exit status. */
    int (*run)(const wzp_pcap_options *options);
} wzp_pcap_verb;

/* NULL behind the last. */
extern const wzp_pcap_verb *const wzp_pcap_verbs[];

/* -1: go on with *verb and *out; otherwise the exit status, all having been said. */
int wzp_pcap_options_parse(wzp_pcap_options *out, const wzp_pcap_verb **verb, int argc,
                           char **argv);

/* "wzp-pcap: ..." on standard error, with a line end.  Returns false. */
bool wzp_pcap_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A new file for its owner only, as secrets may go into it; one that is there already is left
 * alone, for they may be lost with it.  NULL: errno says why. */
FILE *wzp_pcap_create(const char *path);

/* What kind of file a name says: something in front of `ending`. */
bool wzp_pcap_ends_in(const char *path, const char *ending);

/* A whole number and nothing else. */
bool wzp_pcap_number(const char *text, uint64_t *out);

#endif
