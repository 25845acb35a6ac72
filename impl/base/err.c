#include "base/err.h"

static const struct entry {
    const char *name;
    const char *text;
    wzp_consequence consequence;
} entries[WZP_ERR_COUNT] = {[WZP_OK] = {"OK", "no error", WZP_CONSEQUENCE_NONE},
#define X(n, c, t) [WZP_ERR_##n] = {#n, t, WZP_CONSEQUENCE_##c},
                            WZP_ERR_MAP(X)
#undef X
};

static const struct entry unknown = {"UNKNOWN", "unknown error code", WZP_CONSEQUENCE_FATAL};

static const struct entry *find(wzp_err err) {
    return (unsigned)err < WZP_ERR_COUNT ? &entries[err] : &unknown;
}

const char *wzp_err_name(wzp_err err) {
    return find(err)->name;
}

const char *wzp_err_text(wzp_err err) {
    return find(err)->text;
}

wzp_consequence wzp_err_consequence(wzp_err err) {
    return find(err)->consequence;
}
