#include "sim/bin/files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/sys.h"

enum { NAMES_MAX = 1024 };

static bool is_dir(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool wzp_sim_catalogue(char out[512]) {
    static const char *const places[] = {"../../../sim/scenarios", "../share/wzp/scenarios"};
    char self[384];
    const char *named = wzp_io_env("WZP_SCENARIOS");
    if (named != NULL) {
        (void)snprintf(out, 512, "%s", named);
        return is_dir(out);
    }
    const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    if (len <= 0) {
        return false;
    }
    self[len] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < WZP_COUNT_OF(places); i++) {
        char whole[PATH_MAX];
        (void)snprintf(out, 512, "%s/%s", self, places[i]);
        if (is_dir(out) && realpath(out, whole) != NULL && strlen(whole) < 512) {
            memcpy(out, whole, strlen(whole) + 1);
            return true;
        }
    }
    return false;
}

/* --- names ------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t wzp_sim_files_of(const char *dir, char **out, size_t cap) {
    DIR *d = opendir(dir);
    size_t count = 0;
    if (d == NULL) {
        (void)fprintf(stderr, "wzp-sim: %s: %s\n", dir, wzp_io_reason(errno));
        return 0;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread */
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        const size_t len = strlen(e->d_name);
        if (len > 5 && strcmp(e->d_name + len - 5, ".toml") == 0 && count < cap &&
            asprintf(&out[count], "%s/%s", dir, e->d_name) > 0) {
            count++;
        }
    }
    (void)closedir(d);
    qsort(out, count, sizeof(char *), by_name);
    if (count == 0) {
        (void)fprintf(stderr, "wzp-sim: %s: there are no scenarios in it\n", dir);
    }
    return count;
}

typedef struct catalogue {
    char *paths[NAMES_MAX];
    char names[NAMES_MAX][64];
    size_t count;
} catalogue;

static const char *name_at(const void *list, size_t index) {
    const catalogue *c = list;
    return index < c->count ? c->names[index] : NULL;
}

static void complain_name(const char *name, const char *dir) {
    static catalogue c;
    char near[WZP_LAB_NEAR_MAX];
    c.count = wzp_sim_files_of(dir, c.paths, NAMES_MAX);
    for (size_t i = 0; i < c.count; i++) {
        const char *base = strrchr(c.paths[i], '/') + 1;
        (void)snprintf(c.names[i], sizeof c.names[i], "%.*s", (int)strlen(base) - 5, base);
        free(c.paths[i]);
    }
    (void)fprintf(stderr, "wzp-sim: there is no scenario '%s'%s; see wzp-sim list\n", name,
                  wzp_lab_near(name, name_at, &c, near));
}

int wzp_sim_find(const char *name, char out[512]) {
    char dir[512];
    const size_t len = strlen(name);
    if (strchr(name, '/') != NULL || (len > 5 && strcmp(name + len - 5, ".toml") == 0)) {
        (void)snprintf(out, 512, "%s", name);
        return -1;
    }
    if (!wzp_sim_catalogue(dir)) {
        (void)fprintf(stderr,
                      "wzp-sim: there is no scenario '%s': the scenarios that come with the "
                      "program were not found; WZP_SCENARIOS may name their folder\n",
                      name);
        return EXIT_UNKNOWN_NAME;
    }
    (void)snprintf(out, 512, "%.400s/%.100s.toml", dir, name);
    if (!is_file(out)) {
        complain_name(name, dir);
        return EXIT_UNKNOWN_NAME;
    }
    return -1;
}

/* --- reading ---------------------------------------------------------------------------------- */

int wzp_sim_load(const wzp_sim_options *options, const char *path, const uint64_t *seed,
                 wzp_lab_scenario **out) {
    static wzp_lab_errors errors;
    char why[WZP_TOML_WHY_MAX];
    wzp_lab_doc doc = {0};
    if (wzp_lab_doc_load(&doc, path, why) != WZP_OK) {
        (void)fprintf(stderr, "wzp-sim: %s\n", why);
        return EXIT_UNREADABLE;
    }
    for (size_t i = 0; i < options->set_count; i++) {
        if (!wzp_lab_doc_set(&doc, options->sets[i], why)) {
            (void)fprintf(stderr, "wzp-sim: --set: %s\n", why);
            wzp_lab_doc_clear(&doc);
            return EXIT_USAGE;
        }
    }
    const wzp_err err = wzp_lab_scenario_read(out, &doc, seed, &errors);
    wzp_lab_doc_clear(&doc);
    if (err != WZP_OK) {
        wzp_lab_errors_write(&errors, stderr);
        return EXIT_UNREADABLE;
    }
    if (options->verb != wzp_sim_list &&
        !wzp_lab_scenario_fits(*out, options->engine != NULL ? options->engine : "native",
                               &errors)) {
        wzp_lab_errors_write(&errors, stderr);
        wzp_lab_scenario_free(out);
        return EXIT_UNREADABLE;
    }
    return -1;
}

/* --- writing ---------------------------------------------------------------------------------- */

FILE *wzp_sim_create(const char *path) {
    FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
    if (out == NULL) {
        (void)fprintf(stderr, "wzp-sim: %s: %s\n", path, wzp_io_reason(errno));
    }
    return out;
}

bool wzp_sim_finish(FILE *out, const char *path, bool good) {
    good = fflush(out) == 0 && good && ferror(out) == 0;
    good = (out == stdout || fclose(out) == 0) && good;
    if (!good) {
        (void)fprintf(stderr, "wzp-sim: %s: %s\n", path, wzp_io_reason(errno));
    }
    return good;
}
