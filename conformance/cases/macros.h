/* Short forms for the tables of the folders below. */
#ifndef WZP_CONFORMANCE_CASES_MACROS_H
#define WZP_CONFORMANCE_CASES_MACROS_H

#include "conformance/engine/case.h"
#include "wire/signal.h"

#define CODE(name) (1U << WZP_CODE_##name)
#define ANY_CODE 0x3fU

#define INFO(id_, chapter_, title_, requirement_, must_, traffic_, source_)                        \
    .id = (id_), .chapter = (chapter_), .title = (title_), .requirement = (requirement_),          \
    .must = (must_), .traffic = (traffic_), .source = (source_)

#define FORWARD "forward every packet untouched"
#define HANG_UP "send Hangup PolicyViolation and close"

/* A steady stream on codec `c`: rate, payload, seconds, timestamps by the wall clock. */
#define WALL(c, r, p, s)                                                                           \
    .stream = {                                                                                    \
        .codec = (c), .rate = (r), .payload = (p), .duration_ms = (s)*1000, .ts = WZP_CT_TS_FLOOR}
/* The same with a fixed step per packet. */
#define STEP(c, r, p, s, ms)                                                                       \
    .stream = {.codec = (c),                                                                       \
               .rate = (r),                                                                        \
               .payload = (p),                                                                     \
               .duration_ms = (s)*1000,                                                            \
               .ts = WZP_CT_TS_STEP,                                                               \
               .step_ms = (ms)}

#define MUST_FORWARD .rule = WZP_CT_RULE_FWD
#define MUST_HANG_UP(codes_, t) .rule = WZP_CT_RULE_ENF, .codes = (codes_), .deadline_s = (t)
#define SHOULD_HANG_UP(codes_, t) .rule = WZP_CT_RULE_LENIENT, .codes = (codes_), .deadline_s = (t)

#endif
