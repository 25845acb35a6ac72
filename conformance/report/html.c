/* One self-contained page: nothing is fetched, and a policy in its head forbids it.  It reads
 * without the script, which only opens and closes cases. */
#include "conformance/report/html.h"

#include <string.h>

#include "conformance/report/out.h"
#include "conformance/report/report.h"
#include "conformance/report/text.h"

enum { OPEN_AT_MOST = 4 }; /* failed cases that are shown open */

/* --- head ------------------------------------------------------------------------------------- */

static void put_base64(FILE *out, const unsigned char *bytes, size_t len) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        const unsigned b1 = i + 1 < len ? bytes[i + 1] : 0;
        const unsigned b2 = i + 2 < len ? bytes[i + 2] : 0;
        const unsigned v = (unsigned)bytes[i] << 16 | b1 << 8 | b2;
        put_char(out, digits[v >> 18]);
        put_char(out, digits[v >> 12 & 63]);
        put_char(out, (char)(i + 1 < len ? digits[v >> 6 & 63] : '='));
        put_char(out, (char)(i + 2 < len ? digits[v & 63] : '='));
    }
}

static void put_head(FILE *out, const wzp_ct_report *r) {
    put_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src 'unsafe-inline'; script-src 'sha256-");
    put_base64(out, wzp_ct_page_js_sha256, sizeof wzp_ct_page_js_sha256);
    put_text(out, "'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<title>WZP conformance: ");
    wzp_ct_put_xml(out, r->target);
    put_format(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", wzp_ct_page_css);
    put_text(
        out,
        "<a class=\"skip-link\" href=\"#cases\">Skip to the cases</a>\n<div class=\"sheet\">\n");
}

/* --- the run as a whole ----------------------------------------------------------------------- */

static const char *const look_words[WZP_CT_LOOK_COUNT] = {"passed", "failed", "with a warning",
                                                          "inconclusive", "skipped"};

static void put_fact(FILE *out, const char *name, const char *value) {
    if (*value != '\0') {
        put_format(out, "<div><dt>%s</dt><dd>", name);
        wzp_ct_put_xml(out, value);
        put_text(out, "</dd></div>\n");
    }
}

static void put_facts(FILE *out, const wzp_ct_report *r) {
    char text[160];
    put_text(out, "<dl class=\"facts\">\n");
    put_fact(out, "Relay build", r->target_build);
    (void)snprintf(text, sizeof text, "%s%s%s", wzp_ct_mode_name(r->detected_mode),
                   r->declared_mode != WZP_CT_MODE_UNKNOWN ? ", declared " : "",
                   r->declared_mode != WZP_CT_MODE_UNKNOWN ? wzp_ct_mode_name(r->declared_mode)
                                                           : "");
    put_fact(out, "Mode", text);
    put_fact(out, "Limits", r->strict_limits ? "strict" : "deployed");
    put_fact(out, "Started", r->started);
    (void)snprintf(text, sizeof text, "%.1f s%s", r->duration_s,
                   r->virtual_time ? " for simulated time" : "");
    put_fact(out, "Took", text);
    (void)snprintf(text, sizeof text, "%u, seed %llu", r->repeat, (unsigned long long)r->seed);
    put_fact(out, "Runs per case", text);
    (void)snprintf(text, sizeof text, "%.40s (%.40s)", r->suite_version, r->build_hash);
    put_fact(out, "Suite", text);
    put_text(out, "</dl>\n");
}

/* A bar with the share of each look, and the numbers. */
static void put_totals(FILE *out, const wzp_ct_rates *all) {
    put_text(out, "<div class=\"share\" aria-hidden=\"true\">");
    for (int look = 0; look < WZP_CT_LOOK_COUNT; look++) {
        if (all->looks[look] != 0) {
            put_format(out, "<span class=\"%s\" style=\"flex-grow:%u\"></span>",
                       wzp_ct_html_class((wzp_ct_look)look), all->looks[look]);
        }
    }
    put_text(out, "</div>\n<ul class=\"totals\">\n");
    for (int look = 0; look < WZP_CT_LOOK_COUNT; look++) {
        put_format(out, "<li%s><b>%u</b>", all->looks[look] == 0 ? " class=\"none\"" : "",
                   all->looks[look]);
        wzp_ct_html_sign(out, (wzp_ct_look)look, look_words[look]);
        put_text(out, "</li>\n");
    }
    put_text(out, "</ul>\n");
}

static void put_notice(FILE *out, const char *class_name, const char *lead, const char *text) {
    put_format(out, "<p class=\"notice %s\"><b>%s</b> ", class_name, lead);
    wzp_ct_put_xml(out, text);
    put_text(out, "</p>\n");
}

static wzp_ct_look look_of_run(const wzp_ct_report *r) {
    const uint32_t *n = r->totals.by_grade;
    return r->fatal[0] != '\0'           ? WZP_CT_LOOK_INCONCLUSIVE
           : n[WZP_CT_FAIL] != 0         ? WZP_CT_LOOK_FAIL
           : n[WZP_CT_INCONCLUSIVE] != 0 ? WZP_CT_LOOK_INCONCLUSIVE
           : r->totals.warnings != 0     ? WZP_CT_LOOK_WARNING
           : n[WZP_CT_PASS] != 0         ? WZP_CT_LOOK_PASS
                                         : WZP_CT_LOOK_SKIP;
}

static void put_overview(FILE *out, const wzp_ct_report *r) {
    char verdict[160];
    wzp_ct_rates all;
    wzp_ct_rates_of(&all, r->cases, r->case_count);
    put_text(out, "<header>\n<p class=\"kicker\">WZP v2 relay conformance</p>\n<h1>");
    wzp_ct_put_xml(out, r->target);
    const wzp_ct_look look = look_of_run(r);
    put_format(out, "</h1>\n<p class=\"verdict %s\">", wzp_ct_html_class(look));
    wzp_ct_html_sign(out, look, wzp_ct_verdict(r, verdict));
    put_text(out, "</p>\n");
    if (r->fatal[0] != '\0') {
        put_notice(out, "unclear", "Calibration failed.", r->fatal);
    }
    if (r->interrupted) {
        put_notice(out, "warn", "Interrupted.", "This is what ran before.");
    }
    if (r->detected_mode == WZP_CT_MODE_OBSERVE && r->declared_mode != WZP_CT_MODE_ENFORCE) {
        put_notice(out, "skip", "This relay only observes.",
                   "It meters and does not enforce: cases with abuse are skipped, and nothing is "
                   "said about what it would do against abuse.");
    }
    put_totals(out, &all);
    put_facts(out, r);
    put_text(out, "</header>\n<main>\n");
}

/* --- by chapter ------------------------------------------------------------------------------- */

static void put_count(FILE *out, const char *name, unsigned count, bool bad) {
    const char *kind = count == 0 ? " none-of" : "";
    put_format(out, "<td class=\"n%s\" data-name=\"%s\"%s>", kind, name,
               bad && count != 0 ? " data-bad" : "");
    put_format(out, count != 0 ? "%u</td>" : "–</td>", count);
}

/* good_whole: all is well if part equals whole, otherwise if part is 0. */
static void put_share_of(FILE *out, const char *name, unsigned part, unsigned whole,
                         bool good_whole) {
    const bool bad = whole != 0 && part != (good_whole ? whole : 0);
    put_format(out, "<td class=\"n%s\" data-name=\"%s\"%s>", whole == 0 ? " none-of" : "", name,
               bad ? " data-bad" : "");
    put_format(out, whole != 0 ? "%u of %u</td>" : "–</td>", part, whole);
}

static void put_seconds(FILE *out, const char *name, const wzp_ct_rates *n, double t) {
    put_format(out, "<td class=\"n%s\" data-name=\"%s\">", n->hangups == 0 ? " none-of" : "", name);
    put_format(out, n->hangups != 0 ? "%.2f s</td>" : "–</td>", t);
}

static void put_rates(FILE *out, const wzp_ct_rates *n) {
    put_count(out, "Cases", n->cases, false);
    put_count(out, "Passed", n->looks[WZP_CT_LOOK_PASS] + n->looks[WZP_CT_LOOK_WARNING], false);
    put_count(out, "Failed", n->looks[WZP_CT_LOOK_FAIL], true);
    put_count(out, "Inconclusive", n->looks[WZP_CT_LOOK_INCONCLUSIVE], false);
    put_count(out, "Skipped", n->looks[WZP_CT_LOOK_SKIP], false);
    put_share_of(out, "Abuse caught", n->caught, n->abuse, true);
    put_share_of(out, "False positives", n->hurt, n->legit, false);
    put_seconds(out, "Median to hangup", n, n->median_s);
    put_seconds(out, "95th percentile", n, n->p95_s);
    put_text(out, "</tr>\n");
}

static void put_chapters_table(FILE *out, const wzp_ct_report *r) {
    wzp_ct_rates n;
    put_text(
        out,
        "<section aria-labelledby=\"tiers\">\n<h2 id=\"tiers\">By tier</h2>\n"
        "<p class=\"lead\">Abuse must be caught, legitimate traffic must get through. Times run "
        "from the first packet of the abuse to the typed hangup.</p>\n"
        "<div class=\"scroll\"><table class=\"cards\"><thead><tr><th scope=\"col\">Chapter</th>");
    static const char *const columns[] = {"Cases",           "Passed",           "Failed",
                                          "Inconcl.",        "Skipped",          "Abuse caught",
                                          "False positives", "Median to hangup", "p95"};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        put_format(out, "<th scope=\"col\" class=\"n\">%s</th>", columns[i]);
    }
    put_text(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < r->case_count;) {
        const size_t end = wzp_ct_chapter_end(r, i);
        wzp_ct_rates_of(&n, r->cases + i, end - i);
        put_text(out, "<tr><th scope=\"row\"><a href=\"#chapter-");
        wzp_ct_put_path(out, r->cases[i].info->chapter);
        put_text(out, "\">");
        wzp_ct_put_xml(out, wzp_ct_chapter_title(r->cases[i].info->chapter));
        put_text(out, "</a></th>");
        put_rates(out, &n);
        i = end;
    }
    wzp_ct_rates_of(&n, r->cases, r->case_count);
    put_text(out, "</tbody>\n<tfoot><tr><th scope=\"row\">All</th>");
    put_rates(out, &n);
    put_text(out, "</tfoot></table></div>\n</section>\n");
}

