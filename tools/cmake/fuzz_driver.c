/* Runs inputs through a fuzz target, for builds without libFuzzer: each argument is a file or a
 * folder of files; "-" is the empty input.  Names are printed first, so that after a crash the last
 * line is the culprit. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned input_count;

/* The buffer has exactly the input's size, so that a sanitizer sees a read past its end. */
static bool run_file(const char *path, size_t size) {
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size != 0 ? size : 1);
    const bool ok = file != NULL && data != NULL && fread(data, 1, size, file) == size;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (ok) {
        (void)puts(path);
        (void)fflush(stdout);
        (void)LLVMFuzzerTestOneInput(data, size);
        input_count++;
    } else {
        perror(path);
    }
    free(data);
    return ok;
}

static int is_input(const struct dirent *entry) {
    return entry->d_name[0] != '.';
}

/* In the order of names, so that two runs are alike. */
static bool run_folder(const char *folder) {
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, is_input, alphasort);
    bool ok = count >= 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        struct stat info;
        const int len = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (len < 0 || (size_t)len >= sizeof path || stat(path, &info) != 0) {
            perror(folder);
            ok = false;
        } else if (S_ISREG(info.st_mode)) {
            ok = run_file(path, (size_t)info.st_size) && ok;
        }
        free(entries[i]);
    }
    free(entries);
    return ok;
}

static bool run_path(const char *path) {
    struct stat info;
    if (path[0] == '-' && path[1] == '\0') {
        const uint8_t nothing = 0;
        (void)LLVMFuzzerTestOneInput(&nothing, 0);
        input_count++;
        return true;
    }
    if (stat(path, &info) != 0) {
        perror(path);
        return false;
    }
    return S_ISDIR(info.st_mode) ? run_folder(path) : run_file(path, (size_t)info.st_size);
}

int main(int argc, char **argv) {
    bool ok = true;
    for (int i = 1; i < argc; i++) {
        ok = run_path(argv[i]) && ok;
    }
    (void)printf("%u inputs\n", input_count);
    return ok && input_count != 0 ? 0 : 1;
}
