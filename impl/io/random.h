/* The operating system's random source. */
#ifndef WZP_IO_RANDOM_H
#define WZP_IO_RANDOM_H

#include "base/rng.h"

/* getrandom(2).  A kernel that cannot give random bytes ends the program: nothing safe could
 * follow. */
wzp_rng wzp_random(void);

#endif
