/* Configuration files: whatever the text, the shim gives a tree with lines, or one line that says
 * where it stopped. */
#include <assert.h>
#include <string.h>

#include "io/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    wzp_toml toml = {NULL, NULL};
    char why[WZP_TOML_WHY_MAX] = "";
    if (wzp_toml_parse(&toml, (const char *)data, size, "fuzz", why) == WZP_OK) {
        const char *key;
        json_t *value;
        json_object_foreach(toml.tree, key, value) {
            assert(wzp_toml_line(&toml, key) > 0);
        }
    } else {
        assert(toml.tree == NULL && strncmp(why, "fuzz", 4) == 0);
    }
    wzp_toml_clear(&toml);
    return 0;
}