/* --- panels ----------------------------------------------------------------------------------- */

static void put_worry(FILE *out, const wzp_ct_case_result *c) {
    const wzp_ct_look look = wzp_ct_look_of(c);
    const wzp_ct_run *run = wzp_ct_deciding(c);
    char reason[96];
    char word[128];
    (void)snprintf(word, sizeof word, "%s %s", wzp_ct_look_name(look),
                   wzp_ct_full_reason(c->reason, run, reason));
    put_text(out, "<li><a class=\"id\" href=\"#");
    wzp_ct_put_path(out, c->info->id);
    put_text(out, "\">");
    wzp_ct_put_xml(out, c->info->id);
    put_text(out, "</a><span class=\"title\">");
    wzp_ct_put_xml(out, c->info->title);
    put_text(out, "</span>");
    wzp_ct_html_sign(out, look, word);
    put_text(out, "<p class=\"what\">");
    wzp_ct_put_xml(out, run->actual);
    put_text(out, "</p></li>\n");
}

static unsigned count_worries(const wzp_ct_report *r, wzp_ct_worry worry) {
    unsigned count = 0;
    for (size_t i = 0; i < r->case_count; i++) {
        count += wzp_ct_worry_of(&r->cases[i]) == worry ? 1 : 0;
    }
    return count;
}

