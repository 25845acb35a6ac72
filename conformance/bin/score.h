/* wzp-conformance score: what the meters say of traces. */
#ifndef WZP_CONFORMANCE_BIN_SCORE_H
#define WZP_CONFORMANCE_BIN_SCORE_H

/* argv[0] is "score".  Returns the exit status: 0 all right, 1 a legitimate sender would be hung up
 * on or abuse of tiers A to E goes unnoticed, 2 usage, 3 a file cannot be read or written. */
int wzp_ct_score(int argc, char **argv);

#endif
