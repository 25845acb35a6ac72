/* Runs the files of a corpus through a fuzz target, for builds without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned files;

static int run_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    uint8_t *data = malloc(1 << 20);
    const size_t size = data != NULL ? fread(data, 1, 1 << 20, file) : 0;
    fclose(file);
    /* An exact copy, so that reading past the end is seen. */
    uint8_t *exact = malloc(size + 1);
    if (data == NULL || exact == NULL) {
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        exact[i] = data[i];
    }
    free(data);
    exact = realloc(exact, size != 0 ? size : 1);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    files++;
    return 0;
}

static int run_path(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) {
        perror(path);
        return 1;
    }
    if (!S_ISDIR(info.st_mode)) {
        return run_file(path);
    }
    DIR *dir = opendir(path);
    int failed = dir == NULL;
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char name[4096];
        if (e->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, e->d_name);
            failed |= run_file(name);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        failed |= run_path(argv[i]);
    }
    printf("%u inputs\n", files);
    return failed || files == 0;
}
