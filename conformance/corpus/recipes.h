/* The generated part of the corpus: calls as people make them, and what dresses up as a call.  The
 * same on every machine. */
#ifndef WZP_CONFORMANCE_CORPUS_RECIPES_H
#define WZP_CONFORMANCE_CORPUS_RECIPES_H

#include "conformance/corpus/trace.h"

/* NULL past the last. */
const char *wzp_recipe_name(size_t index);

/* WZP_ERR_INVALID_ARGUMENT: past the last; WZP_ERR_NOMEM. */
WZP_MUST_USE wzp_err wzp_recipe_make(wzp_trace *out, size_t index);

#endif
