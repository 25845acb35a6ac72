/* Where a verb's packets come from: a capture file, standard input, a FIFO. */
#ifndef WZP_PCAP_BIN_SOURCE_H
#define WZP_PCAP_BIN_SOURCE_H

#include "tools/pcap/bin/options.h"
#include "tools/pcap/decode/decoder.h"
#include "tools/pcap/file/reader.h"

/* Members may be NULL. */
typedef struct wzp_pcap_source {
    const wzp_pcap_options *options;
    wzp_pcap_decoder *decoder; /* takes every item; NULL: nothing is decoded */
    void (*item)(void *ctx, const wzp_pcap_item *item); /* each one, after the decoder had it */
    /* Before each read of the file; `waits`: nothing is there to be read now. */
    void (*reading)(void *ctx, bool waits);
    bool (*stop)(void *ctx); /* asked after each packet */
    void *ctx;

    uint64_t keylog_sizes[WZP_PCAP_KEYLOGS_MAX]; /* of what was read of them */
    wzp_pcap_form form;                          /* of the file that was read last */
    wzp_pcap_reader_counters read;
} wzp_pcap_source;

/* --keylog and --media-keys into a decoder.  -1, or the exit status after a complaint. */
int wzp_pcap_source_keys(const wzp_pcap_options *options, wzp_pcap_decoder *decoder);

/* Reads all of `path` ("-": standard input) and ends the decoder.  -1, or the exit status after a
 * complaint: the file cannot be opened, nothing of it is readable, no memory. */
int wzp_pcap_source_run(wzp_pcap_source *source, const char *path);

/* The same with packets of a network interface, until Ctrl-C, --max or `stop`.  Only in builds with
 * libpcap (WZP_HAVE_PCAP). */
int wzp_pcap_source_listen(wzp_pcap_source *source, const char *name);

/* For listen: one item; *enough: it was the last one wanted.  -1, or the exit status after a
 * complaint. */
int wzp_pcap_source_take(wzp_pcap_source *source, const wzp_pcap_item *item, bool *enough);

/* For listen: before each wait for packets, `waits` as for `reading`.  Key logs that have grown
 * since are read again then. */
void wzp_pcap_source_pause(wzp_pcap_source *source, bool waits);

#endif
