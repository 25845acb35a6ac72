/* Names of what messages say, for whoever prints them; static text. */
#ifndef WZP_PCAP_DECODE_NAMES_H
#define WZP_PCAP_DECODE_NAMES_H

#include "tools/pcap/decode/message.h"

const char *wzp_pcap_role_name(wzp_pcap_role role); /* "room", "signal", ... */

#endif
