/* Test helper: an HTTP server in a thread that reads one request per connection and says what it
 * was told to say, which may be nothing. */
#ifndef WZP_IO_TESTING_HTTP_SERVER_H
#define WZP_IO_TESTING_HTTP_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct http_server {
    const char *reply; /* NULL: closes at once */
    size_t cut;        /* bytes of the reply that are sent; SIZE_MAX: all */
    unsigned delay_ms, repeat;
    bool keeps_open;

    int fd;
    unsigned port;
    pthread_t thread;
    char request[8192]; /* the last one */
} http_server;

/* On 127.0.0.1, at a free port. */
void http_server_start(http_server *server);
/* The socket alone, for a thread of the caller's. */
void http_server_listen(http_server *server);
void http_server_stop(const http_server *server);

#endif
