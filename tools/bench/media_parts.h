/* A client's way of a frame without QUIC: adaptation, codec, packet, seal; and open, track, jitter
 * buffer, codec, put together as client.c does.  What a whole client costs beyond it is QUIC,
 * signals and the client's own bookkeeping. */
#ifndef WZP_BENCH_MEDIA_PARTS_H
#define WZP_BENCH_MEDIA_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct media_parts media_parts;

/* An even number of ends, each of which hears its neighbour.  NULL: out of memory. */
media_parts *media_parts_new(size_t ends);
void media_parts_free(media_parts **parts);

/* pcm[960] is what end `i` says in the frame that begins now; then it plays what is due.  False:
 * what its peer said is not heard. */
bool media_parts_frame(media_parts *parts, size_t i, const int16_t *pcm);

/* All ends have had their frame. */
void media_parts_pass(media_parts *parts);

#endif
