/* Runs a fuzz target over files: every regular file of every folder or path in argv, in order of name. What crashes under a
 * sanitizer or fails a FUZZ_CHECK ends the program; otherwise it says how many there were. Fails when there were none, so
 * that a lost corpus does not pass for a good one. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MAX (4 * 1024 * 1024)

static unsigned runs;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        perror(path);
        exit(1);
    }
    uint8_t *data = malloc(FILE_MAX);
    if (data == NULL) abort();
    size_t len = fread(data, 1, FILE_MAX, f);
    (void)fclose(f);
    uint8_t *exact = malloc(len > 0 ? len : 1); /* so that one byte past the end is seen */
    if (exact == NULL) abort();
    memcpy(exact, data, len);
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    runs++;
}

static void run_folder(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    if (n < 0) {
        perror(path);
        exit(1);
    }
    for (int i = 0; i < n; i++) {
        char file[4096];
        struct stat st;
        int len = snprintf(file, sizeof file, "%s/%s", path, names[i]->d_name);
        if (len > 0 && (size_t)len < sizeof file && stat(file, &st) == 0 && S_ISREG(st.st_mode)) run_file(file);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            run_folder(argv[i]);
        else
            run_file(argv[i]);
    }
    printf("%u inputs\n", runs);
    return runs > 0 ? 0 : 1;
}
