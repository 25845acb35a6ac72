/* Runs in processes of their own: one that dies takes nothing with it but its run. */
#ifndef WZP_SIM_BIN_WORKERS_H
#define WZP_SIM_BIN_WORKERS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct wzp_sim_work {
    /* In the worker: does job `index` and returns a line of text without line ends, malloc'd. */
    char *(*work)(void *ctx, size_t index);
    /* In this process: the line of job `index`, or NULL and why there is none. */
    void (*done)(void *ctx, size_t index, const char *line, const char *why);
    void *ctx;
    size_t jobs;    /* 0 .. jobs - 1, in this order */
    size_t workers; /* at once, at least 1 */
} wzp_sim_work;

/* False: no process could be made; errno says why. */
bool wzp_sim_work_all(const wzp_sim_work *work);

#endif
