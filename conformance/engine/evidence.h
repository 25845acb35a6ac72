/* Evidence of one run: what went over the wire (pcapng with the TLS secrets inside), the secrets
 * alone, and the events in JSON lines.  Kept in memory until the verdict says whether to write it.
 */
#ifndef WZP_CONFORMANCE_ENGINE_EVIDENCE_H
#define WZP_CONFORMANCE_ENGINE_EVIDENCE_H

#include "quic/quic.h"

typedef struct wzp_evidence wzp_evidence;

#define WZP_EVIDENCE_MAX (16U << 20) /* bytes of packets kept per run; the rest is counted */

wzp_evidence *wzp_evidence_new(void);
void wzp_evidence_free(wzp_evidence **evidence);

/* All accept a NULL evidence and do nothing then. */
void wzp_evidence_packet(wzp_evidence *e, const wzp_addr *from, const wzp_addr *to,
                         wzp_bytes payload, wzp_time now);
void wzp_evidence_secret(wzp_evidence *e, const char *line);
/* One event; `detail` is printable text, quoted by the writer. */
void wzp_evidence_event(wzp_evidence *e, wzp_time now, const char *who, const char *what,
                        const char *detail);

/* Writes STEM.pcapng, STEM.keys, STEM.jsonl into `dir`; false: *why says which and why. */
bool wzp_evidence_write(const wzp_evidence *e, const char *dir, const char *stem, char why[256]);

#endif
