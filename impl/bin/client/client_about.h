/* The first line of what measures: figures mean little without it. */
#ifndef WZP_BIN_CLIENT_CLIENT_ABOUT_H
#define WZP_BIN_CLIENT_CLIENT_ABOUT_H

#include <stdbool.h>

/* "machine: CPU, compiler, flags, libraries", or as the first member of a JSON object that is not
 * closed: {"machine":{...} */
void wzp_client_about(bool json);

#endif
