/* What a CI run shows of a capture. */
#include <inttypes.h>

#include "tools/pcap/report/put.h"
#include "tools/pcap/report/words.h"

static void put_findings(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_findings *all = wzp_pcap_flow_findings(r->flow);
    if (all->count == 0) {
        wzp_pcap_text_str(out, "Nothing to report.\n\n");
        return;
    }
    wzp_pcap_text_str(out, "| level | packet | s | finding |\n|---|--:|--:|---|\n");
    for (size_t i = 0; i < all->count; i++) {
        const wzp_pcap_finding *f = &all->list[i];
        wzp_pcap_putf(out, "| %s | ", wzp_pcap_level_name(f->level));
        if (f->packet != 0) {
            wzp_pcap_putf(out, "%" PRIu64 " | %.3f", f->packet, wzp_pcap_since(r, f->ns));
        } else {
            wzp_pcap_text_str(out, "| ");
        }
        wzp_pcap_text_str(out, " | ");
        if (f->stream + f->conn != 0) {
            wzp_pcap_putf(out, "%s %" PRIu32 ": ", f->stream != 0 ? "stream" : "connection",
                          f->stream != 0 ? f->stream : f->conn);
        }
        wzp_pcap_put_markdown(out, f->text);
        if (f->more > 0) {
            wzp_pcap_putf(out, " (and %" PRIu64 " more)", f->more);
        }
        wzp_pcap_text_str(out, " |\n");
    }
    wzp_pcap_text_char(out, '\n');
}

static void put_streams(wzp_pcap_text *out, const wzp_pcap_report *r) {
    char buf[WZP_PCAP_WORD_MAX];
    wzp_pcap_text_str(out, "| stream | what | codec | packets | lost | jitter ms | kbit/s | MOS "
                           "(estimate) |\n|--:|---|---|--:|--:|--:|--:|--:|\n");
    for (size_t i = 0; i < wzp_pcap_flow_streams(r->flow); i++) {
        const wzp_pcap_stream *s = wzp_pcap_flow_stream(r->flow, i);
        wzp_pcap_loss_figures f;
        wzp_pcap_mos mos;
        wzp_pcap_loss_sum(&s->loss, &f);
        wzp_pcap_putf(out, "| %" PRIu32 " | %s, %s | ", s->number,
                      wzp_pcap_word_media(s->key.media_type),
                      wzp_pcap_word_way(s->key.conn, s->key.to_server, buf));
        wzp_pcap_put_markdown(out, wzp_pcap_word_codecs(s, buf));
        wzp_pcap_putf(out, " | %" PRIu64 " | %" PRIu64 " (%.2f %%) | %.2f | %.1f | ", s->packets,
                      f.lost, f.lost_percent, wzp_pcap_stream_jitter(r, s)->mean,
                      wzp_pcap_stream_kbps(s));
        if (wzp_pcap_stream_mos(s, &mos)) {
            wzp_pcap_putf(out, "%.2f", mos.mos);
        }
        wzp_pcap_text_str(out, " |\n");
    }
}

void wzp_pcap_report_markdown(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_totals *t = wzp_pcap_flow_count(r->flow);
    wzp_pcap_text_str(out, "## Capture ");
    wzp_pcap_put_markdown(out, r->file);
    wzp_pcap_putf(out,
                  "\n\n%.1f s, %zu connections, %zu streams, %" PRIu64 " media packets, %" PRIu64
                  " signals.\n\n",
                  wzp_pcap_since(r, t->last_ns), wzp_pcap_flow_sessions(r->flow),
                  wzp_pcap_flow_streams(r->flow), t->media, t->signals);
    put_findings(out, r);
    put_streams(out, r);
}
