#include "tui/path.h"

#include "base/text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ENTRIES_MAX 20000 /* of a directory that is looked through */

static const char *home(void)
{
    const char *dir = getenv("HOME");
    return dir != NULL ? dir : "";
}

char *psst_path_expand(const char *typed)
{
    char *out;
    while (*typed == ' ') typed++;
    size_t len = strlen(typed);
    while (len > 0 && typed[len - 1] == ' ') len--;
    bool tilde = typed[0] == '~' && (len == 1 || typed[1] == '/');
    int n = asprintf(&out, "%s%.*s", tilde ? home() : "", (int)(len - tilde), typed + tilde);
    return n < 0 ? NULL : out;
}

static bool is_dir(const char *dir, const char *name)
{
    char *whole;
    struct stat st;
    if (asprintf(&whole, "%s%s", dir, name) < 0) return false;
    bool yes = stat(whole, &st) == 0 && S_ISDIR(st.st_mode);
    free(whole);
    return yes;
}

/* Of what goes on so: how many, their common beginning, and a list of the first ones. */
struct found {
    char common[256];
    size_t n;
};

static void take(struct found *found, const char *name, char *hint, size_t hint_size)
{
    size_t used = strlen(hint), same = 0;
    if (found->n++ == 0) (void)snprintf(found->common, sizeof found->common, "%s", name);
    while (found->common[same] != '\0' && found->common[same] == name[same]) same++;
    while (same > 0 && ((unsigned char)found->common[same] & 0xc0) == 0x80) same--; /* never within a character */
    found->common[same] = '\0';
    if (used + strlen(name) + 3 < hint_size) (void)snprintf(hint + used, hint_size - used, "%s  ", name);
}

static void look(struct found *found, const char *dir, const char *begin, char *hint, size_t hint_size)
{
    DIR *list = opendir(dir[0] != '\0' ? dir : ".");
    if (list == NULL) return;
    const struct dirent *entry;
    for (size_t i = 0; i < ENTRIES_MAX && (entry = readdir(list)) != NULL; i++) {
        const char *name = entry->d_name;
        if (name[0] == '.' && begin[0] != '.') continue;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (strncmp(name, begin, strlen(begin)) != 0 || !psst_text_valid(psst_view_str(name))) continue;
        take(found, name, hint, hint_size);
    }
    (void)closedir(list);
}

bool psst_path_complete(const char *typed, char **longer, char *hint, size_t hint_size)
{
    struct found found = {.n = 0};
    const char *slash = strrchr(typed, '/'), *begin = slash != NULL ? slash + 1 : typed;
    hint[0] = '\0';
    *longer = NULL;
    if (strcmp(typed, "~") == 0) {
        *longer = strdup("~/");
        return true;
    }
    char *lead = strndup(typed, (size_t)(begin - typed)), *dir = lead != NULL ? psst_path_expand(lead) : NULL;
    if (dir != NULL) look(&found, dir, begin, hint, hint_size);
    if (found.n == 1) hint[0] = '\0';
    const char *end = found.n == 1 && is_dir(dir, found.common) ? "/" : "";
    bool goes_on = found.n > 0 && (strlen(found.common) > strlen(begin) || end[0] != '\0');
    if (goes_on && asprintf(longer, "%s%s%s", lead, found.common, end) < 0) *longer = NULL;
    free(lead);
    free(dir);
    return *longer != NULL || found.n > 1;
}
