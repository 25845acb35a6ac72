#include "tools/pcap/flow/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *wzp_pcap_finding_name(wzp_pcap_finding_kind kind) {
    static const char *const names[WZP_PCAP_FINDING_COUNT] = {
#define X(name, text) text,
        WZP_PCAP_FINDING_MAP(X)
#undef X
    };
    return names[kind];
}

const char *wzp_pcap_level_name(wzp_pcap_level level) {
    static const char *const names[] = {"note", "warning", "bad"};
    return names[level];
}

/* NULL: it is to be told. */
static wzp_pcap_finding *last_of_enough(wzp_pcap_findings *s, wzp_pcap_finding_kind kind,
                                        const wzp_pcap_about *about) {
    wzp_pcap_finding *last = NULL;
    unsigned count = 0;
    for (size_t i = 0; i < s->count; i++) {
        wzp_pcap_finding *f = &s->list[i];
        if (f->kind == kind && f->stream == about->stream && f->conn == about->conn) {
            last = f;
            count++;
        }
    }
    return count >= WZP_PCAP_FINDINGS_EACH ? last : NULL;
}

void wzp_pcap_findings_add(wzp_pcap_findings *s, wzp_pcap_finding_kind kind, wzp_pcap_level level,
                           const wzp_pcap_about *about, const char *format, ...) {
    wzp_pcap_finding *last = last_of_enough(s, kind, about);
    if (last != NULL) {
        last->more++;
        return;
    }
    if (s->count == WZP_PCAP_FINDINGS_MAX) {
        s->dropped++;
        return;
    }
    wzp_pcap_finding *f = &s->list[s->count++];
    *f = (wzp_pcap_finding){.packet = about->packet,
                            .ns = about->ns,
                            .conn = about->conn,
                            .stream = about->stream,
                            .kind = kind,
                            .level = level};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(f->text, sizeof f->text, format, args);
    va_end(args);
}

static int by_packet(const void *a, const void *b) {
    const wzp_pcap_finding *x = a;
    const wzp_pcap_finding *y = b;
    const uint64_t p = x->packet - 1; /* none is last */
    const uint64_t q = y->packet - 1;
    if (p != q) {
        return p < q ? -1 : 1;
    }
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return x->stream < y->stream ? -1 : x->stream > y->stream;
}

void wzp_pcap_findings_sort(wzp_pcap_findings *s) {
    qsort(s->list, s->count, sizeof *s->list, by_packet);
}
