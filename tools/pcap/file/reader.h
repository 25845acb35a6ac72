/* Reads captures: pcap (microseconds, nanoseconds, both byte orders), pcapng (several sections and
 * interfaces, Decryption Secrets Blocks), upstream's `.wzp` version 1 (tools sheet 2), and text of
 * hexadecimal lines, one media packet each.  Which one it is, the first bytes say.
 *
 * Where lengths make no sense, the reader looks for the next block, record or line that does: the
 * problem says from where, a second one how many bytes were passed over.
 *
 * Sans-IO and streaming: the caller fills the reader's own buffer and takes items out until there
 * are none.  Memory is one buffer of WZP_PCAP_BLOCK_MAX and 256 KiB, and what describes interfaces,
 * whatever the file's size.  libpcap would do for plain pcap only: it skips secrets and refuses
 * pcapng files of several link types. */
#ifndef WZP_PCAP_FILE_READER_H
#define WZP_PCAP_FILE_READER_H

#include "base/err.h"
#include "tools/pcap/file/packet.h"

#define WZP_PCAP_BLOCK_MAX (1u << 20) /* bytes of one block or line; longer ones are skipped */
#define WZP_PCAP_PACKET_MAX 262144u   /* of one packet in pcap, as libpcap has it */
#define WZP_PCAP_SECRETS_MAX                                                                       \
    (64u << 20)                     /* of one block of secrets: given in pieces, whole lines       \
                                     */
#define WZP_PCAP_INTERFACES_MAX 256 /* of a section; packets of further ones are skipped */
#define WZP_PCAP_NAME_MAX 64        /* of an interface, with terminator; longer ones are cut */

typedef enum wzp_pcap_form {
    WZP_PCAP_FORM_UNKNOWN, /* too few bytes so far */
    WZP_PCAP_FORM_PCAP,
    WZP_PCAP_FORM_PCAPNG,
    WZP_PCAP_FORM_WZP,
    WZP_PCAP_FORM_HEX
} wzp_pcap_form;

/* What is wrong with the file, and where.  Reading goes on where it can. */
typedef struct wzp_pcap_problem {
    const char *text; /* static: what, and what was done about it */
    uint64_t offset;  /* in the file */
    uint64_t packet;  /* that it is about, or the last one before it; 0: none */
    uint64_t got;     /* the offending value, 0 where there is none */
} wzp_pcap_problem;

typedef enum wzp_pcap_item_kind {
    WZP_PCAP_ITEM_PACKET,
    WZP_PCAP_ITEM_SECRETS, /* text of an NSS key log; or, if media_keys, lines WZP_MEDIA_KEY; whole
                              lines */
    WZP_PCAP_ITEM_HEADER,  /* of a `.wzp` file: its JSON */
    WZP_PCAP_ITEM_PROBLEM
} wzp_pcap_item_kind;

typedef struct wzp_pcap_item {
    wzp_pcap_item_kind kind;
    wzp_pcap_packet packet;
    wzp_bytes text;  /* secrets, header */
    bool media_keys; /* SECRETS of type WZP_PCAPNG_SECRETS_MEDIA (trace/pcapng.h), decoder.h reads
                        them */
    wzp_pcap_problem problem;
} wzp_pcap_item;

typedef struct wzp_pcap_reader wzp_pcap_reader;

/* WZP_ERR_NOMEM */
WZP_MUST_USE wzp_err wzp_pcap_reader_new(wzp_pcap_reader **out);
/* Accepts NULL, leaves NULL. */
void wzp_pcap_reader_free(wzp_pcap_reader **reader);

/* Where the file's next bytes go: at least 64 KiB once no item is left; never NULL then. */
uint8_t *wzp_pcap_reader_room(wzp_pcap_reader *reader, size_t *cap);
/* `len` bytes were written there; 0: the file ends here. */
void wzp_pcap_reader_filled(wzp_pcap_reader *reader, size_t len);

/* The next item; its views are borrowed until the next call of room.  False: more bytes are
 * needed, or the end was reached and said. */
bool wzp_pcap_reader_next(wzp_pcap_reader *reader, wzp_pcap_item *out);

wzp_pcap_form wzp_pcap_reader_form(const wzp_pcap_reader *reader);

typedef struct wzp_pcap_reader_counters {
    uint64_t bytes, packets, secrets, problems;
    uint64_t skipped; /* packets that were there and not given */
    uint64_t ignored; /* blocks of pcapng that say nothing about packets */
} wzp_pcap_reader_counters;

const wzp_pcap_reader_counters *wzp_pcap_reader_count(const wzp_pcap_reader *reader);

#endif
