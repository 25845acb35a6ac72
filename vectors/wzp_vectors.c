/* wzp-vectors: checks files of test vectors against this implementation. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vectors/check.h"
#include "wzp_version.h"

enum { EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_UNREADABLE = 3 };

typedef struct options {
    bool json, quiet, colour;
} options;

typedef struct output {
    const options *options;
    const char *file;
    json_t *list; /* with --json */
} output;

static void usage(FILE *out) {
    (void)fputs("usage: wzp-vectors check [--json] [--quiet] [FILE...]\n"
                "       wzp-vectors make [--out DIR]\n"
                "\n"
                "check   verifies vector files (default: the ones that came with the program);\n"
                "        prints id, field, expected and actual for each entry that does not hold\n"
                "make    writes the signal vectors anew from the implementation, one JSON file\n"
                "\n"
                "  --json      verdicts as one JSON document\n"
                "  --quiet     only failures and the last line\n"
                "  --help, --version\n"
                "\n"
                "Exit status: 0 all hold, 1 some do not, 2 usage, 3 a file cannot be read.\n"
                "\n"
                "Example: wzp-vectors check my-relay-vectors.json\n",
                out);
}

static void print_failure(const output *out, const wzp_vector_verdict *v) {
    const char *red = out->options->colour ? "\033[31m" : "";
    const char *plain = out->options->colour ? "\033[0m" : "";
    printf("%sFAIL%s %s %s (%s): %s\n    expected %s\n    actual   %s\n", red, plain, out->file,
           v->id, v->kind, v->field, v->expected, v->actual);
}

static void on_verdict(void *ctx, const wzp_vector_verdict *v) {
    static const char *const names[] = {"pass", "fail", "skip"};
    output *out = ctx;
    if (out->list != NULL) {
        json_array_append_new(out->list,
                              json_pack("{ss ss ss ss ss ss ss}", "file", out->file, "id", v->id,
                                        "kind", v->kind, "result", names[v->result], "field",
                                        v->field, "expected", v->expected, "actual", v->actual));
    } else if (v->result == WZP_VECTOR_FAIL) {
        print_failure(out, v);
    } else if (v->result == WZP_VECTOR_SKIP && !out->options->quiet) {
        printf("skip %s %s: %s\n", out->file, v->id, v->actual);
    }
}

static json_t *load(const char *path) {
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (file == NULL && error.line < 0) {
        (void)fprintf(stderr, "wzp-vectors: %s: %s\n", path, error.text);
    } else if (file == NULL) {
        (void)fprintf(stderr, "wzp-vectors: %s:%d:%d: %s\n", path, error.line, error.column,
                      error.text);
    }
    return file;
}

static int check_files(const options *opts, char **files, int count) {
    static const char *const built_in[] = {WZP_VECTORS_DIR "/wire.json",
                                           WZP_VECTORS_DIR "/crypto.json",
                                           WZP_VECTORS_DIR "/media.json"};
    output out = {opts, NULL, opts->json ? json_array() : NULL};
    wzp_vector_sink sink = {.verdict = on_verdict, .ctx = &out};
    const int n = count > 0 ? count : (int)WZP_COUNT_OF(built_in);
    for (int i = 0; i < n; i++) {
        out.file = count > 0 ? files[i] : built_in[i];
        json_t *file = load(out.file);
        if (file == NULL) {
            json_decref(out.list);
            return EXIT_UNREADABLE;
        }
        wzp_vectors_check(&sink, file);
        json_decref(file);
    }
    if (opts->json) {
        json_t *document = json_pack("{so si si si}", "verdicts", out.list, "passed", sink.passed,
                                     "failed", sink.failed, "skipped", sink.skipped);
        json_dumpf(document, stdout, JSON_INDENT(1));
        putchar('\n');
        json_decref(document);
    } else {
        if (sink.skipped != 0) {
            printf("%u skipped: this build lacks what they are about\n", sink.skipped);
        }
        printf("%u passed, %u failed\n", sink.passed, sink.failed);
    }
    return sink.failed != 0 ? EXIT_FINDINGS : EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},      {"quiet", no_argument, NULL, 'q'},
        {"out", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},   {NULL, 0, NULL, 0}};
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    options opts = {.colour = isatty(STDOUT_FILENO) != 0 && getenv("NO_COLOR") == NULL};
    const char *out_dir = NULL;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread so far */
    for (int c; (c = getopt_long(argc, argv, "jqo:hV", longs, NULL)) != -1;) {
        switch (c) {
        case 'j':
            opts.json = true;
            break;
        case 'q':
            opts.quiet = true;
            break;
        case 'o':
            out_dir = optarg;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("wzp-vectors " WZP_VERSION " (" WZP_BUILD_HASH ")");
            return EXIT_SUCCESS;
        default:
            (void)fputs("wzp-vectors: see --help\n", stderr);
            return EXIT_USAGE;
        }
    }
    const char *command = optind < argc ? argv[optind] : "";
    if (strcmp(command, "check") == 0) {
        return check_files(&opts, argv + optind + 1, argc - optind - 1);
    }
    if (strcmp(command, "make") == 0) {
        return wzp_vectors_make(WZP_VECTORS_DIR, out_dir);
    }
    (void)fprintf(stderr, "wzp-vectors: '%s' is not a command: check or make; see --help\n",
                  command);
    return EXIT_USAGE;
}
