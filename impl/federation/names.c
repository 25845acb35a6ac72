#include "federation/names.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/identity.h"
#include "federation/federation.h"

typedef struct name {
    char text[WZP_FED_NAME_MAX + 1];
} name;

struct wzp_fed_names {
    size_t count;
    name sorted[];
};

static int compare(const void *a, const void *b) {
    return strcmp(((const name *)a)->text, ((const name *)b)->text);
}

wzp_err wzp_fed_names_new(wzp_fed_names **out, const char *const *rooms, size_t count) {
    wzp_fed_names *names = calloc(1, sizeof *names + 2 * count * sizeof names->sorted[0]);
    if (names == NULL) {
        return WZP_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const wzp_bytes room = wzp_bytes_str(rooms[i]);
        if (room.len <= WZP_FED_NAME_MAX) { /* others make no federation */
            memcpy(names->sorted[names->count++].text, room.data, room.len);
            wzp_room_sni_hash(names->sorted[names->count++].text, room);
        }
    }
    qsort(names->sorted, names->count, sizeof names->sorted[0], compare);
    *out = names;
    return WZP_OK;
}

void wzp_fed_names_free(wzp_fed_names **names) {
    free(*names);
    *names = NULL;
}

bool wzp_fed_names_has(const wzp_fed_names *names, const char *sni) {
    const char *text = *sni != '\0' ? sni : "default";
    name key = {{0}};
    const size_t len = strlen(text);
    if (names == NULL || len > WZP_FED_NAME_MAX) {
        return false;
    }
    memcpy(key.text, text, len);
    return bsearch(&key, names->sorted, names->count, sizeof key, compare) != NULL;
}
