/* Which datagrams were sent and which of them arrived, unchanged: known by a 64-bit hash of the
 * whole datagram, so that a single altered bit makes it unknown. */
#ifndef WZP_CONFORMANCE_ENGINE_LEDGER_H
#define WZP_CONFORMANCE_ENGINE_LEDGER_H

#include "base/bytes.h"
#include "base/time.h"

typedef struct wzp_ledger {
    struct wzp_ledger_entry *entries; /* open addressing */
    size_t cap, used;
    uint64_t offered, delivered, twice, unknown, late;
    uint64_t fastest, slowest; /* on the way, ns; of the delivered ones */
} wzp_ledger;

void wzp_ledger_sent(wzp_ledger *ledger, wzp_bytes datagram, wzp_time now);
bool wzp_ledger_knows(const wzp_ledger *ledger, wzp_bytes datagram);
/* `late`: it should not have come any more; counted besides. */
void wzp_ledger_got(wzp_ledger *ledger, wzp_bytes datagram, bool late, wzp_time now);
/* A fresh count; what arrives from before is then unknown to nobody: it is remembered as old. */
void wzp_ledger_reset(wzp_ledger *ledger);
void wzp_ledger_clear(wzp_ledger *ledger);

#endif
