/* The identity file of a relay that the suite may restart, in a folder of its own. */
#ifndef WZP_CONFORMANCE_EMBEDDED_IDENTITY_H
#define WZP_CONFORMANCE_EMBEDDED_IDENTITY_H

#include "conformance/engine/case.h"

enum { WZP_CT_IDENTITY_PATH = 512 };

/* Zeroed at first. */
typedef struct wzp_ct_identity {
    char folder[WZP_CT_IDENTITY_PATH - 16], path[WZP_CT_IDENTITY_PATH];
} wzp_ct_identity;

/* Makes the folder if there is none yet, and puts into the file what the relay is to find.  False:
 * errno says why. */
bool wzp_ct_identity_prepare(wzp_ct_identity *identity, wzp_ct_identity_file file);

/* Removes the folder and what is in it. */
void wzp_ct_identity_clear(wzp_ct_identity *identity);

#endif
