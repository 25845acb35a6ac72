/* Which cases a run is about. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/near.h"
#include "conformance/bin/options_parts.h"

enum { SUGGESTIONS = 5 };

void wzp_ct_options_suggest(const char *name) {
    size_t best = SIZE_MAX;
    unsigned left = SUGGESTIONS;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
            for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
                const char *id = wzp_ct_chapters[c]->cases[i].info.id;
                const size_t d = wzp_near_distance(name, id);
                if (pass == 1 && d == best && left > 0) {
                    left--;
                    (void)fprintf(stderr, " %s", id);
                }
                best = d < best ? d : best;
            }
        }
    }
    (void)fputc('\n', stderr);
}

/* --- selection -------------------------------------------------------------------------------- */

static bool in_tiers(const wzp_ct_filters *f, const char *chapter) {
    if (f->tiers[0] == '\0') {
        return true;
    }
    char list[256];
    (void)snprintf(list, sizeof list, "%s", f->tiers);
    char *rest = list;
    for (char *t; (t = strsep(&rest, ",")) != NULL;) {
        if (strcasecmp(t, chapter) == 0) {
            return true;
        }
    }
    /* Calibration always runs: without it nothing means anything. */
    return strcmp(chapter, "CAL") == 0;
}

/* A run is about one target: a relay, or a client. */
static bool is_about(const wzp_ct_options *o, const wzp_ct_case *c) {
    if (o->command != WZP_CT_COMMAND_RUN) {
        return true;
    }
    const char *chapter = c->info.chapter;
    if (o->replay_file != NULL) {
        return strcmp(chapter, "RPL") == 0 || strcmp(chapter, "CAL") == 0;
    }
    return strcmp(chapter, "RPL") != 0 && (c->client != WZP_CT_CLIENT_NONE) == (o->client != NULL);
}

static bool wanted(const wzp_ct_filters *f, const wzp_ct_case *c) {
    bool selected = f->selects == 0 || strcmp(c->info.chapter, "CAL") == 0;
    for (size_t i = 0; i < f->selects; i++) {
        selected = selected || fnmatch(f->select[i], c->info.id, 0) == 0;
    }
    for (size_t i = 0; i < f->skips; i++) {
        selected = selected && fnmatch(f->skip[i], c->info.id, 0) != 0;
    }
    return selected && in_tiers(f, c->info.chapter);
}

static int check_tiers(const wzp_ct_filters *f) {
    char list[256];
    (void)snprintf(list, sizeof list, "%s", f->tiers);
    char *rest = list;
    for (char *t; f->tiers[0] != '\0' && (t = strsep(&rest, ",")) != NULL;) {
        bool known = false;
        for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
            known = known || strcasecmp(t, wzp_ct_chapters[c]->id) == 0;
        }
        if (!known) {
            (void)fprintf(stderr, "wzp-conformance: there is no tier '%s'; there are:", t);
            for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
                (void)fprintf(stderr, " %s", wzp_ct_chapters[c]->id);
            }
            (void)fputc('\n', stderr);
            return WZP_CT_USAGE;
        }
    }
    return 0;
}

static int check_selects(const wzp_ct_filters *f) {
    for (size_t s = 0; s < f->selects; s++) {
        bool any = false;
        for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
            for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
                any = any || fnmatch(f->select[s], wzp_ct_chapters[c]->cases[i].info.id, 0) == 0;
            }
        }
        if (!any) {
            (void)fprintf(stderr,
                          "wzp-conformance: no case is called '%s'; nearest:", f->select[s]);
            wzp_ct_options_suggest(f->select[s]);
            return strpbrk(f->select[s], "*?[") == NULL ? WZP_CT_NO_SUCH_TEST : WZP_CT_USAGE;
        }
    }
    return 0;
}

static bool wanted_replay(const wzp_ct_filters *f) {
    return wanted(f, &wzp_ct_chapter_rpl.cases[0]);
}

/* What was named must be about the target of this run; calibration comes unnamed. */
static int check_kinds(const wzp_ct_options *o, const wzp_ct_filters *f) {
    size_t chosen = 0;
    size_t others = 0;
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            const wzp_ct_case *which = &wzp_ct_chapters[c]->cases[i];
            const bool is_named = wanted(f, which) && strcmp(which->info.chapter, "CAL") != 0;
            chosen += is_named && is_about(o, which) ? 1 : 0;
            others += is_named && !is_about(o, which) ? 1 : 0;
        }
    }
    if (chosen > 0 || others == 0) {
        return 0;
    }
    if (wanted_replay(f)) {
        (void)fputs("wzp-conformance: RPL-01 plays a capture: name it with --replay\n", stderr);
        return WZP_CT_USAGE;
    }
    (void)fprintf(stderr, "wzp-conformance: these cases are about a %s\n",
                  o->client != NULL ? "relay, not about a client: leave out --client"
                                    : "client, not about a relay: name it with --client");
    return WZP_CT_USAGE;
}

int wzp_ct_options_select(wzp_ct_options *o, const wzp_ct_filters *f) {
    int code = check_tiers(f);
    code = code != 0 ? code : check_selects(f);
    size_t total = 1; /* room for none, too */
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        total += wzp_ct_chapters[c]->count;
    }
    o->cases = calloc(total, sizeof(const wzp_ct_case *));
    if (code != 0 || o->cases == NULL) {
        return code != 0 ? code : WZP_CT_UNREADABLE;
    }
    for (size_t c = 0; c < wzp_ct_chapter_count; c++) {
        for (size_t i = 0; i < wzp_ct_chapters[c]->count; i++) {
            const wzp_ct_case *which = &wzp_ct_chapters[c]->cases[i];
            if (is_about(o, which) && wanted(f, which)) {
                o->cases[o->case_count++] = which;
            }
        }
    }
    return check_kinds(o, f);
}
