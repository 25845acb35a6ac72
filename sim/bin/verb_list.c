#include <stdlib.h>
#include <string.h>

#include "sim/bin/files.h"

enum { SCENARIOS_MAX = 1024 };

static const char *expected_path(const wzp_lab_scenario *s) {
    static const char *const words[] = {"any path", "relay", "direct", "no path", "best path"};
    return s->call_count > 0 ? words[s->calls[0].expect[0].path] : "-";
}

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void put_line(const char *path, const wzp_lab_scenario *s) {
    const char *base = base_of(path);
    const char *lacks = wzp_lab_scenario_lacks(s);
    const int len = (int)strlen(base) - 5;
    const bool repeats = strncmp(base, s->name, (size_t)len) == 0 && s->name[len] == ' ';
    printf("%-8.*s %-28s %-9s %s%s\n", len, base, s->name + (repeats ? len + 1 : 0),
           expected_path(s), lacks != NULL ? "lacks " : "", lacks != NULL ? lacks : "");
}

static json_t *line_json(const char *path, const wzp_lab_scenario *s) {
    const char *lacks = wzp_lab_scenario_lacks(s);
    return json_pack("{s:s,s:s,s:s,s:s,s:o}", "file", path, "name", s->name, "about", s->about,
                     "path", expected_path(s), "lacks",
                     lacks != NULL ? json_string(lacks) : json_null());
}

static int list_files(const wzp_sim_options *o, char **paths, size_t count, json_t *all) {
    int status = EXIT_GOOD;
    for (size_t i = 0; i < count; i++) {
        wzp_lab_scenario *s = NULL;
        const int failed = wzp_sim_load(o, paths[i], NULL, &s);
        if (failed != -1) {
            status = failed;
            continue;
        }
        if (all != NULL) {
            json_array_append_new(all, line_json(paths[i], s));
        } else {
            put_line(paths[i], s);
        }
        wzp_lab_scenario_free(&s);
    }
    return status;
}

int wzp_sim_list(const wzp_sim_options *o) {
    char dir[512];
    char *paths[SCENARIOS_MAX];
    if (o->file_count > 1) {
        (void)fputs("wzp-sim: list takes one folder; see --help\n", stderr);
        return EXIT_USAGE;
    }
    if (o->file_count == 0 && !wzp_sim_catalogue(dir)) {
        (void)fputs("wzp-sim: the scenarios that come with the program were not found; "
                    "WZP_SCENARIOS may name their folder\n",
                    stderr);
        return EXIT_UNREADABLE;
    }
    const size_t count =
        wzp_sim_files_of(o->file_count == 1 ? o->files[0] : dir, paths, SCENARIOS_MAX);
    json_t *all = o->json != NULL ? json_array() : NULL;
    int status = count > 0 ? list_files(o, paths, count, all) : EXIT_UNREADABLE;
    if (all != NULL) {
        FILE *out = wzp_sim_create(o->json);
        const bool good = out != NULL && json_dumpf(all, out, JSON_INDENT(1)) == 0;
        status = out != NULL && wzp_sim_finish(out, o->json, good) ? status : EXIT_UNREADABLE;
        json_decref(all);
    }
    for (size_t i = 0; i < count; i++) {
        free(paths[i]);
    }
    return status;
}
