/* The command line of wzp-sim. */
#ifndef WZP_SIM_BIN_OPTIONS_H
#define WZP_SIM_BIN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/* Exit codes are the same for all programs of the house. */
enum {
    EXIT_GOOD = 0,
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2,
    EXIT_UNREADABLE = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_INCONCLUSIVE = 5,
    EXIT_UNKNOWN_NAME = 127
};

#define WZP_SIM_SETS_MAX 64
#define WZP_SIM_FILES_MAX 512

typedef struct wzp_sim_options wzp_sim_options;

/* Returns the exit status. */
typedef int wzp_sim_verb_main(const wzp_sim_options *options);

struct wzp_sim_options {
    wzp_sim_verb_main *verb;
    const char *files[WZP_SIM_FILES_MAX]; /* scenarios, folders, or results to merge */
    size_t file_count;
    const char *sets[WZP_SIM_SETS_MAX]; /* key=value */
    size_t set_count;
    const char *engine, *pcap, *qlog, *trace, *json, *html, *out; /* NULL: not given */
    const char *listen, *upstream, *host, *how_long;              /* proxy */
    uint64_t seed, first_seed, last_seed, shard, shards, jobs;
    bool has_seed, check, merge, quiet, colour;
    wzp_log_level log_level;
};

/* -1: go on with *out; otherwise the exit status, all having been said. */
int wzp_sim_options_parse(wzp_sim_options *out, int argc, char **argv);

wzp_sim_verb_main wzp_sim_list, wzp_sim_run, wzp_sim_campaign, wzp_sim_shrink, wzp_sim_matrix,
    wzp_sim_proxy_main;

#endif
