/* A file that is there whole or not at all: written without a name, readable by its owner alone, and named at the end. */
#ifndef PSST_CLI_EXPORT_H
#define PSST_CLI_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

struct psst_export {
    FILE *f;          /* what is written to */
    const char *path; /* borrowed; "-": standard output */
    char *beside;     /* a name that it has meanwhile, where there is no file without one; NULL: none */
    bool replace;
};

/* 0, or the exit code, said. What is there under that name is left alone, unless replace. */
int psst_export_begin(struct psst_export *export, const char *path, bool replace);
/* keep false: there is nothing afterwards but what was there before. 0, or the exit code, said. */
int psst_export_end(struct psst_export *export, bool keep);

#endif
