/* The ladder of a call: a lane for each connection, an arrow for each signal, time downwards.  The
 * picture shows the first steps of the first connections that have any; the table has them all. */
#include <inttypes.h>

#include "tools/pcap/report/page.h"
#include "tools/pcap/report/put.h"
#include "tools/pcap/report/words.h"

enum {
    LANES = 6,
    STEPS = 300,
    TABLE = 2000,
    LEFT = 190,    /* times and packet numbers */
    NUMBERS = 140, /* where these end */
    LANE = 300,    /* one connection */
    REACH = 210,   /* from its client to its server */
    ROW = 26,
    HEAD = 46,
    LABEL = 32 /* characters */
};

typedef struct lanes {
    uint32_t conns[LANES];
    size_t count;
} lanes;

/* -1: the connection has no lane. */
static int lane_of(const lanes *l, uint32_t conn) {
    for (size_t i = 0; i < l->count; i++) {
        if (l->conns[i] == conn) {
            return (int)i;
        }
    }
    return -1;
}

static size_t shown(const wzp_pcap_report *r, lanes *l) {
    size_t steps = 0;
    for (size_t i = 0; i < wzp_pcap_flow_steps(r->flow) && steps < STEPS; i++) {
        const wzp_pcap_step *s = wzp_pcap_flow_step(r->flow, i);
        if (lane_of(l, s->conn) < 0 && l->count < LANES) {
            l->conns[l->count++] = s->conn;
        }
        steps += lane_of(l, s->conn) >= 0 ? 1 : 0;
    }
    return steps;
}

static void put_heads(wzp_pcap_text *out, const wzp_pcap_report *r, const lanes *l, int height) {
    for (size_t i = 0; i < l->count; i++) {
        const wzp_pcap_session *c = wzp_pcap_flow_find(r->flow, l->conns[i]);
        const int x = LEFT + (int)i * LANE;
        wzp_pcap_putf(out, "<text class=\"head\" x=\"%d\" y=\"15\">connection %" PRIu32 ": %s ", x,
                      l->conns[i], wzp_pcap_word_role(c != NULL ? c->conn.role : 0));
        if (c != NULL) {
            wzp_pcap_put_html_cut(out, c->conn.sni, 20);
        }
        wzp_pcap_putf(out,
                      "</text><text x=\"%d\" y=\"32\" text-anchor=\"middle\">client</text>"
                      "<text x=\"%d\" y=\"32\" text-anchor=\"middle\">server</text>",
                      x, x + REACH);
        for (int end = 0; end < 2; end++) {
            wzp_pcap_putf(out, "<line class=\"life\" x1=\"%d\" x2=\"%d\" y1=\"38\" y2=\"%d\"/>",
                          x + end * REACH, x + end * REACH, height);
        }
    }
    wzp_pcap_text_char(out, '\n');
}

/* The name, and what is in short of it; not JSON. */
static void put_label(wzp_pcap_text *out, const wzp_pcap_step *s) {
    const size_t name = strlen(s->name);
    wzp_pcap_put_html_cut(out, s->name, LABEL);
    if (s->detail[0] != '{' && s->detail[0] != '\0' && name + 4 < LABEL) {
        wzp_pcap_text_char(out, ' ');
        wzp_pcap_put_html_cut(out, s->detail, LABEL - name);
    }
    if (s->times > 1) {
        wzp_pcap_putf(out, " ×%" PRIu32, s->times);
    }
}

