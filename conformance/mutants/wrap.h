/* Functions that stand between the relay's translation units; the linker's --wrap gives the names.
 */
#ifndef WZP_CONFORMANCE_MUTANTS_WRAP_H
#define WZP_CONFORMANCE_MUTANTS_WRAP_H

#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

#endif
