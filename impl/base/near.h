/* How unlike two names are, for messages about names that do not exist. */
#ifndef WZP_BASE_NEAR_H
#define WZP_BASE_NEAR_H

#include <stddef.h>

#define WZP_NEAR_LONGEST 63

/* Insertions, deletions and replacements of octets from one to the other; SIZE_MAX if one of them
 * is longer than WZP_NEAR_LONGEST. */
size_t wzp_near_distance(const char *a, const char *b);

#endif