static void put_arrow(wzp_pcap_text *out, const wzp_pcap_report *r, const wzp_pcap_step *s,
                      int lane, int y) {
    const int left = LEFT + lane * LANE;
    const int from = s->to_server ? left : left + REACH;
    const int to = s->to_server ? left + REACH : left;
    const int back = s->to_server ? -6 : 6;
    wzp_pcap_putf(out, "<g class=\"%s\"><text x=\"4\" y=\"%d\">%.3f s</text>",
                  s->bad          ? "wrong"
                  : !s->is_signal ? "event"
                                  : "signal",
                  y + 4, wzp_pcap_since(r, s->ns));
    wzp_pcap_putf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%" PRIu64 "</text>", NUMBERS,
                  y + 4, s->packet);
    wzp_pcap_putf(out, "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                  left + REACH / 2, y - 4);
    put_label(out, s);
    wzp_pcap_text_str(out, "<title>");
    wzp_pcap_put_html(out, s->name);
    wzp_pcap_text_char(out, ' ');
    wzp_pcap_put_html(out, s->detail);
    wzp_pcap_putf(out,
                  "</title></text><path class=\"arrow\" d=\"M%d %dH%d\"/><path class=\"tip\" "
                  "d=\"M%d %dl%d -3v6z\"/></g>\n",
                  from, y, to, to, y, back);
}

static void put_picture(wzp_pcap_text *out, const wzp_pcap_report *r) {
    lanes l = {.count = 0};
    const size_t steps = shown(r, &l);
    const int height = HEAD + (int)steps * ROW + 10;
    const int width = LEFT + (int)l.count * LANE;
    wzp_pcap_putf(out,
                  "<div class=\"wide\"><svg class=\"ladder\" role=\"group\" aria-label=\"signals "
                  "in their order\" width=\"%d\" height=\"%d\" "
                  "viewBox=\"0 0 %d %d\">\n<text x=\"4\" y=\"32\">time</text><text x=\"%d\" "
                  "y=\"32\" text-anchor=\"end\">packet</text>\n",
                  width, height, width, height, NUMBERS);
    put_heads(out, r, &l, height);
    int y = HEAD + ROW / 2;
    size_t drawn = 0;
    for (size_t i = 0; i < wzp_pcap_flow_steps(r->flow) && drawn < steps; i++) {
        const wzp_pcap_step *s = wzp_pcap_flow_step(r->flow, i);
        const int lane = lane_of(&l, s->conn);
        if (lane >= 0) {
            put_arrow(out, r, s, lane, y);
            y += ROW;
            drawn++;
        }
    }
    wzp_pcap_text_str(out, "</svg></div>\n");
}

static void put_table(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const size_t count = wzp_pcap_flow_steps(r->flow);
    wzp_pcap_putf(out, "<details><summary>all %zu as a list</summary>\n<div class=\"wide\"><table>",
                  count);
    wzp_pcap_put_heads(out, ">s|>packet|connection|what|>times|detail");
    for (size_t i = 0; i < count && i < TABLE; i++) {
        const wzp_pcap_step *s = wzp_pcap_flow_step(r->flow, i);
        char way[WZP_PCAP_WORD_MAX];
        wzp_pcap_putf(
            out, "<tr><td class=\"n\">%.3f</td><td class=\"n\">%" PRIu64 "</td><td>%s</td><td>",
            wzp_pcap_since(r, s->ns), s->packet, wzp_pcap_word_way(s->conn, s->to_server, way));
        wzp_pcap_put_html(out, s->name);
        wzp_pcap_putf(out, "</td><td class=\"n\">%" PRIu32 "</td><td><code>", s->times);
        wzp_pcap_put_html(out, s->detail);
        wzp_pcap_text_str(out, "</code></td></tr>\n");
    }
    wzp_pcap_text_str(out, "</table></div></details>\n");
}

void wzp_pcap_page_ladder(wzp_pcap_text *out, const wzp_pcap_report *r) {
    const wzp_pcap_totals *t = wzp_pcap_flow_count(r->flow);
    wzp_pcap_text_str(out, "<h2 id=\"ladder\">Signals</h2>\n");
    if (wzp_pcap_flow_steps(r->flow) == 0) {
        wzp_pcap_text_str(out, "<p class=\"soft\">None that can be read.</p>\n");
        return;
    }
    put_picture(out, r);
    put_table(out, r);
    if (t->steps_dropped > 0) {
        wzp_pcap_putf(out, "<p class=\"soft\">%" PRIu64 " more are counted and not shown.</p>\n",
                      t->steps_dropped);
    }
}