static void put_panel(FILE *out, const wzp_ct_report *r, wzp_ct_worry worry, const char *title,
                      const char *none) {
    const unsigned count = count_worries(r, worry);
    put_format(out, "<section>\n<h2>%s%s", title, count != 0 ? " " : "");
    put_format(out, count != 0 ? "<span class=\"soft\">%u</span></h2>\n" : "</h2>\n", count);
    put_text(out, "<div class=\"panel\">\n");
    if (count == 0) {
        put_format(out, "<p class=\"clean\">%s</p>\n</div>\n</section>\n", none);
        return;
    }
    put_text(out, "<ul>\n");
    for (size_t i = 0; i < r->case_count; i++) {
        if (wzp_ct_worry_of(&r->cases[i]) == worry) {
            put_worry(out, &r->cases[i]);
        }
    }
    put_text(out, "</ul>\n</div>\n</section>\n");
}

static void put_panels(FILE *out, const wzp_ct_report *r) {
    wzp_ct_rates all;
    wzp_ct_rates_of(&all, r->cases, r->case_count);
    put_panel(out, r, WZP_CT_WORRY_MISSED, "Missed abuse",
              all.abuse != 0 ? "None: every abuse that was tried got its answer."
                             : "No case with abuse was graded.");
    put_panel(out, r, WZP_CT_WORRY_FALSE_POSITIVE, "False positives",
              all.legit != 0 ? "None: all legitimate traffic got through."
                             : "No case with legitimate traffic was graded.");
    if (count_worries(r, WZP_CT_WORRY_OTHER) != 0) {
        put_panel(out, r, WZP_CT_WORRY_OTHER, "Other failures", "");
    }
}

