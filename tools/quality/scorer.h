/* A quality measure of somebody else's, as a program: ViSQOL, PESQ, whatever the user may use.
 *
 * The shell runs COMMAND with two more arguments, the paths of the reference and of the degraded
 * sound: WAV, 48 kHz, mono, 16 bit, aligned and of one length.  It prints one number. */
#ifndef WZP_TOOLS_SCORER_H
#define WZP_TOOLS_SCORER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define WZP_SCORER_WHY_MAX 600
#define WZP_SCORER_TIMEOUT_MAX_S 3600

typedef struct wzp_scorer_cfg {
    const char *command;
    const int16_t *reference, *degraded; /* 48 kHz; borrowed */
    size_t len;                          /* of both */
    uint32_t timeout_s;                  /* after that, it and its children are killed */
} wzp_scorer_cfg;

/* Waits for it; its files lie in a folder of their own meanwhile ($TMPDIR, /tmp).  On failure `why`
 * is one line: what happened, and what was expected.
 * WZP_ERR_IO       files cannot be written; it was not found, failed or was killed
 * WZP_ERR_TIMEOUT  it took too long
 * WZP_ERR_PARSE    what it printed is not one number */
WZP_MUST_USE wzp_err wzp_scorer_run(double *score, const wzp_scorer_cfg *cfg,
                                    char why[WZP_SCORER_WHY_MAX]);

#endif
