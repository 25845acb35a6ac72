/* --replay FILE: one sender of a capture, as what RPL-01 plays. */
#ifndef WZP_CONFORMANCE_BIN_REPLAY_H
#define WZP_CONFORMANCE_BIN_REPLAY_H

#include <stdint.h>

/* Reads the capture (any form that wzp-pcap reads, with secrets inside) and takes what the client
 * sent that sent most; where nobody sends to a relay, the stream with most packets.  `stream`: that
 * of this number (wzp-pcap stat) instead; 0: none.  Memory is kept until the program ends.  0, or
 * the exit status after a complaint. */
int wzp_ct_replay_load(const char *path, uint32_t stream);

#endif
