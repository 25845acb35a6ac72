/* Counts what a test program and its static libraries allocate; linked with --wrap. */
#ifndef WZP_MEDIA_TESTING_ALLOCS_H
#define WZP_MEDIA_TESTING_ALLOCS_H

#include <stddef.h>

extern size_t wzp_allocs_seen;

#endif
