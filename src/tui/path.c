#include "tui/path.h"

#include "tui/complete_find.h"

#include <stdio.h>
#include <stdlib.h>

char *psst_path_expand(const char *typed)
{
    const char *home = getenv("HOME");
    char *out;
    while (*typed == ' ') typed++;
    size_t len = strlen(typed);
    while (len > 0 && typed[len - 1] == ' ') len--;
    bool tilde = typed[0] == '~' && (len == 1 || typed[1] == '/');
    int n = asprintf(&out, "%s%.*s", tilde && home != NULL ? home : "", (int)(len - tilde), typed + tilde);
    return n < 0 ? NULL : out;
}

/* How far all of them are the same, never ending within a character. */
static size_t common(const struct psst_found *found)
{
    const char *first = found->list[0].word;
    size_t same = strlen(first);
    for (size_t i = 1; i < found->n; i++) {
        size_t n = 0;
        while (n < same && found->list[i].word[n] == first[n]) n++;
        same = n;
    }
    while (same > 0 && ((unsigned char)first[same] & 0xc0) == 0x80) same--;
    return same;
}

static void list(const struct psst_found *found, char *hint, size_t hint_size)
{
    for (size_t i = 0, used = 0; i < found->n; i++) {
        const char *name = found->list[i].word + found->behind;
        bool last_that_fits = used + strlen(name) + 6 >= hint_size;
        (void)snprintf(hint + used, hint_size - used, "%s", last_that_fits ? "..." : name);
        if (last_that_fits) return;
        used += strlen(name);
        if (i + 1 < found->n) used += (size_t)snprintf(hint + used, hint_size - used, "  ");
    }
}

bool psst_path_complete(const char *typed, char **longer, char *hint, size_t hint_size)
{
    struct psst_found found = {.n = 0};
    bool tilde = typed[0] == '~' && (typed[1] == '\0' || typed[1] == '/');
    struct psst_word word = {.text = typed, .tilde = tilde};
    hint[0] = '\0';
    *longer = NULL;
    psst_find_paths(&found, &word, false);
    psst_found_sort(&found);
    size_t same = found.n > 0 ? common(&found) : 0;
    if (same > strlen(typed)) *longer = strndup(found.list[0].word, same);
    if (found.n > 1) list(&found, hint, hint_size);
    bool more = *longer != NULL || found.n > 1;
    psst_found_fini(&found);
    return more;
}
