#include "media/testing/allocs.h"

size_t wzp_allocs_seen;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size) {
    wzp_allocs_seen++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    wzp_allocs_seen++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size) {
    wzp_allocs_seen++;
    return __real_realloc(old, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */
