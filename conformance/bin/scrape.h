/* One look at a metrics page over HTTP; waits for it. */
#ifndef WZP_CONFORMANCE_BIN_SCRAPE_H
#define WZP_CONFORMANCE_BIN_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>

/* True for http:// and https://; anything else is a file. */
bool wzp_ct_is_url(const char *text);

/* False: no answer within two seconds, another status than 200, or more than fits; one line on
 * stderr says so.  `text` gets a terminator. */
bool wzp_ct_scrape(const char *url, char *text, size_t cap);

#endif