/* --- cases ------------------------------------------------------------------------------------ */

static void put_choice(FILE *out, const char *id, const char *word, unsigned count, bool checked) {
    put_format(out,
               "<label><input type=\"radio\" name=\"only\" id=\"only-%s\"%s><span>%s %u</span>"
               "</label>\n",
               id, checked ? " checked" : "", word, count);
}

static void put_filter(FILE *out, const wzp_ct_report *r) {
    static const char *const words[] = {"Passed", "Failed", "Warnings", "Inconclusive", "Skipped"};
    wzp_ct_rates all;
    wzp_ct_rates_of(&all, r->cases, r->case_count);
    put_text(out, "<div class=\"tools\"><fieldset class=\"filter\"><legend>Show</legend>\n");
    put_choice(out, "all", "All", all.cases, true);
    for (int look = 0; look < WZP_CT_LOOK_COUNT; look++) {
        if (all.looks[look] != 0) {
            put_choice(out, wzp_ct_html_class((wzp_ct_look)look), words[look], all.looks[look],
                       false);
        }
    }
    put_text(out, "</fieldset><button type=\"button\" id=\"open-all\" aria-pressed=\"false\" "
                  "hidden>Open all</button></div>\n");
}

static void put_cases(FILE *out, const wzp_ct_report *r) {
    const bool few = r->totals.by_grade[WZP_CT_FAIL] <= OPEN_AT_MOST;
    put_text(out, "<section aria-labelledby=\"cases\">\n<h2 id=\"cases\">Cases</h2>\n");
    put_filter(out, r);
    for (size_t i = 0; i < r->case_count;) {
        const size_t end = wzp_ct_chapter_end(r, i);
        const char *chapter = r->cases[i].info->chapter;
        put_text(out, "<div class=\"chapter\"><h3 id=\"chapter-");
        wzp_ct_put_path(out, chapter);
        put_text(out, "\">");
        wzp_ct_put_xml(out, wzp_ct_chapter_title(chapter));
        put_text(out, "</h3>\n");
        for (; i < end; i++) {
            wzp_ct_html_case(out, &r->cases[i], few && r->cases[i].grade == WZP_CT_FAIL);
        }
        put_text(out, "</div>\n");
    }
    put_text(out, "</section>\n</main>\n");
}

static void put_foot(FILE *out, const wzp_ct_report *r) {
    put_text(out, "<footer>\n<p>Repeat this run:</p>\n<p><code>");
    wzp_ct_put_xml(out, r->replay);
    put_format(out, "</code></p>\n</footer>\n</div>\n<script>%s</script>\n</body>\n</html>\n",
               wzp_ct_page_js);
}

bool wzp_ct_report_html(FILE *out, const wzp_ct_report *r) {
    put_head(out, r);
    put_overview(out, r);
    put_chapters_table(out, r);
    put_panels(out, r);
    put_cases(out, r);
    put_foot(out, r);
    return ferror(out) == 0;
}
