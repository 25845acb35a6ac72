#include <stdlib.h>

#include "wire/signal_parser.h"

enum { ALIGN = 16, BLOCK = 1024 };

void *wzp_signal_arena_take(wzp_signal_arena *arena, size_t size) {
    const size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    wzp_signal_block *b = arena->blocks;
    if (b == NULL || b->cap - b->used < need) {
        const size_t cap = need > BLOCK ? need : BLOCK;
        b = malloc(sizeof *b + cap);
        if (b == NULL) {
            return NULL;
        }
        *b = (wzp_signal_block){.next = arena->blocks, .cap = cap};
        arena->blocks = b;
    }
    void *at = b->data + b->used;
    b->used += need;
    return at;
}

void wzp_signal_arena_clear(wzp_signal_arena *arena) {
    for (wzp_signal_block *b = arena->blocks; b != NULL;) {
        wzp_signal_block *next = b->next;
        free(b);
        b = next;
    }
    arena->blocks = NULL;
}
