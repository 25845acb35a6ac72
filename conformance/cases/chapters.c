#include "conformance/engine/case.h"

/* In the order of a run: calibration decides whether the rest means anything. */
#define CHAPTERS(X)                                                                                \
    X(cal)                                                                                         \
    X(a)                                                                                           \
    X(as)                                                                                          \
    X(b)                                                                                           \
    X(bs)                                                                                          \
    X(c)                                                                                           \
    X(d)                                                                                           \
    X(ds)                                                                                          \
    X(e)                                                                                           \
    X(fa)                                                                                          \
    X(fv)                                                                                          \
    X(g)                                                                                           \
    X(w)                                                                                           \
    X(h)                                                                                           \
    X(s)                                                                                           \
    X(rly)                                                                                         \
    X(nat)                                                                                         \
    X(fed)                                                                                         \
    X(x)                                                                                           \
    X(m)                                                                                           \
    X(xc)                                                                                          \
    X(aud)                                                                                         \
    X(hear)                                                                                        \
    X(qual)                                                                                        \
    X(natc)                                                                                        \
    X(race)                                                                                        \
    X(map)                                                                                         \
    X(upnp)                                                                                        \
    X(check)                                                                                       \
    X(rpl)

const wzp_ct_chapter *const wzp_ct_chapters[] = {
#define X(name) &wzp_ct_chapter_##name,
    CHAPTERS(X)
#undef X
};

const size_t wzp_ct_chapter_count = WZP_COUNT_OF(wzp_ct_chapters);
