#include "bin/client/client_about.h"

#include <ngtcp2/ngtcp2.h>
#include <openssl/crypto.h>
#include <opus.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "wzp_version.h"

/* "gcc 12.2.0" */
#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* The processor as the kernel names it. */
static void find_cpu(char *out, size_t cap) {
    uv_cpu_info_t *cpus = NULL;
    int count = 0;
    (void)snprintf(out, cap, "unknown CPU");
    if (uv_cpu_info(&cpus, &count) == 0 && count > 0) {
        char model[96];
        wzp_log_clean(model, sizeof model, cpus[0].model, strlen(cpus[0].model));
        (void)snprintf(out, cap, "%d x %s", count, model);
        uv_free_cpu_info(cpus, count);
    }
}

void wzp_client_about(bool json) {
    char cpu[128];
    find_cpu(cpu, sizeof cpu);
    printf(json ? "{\"machine\":{\"cpu\":\"%s\",\"compiler\":\"%s\",\"flags\":\"%s\","
                  "\"version\":\"%s\",\"libraries\":\"%s, OpenSSL %s, ngtcp2 %s, libsodium %s, "
                  "libuv %s\"}"
                : "machine: %s; %s %s; wzp %s; %s, OpenSSL %s, ngtcp2 %s, libsodium %s, libuv %s\n",
           cpu, COMPILER, WZP_CLIENT_FLAGS, WZP_VERSION " (" WZP_BUILD_HASH ")",
           opus_get_version_string(), OpenSSL_version(OPENSSL_VERSION_STRING),
           ngtcp2_version(0)->version_str, sodium_version_string(), uv_version_string());
}
