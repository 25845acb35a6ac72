/* What was heard and seen: a WAV file for each stream of audio, a file for players for each stream
 * of video (tools sheet 13).  Part of the verb convert. */
#ifndef WZP_PCAP_BIN_EXTRACT_H
#define WZP_PCAP_BIN_EXTRACT_H

#include "tools/pcap/bin/options.h"
#include "tools/pcap/media/film.h"

#define WZP_PCAP_EXTRACT_MAX 64 /* files at once; further streams are counted and said */

typedef struct wzp_pcap_extract {
    const char *sound_dir, *film_dir; /* made if they are not there; NULL: none of that kind */
    wzp_pcap_film_form form;
    bool as_clear; /* payloads without a key are taken as they are */
} wzp_pcap_extract;

/* A line to standard output for each file.  The exit status: FINDINGS if media were there and none
 * of them could be written. */
int wzp_pcap_extract_run(const wzp_pcap_extract *asked, const wzp_pcap_options *options);

#endif
