/* Which names did they mean?  For messages about names that do not exist. */
#ifndef WZP_SIM_LAB_NEAR_H
#define WZP_SIM_LAB_NEAR_H

#include <stddef.h>

/* The Nth name of a list, NULL past the last. */
typedef const char *wzp_lab_name_at(const void *list, size_t index);

/* For lists that are arrays of strings with a NULL at the end. */
wzp_lab_name_at wzp_lab_word_at;

/* " ('access'?)" with the nearest names, at most three and only if they are near; else "".
 * Returns `buf`. */
#define WZP_LAB_NEAR_MAX 160
const char *wzp_lab_near(const char *name, wzp_lab_name_at *at, const void *list,
                         char buf[WZP_LAB_NEAR_MAX]);

/* All names, as "a, b, c"; cut with "..." when they do not fit.  Returns `buf`. */
const char *wzp_lab_names(wzp_lab_name_at *at, const void *list, char *buf, size_t cap);

#endif
