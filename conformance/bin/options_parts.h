/* Parts of the command line of wzp-conformance, for each other. */
#ifndef WZP_CONFORMANCE_BIN_OPTIONS_PARTS_H
#define WZP_CONFORMANCE_BIN_OPTIONS_PARTS_H

#include <stdio.h>

#include "conformance/bin/options.h"

enum { WZP_CT_USAGE = 2, WZP_CT_UNREADABLE = 3, WZP_CT_NO_SUCH_TEST = 127, WZP_CT_FILTERS = 64 };

/* As they were given. */
typedef struct wzp_ct_filters {
    const char *select[WZP_CT_FILTERS], *skip[WZP_CT_FILTERS];
    size_t selects, skips;
    char tiers[256];
} wzp_ct_filters;

void wzp_ct_options_usage(FILE *out);

/* The ids nearest to one that does not exist, to standard error, and the end of the line. */
void wzp_ct_options_suggest(const char *name);

/* Fills cases and case_count.  0, or the exit status, all having been said. */
int wzp_ct_options_select(wzp_ct_options *options, const wzp_ct_filters *filters);

#endif
