#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/ns3/ns3.h"

#define SHARED_OBJECT "libwzp-ns3.so"

/* Beside the program's folder, in it, or where the system looks. */
static const char *const places[] = {"../lib/" SHARED_OBJECT, SHARED_OBJECT};

static size_t own_folder(char *out, size_t cap) {
    const ssize_t len = readlink("/proc/self/exe", out, cap - 1);
    out[len > 0 ? len : 0] = '\0';
    const char *slash = strrchr(out, '/');
    return slash != NULL ? (size_t)(slash - out) + 1 : 0;
}

static void *open_object(char why[WZP_NS3_WHY_MAX]) {
    char path[PATH_MAX + sizeof "../lib/" SHARED_OBJECT];
    const size_t folder = own_folder(path, PATH_MAX);
    for (size_t i = 0; i < WZP_COUNT_OF(places) && folder > 0; i++) {
        (void)snprintf(path + folder, sizeof path - folder, "%s", places[i]);
        if (access(path, F_OK) == 0) {
            void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
            if (object == NULL) {
                /* NOLINTNEXTLINE(concurrency-mt-unsafe): glibc keeps it per thread */
                (void)snprintf(why, WZP_NS3_WHY_MAX, "%s", dlerror());
            }
            return object;
        }
    }
    void *object = dlopen(SHARED_OBJECT, RTLD_NOW | RTLD_LOCAL);
    if (object == NULL) {
        (void)snprintf(why, WZP_NS3_WHY_MAX,
                       "%s is not installed: build with libns3-dev and -DWZP_NS3=ON",
                       SHARED_OBJECT);
    }
    return object;
}

wzp_err wzp_ns3_load(const wzp_ns3_ops **out, char why[WZP_NS3_WHY_MAX]) {
    void *object = open_object(why);
    if (object == NULL) {
        return WZP_ERR_IO;
    }
    /* POSIX lets dlsym's result be a function; ISO C has no cast for that. */
    union {
        void *symbol;
        wzp_ns3_engine_fn *function;
    } engine = {dlsym(object, "wzp_ns3_engine")};
    const wzp_ns3_ops *ops = engine.symbol != NULL ? engine.function(WZP_NS3_ABI) : NULL;
    if (ops == NULL) {
        (void)snprintf(why, WZP_NS3_WHY_MAX, "%s is of another version than this program",
                       SHARED_OBJECT);
        return WZP_ERR_IO;
    }
    *out = ops;
    return WZP_OK;
}
