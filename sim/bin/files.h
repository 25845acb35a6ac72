/* Scenarios by name, and files to write. */
#ifndef WZP_SIM_BIN_FILES_H
#define WZP_SIM_BIN_FILES_H

#include <stdio.h>

#include "sim/bin/options.h"
#include "sim/lab/scenario.h"

/* The folder of the scenarios that come with the program: $WZP_SCENARIOS, or where they are beside
 * it, built or installed.  False: nowhere. */
bool wzp_sim_catalogue(char out[512]);

/* A path stays what it is; a name becomes the path of one that comes with the program.
 * -1, or the exit status after a complaint. */
int wzp_sim_find(const char *name, char out[512]);

/* The TOML files of a folder in the order of their names.  Returns their number, the paths
 * malloc'd; 0 after a complaint. */
size_t wzp_sim_files_of(const char *dir, char **out, size_t cap);

/* Reads, applies --set and --seed.  -1, or the exit status after all complaints. */
int wzp_sim_load(const wzp_sim_options *options, const char *path, const uint64_t *seed,
                 wzp_lab_scenario **out);

/* "-" is standard output.  NULL after a complaint. */
FILE *wzp_sim_create(const char *path);
/* False after a complaint: not everything could be written. */
bool wzp_sim_finish(FILE *out, const char *path, bool good);

#endif
