/* Puts keys and commands, as their tables say them, into the manual: between the two marks in the file that is named. */
#include "cli/cli.h"
#include "tui/help.h"

#include <stdlib.h>

#define MANUAL_MAX (1u << 20)

static bool read_all(const char *path, struct psst_buf *out)
{
    FILE *f = fopen(path, "re");
    uint8_t bytes[4096];
    size_t n;
    if (f == NULL) return false;
    while ((n = fread(bytes, 1, sizeof bytes, f)) > 0) psst_buf_put(out, bytes, n);
    psst_buf_put_u8(out, 0);
    return fclose(f) == 0 && !out->failed;
}

int main(int argc, char **argv)
{
    struct psst_buf manual, made;
    psst_buf_init(&manual, MANUAL_MAX);
    psst_buf_init(&made, MANUAL_MAX);
    if (argc != 2 || !read_all(argv[1], &manual)) {
        (void)fprintf(stderr, "usage: man-screen FILE\n");
        return EXIT_FAILURE;
    }
    const char *text = (const char *)manual.data, *begin = strstr(text, PSST_HELP_ROFF_BEGIN),
               *end = strstr(text, PSST_HELP_ROFF_END);
    psst_help_roff(&made, psst_verbs, psst_verbs_count);
    if (begin == NULL || end == NULL || end < begin || made.failed) {
        (void)fprintf(stderr, "man-screen: the marks are missing in %s\n", argv[1]);
        return EXIT_FAILURE;
    }
    begin += strlen(PSST_HELP_ROFF_BEGIN);
    FILE *f = fopen(argv[1], "we");
    if (f == NULL) return EXIT_FAILURE;
    bool good = fwrite(text, 1, (size_t)(begin - text), f) == (size_t)(begin - text);
    good = good && fwrite(made.data, 1, made.len, f) == made.len;
    good = good && fputs(end, f) >= 0;
    good = fclose(f) == 0 && good;
    psst_buf_fini(&manual);
    psst_buf_fini(&made);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
