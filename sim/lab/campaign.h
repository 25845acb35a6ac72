/* Many runs: what each gave, and whether a scenario holds over its seeds (nat sheet 2.13): strict
 * checks in all of them, times and sound in 95 %.
 *
 * Everything is JSON from the beginning, because it travels between processes and machines:
 * docs/schema/sim-campaign.schema.json.  The same runs give the same document, in whatever order
 * and from however many shards they come. */
#ifndef WZP_SIM_LAB_CAMPAIGN_H
#define WZP_SIM_LAB_CAMPAIGN_H

#include "sim/lab/run.h"

/* One run.  `file` is where its scenario is.  NULL: out of memory. */
json_t *wzp_lab_record(const wzp_lab_result *result, const char *file);

/* A run that gave no result. */
json_t *wzp_lab_record_broken(const char *file, const char *name, uint64_t seed, const char *why);

/* Without runs.  `options` (borrowed): what replays must repeat, as " --set 'a=b'".  NULL: out of
 * memory. */
json_t *wzp_lab_campaign_new(uint64_t first_seed, uint64_t last_seed, const char *options);

/* `record` is taken. */
void wzp_lab_campaign_add(json_t *campaign, json_t *record);

/* A scenario that this build cannot run. */
void wzp_lab_campaign_skip(json_t *campaign, const char *file, const wzp_lab_scenario *scenario);

/* Adds the runs of `from`; both stay their owners'.  False: they do not belong together, `why` says
 * so. */
bool wzp_lab_campaign_merge(json_t *into, const json_t *from, char why[256]);

/* A campaign that was saved.  NULL: not one of ours, `why` says so. */
json_t *wzp_lab_campaign_load(const char *path, char why[256]);

/* Sorts the runs and sums them up.  To be called once, when all are there. */
void wzp_lab_campaign_finish(json_t *campaign);

typedef struct wzp_lab_campaign_totals {
    size_t scenarios, failed, skipped; /* scenarios */
    size_t runs, failed_runs, missing; /* runs; missing: that seeds and scenarios promise */
} wzp_lab_campaign_totals;
wzp_lab_campaign_totals wzp_lab_campaign_count(const json_t *campaign); /* of a finished one */

/* A line for each scenario, and for each failing seed the command that replays it. */
bool wzp_lab_campaign_text(FILE *out, const json_t *campaign, bool colour, bool quiet);

#endif
