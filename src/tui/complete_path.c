#include "tui/complete_find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCANNED_MAX 200000 /* names in one directory that are looked at */

/* The directory that the word's part up to its last '/' means; the caller closes it. */
static DIR *open_directory(const struct psst_word *word, size_t dir_len)
{
    struct psst_buf path;
    psst_buf_init(&path, 65536);
    size_t skip = 0;
    if (word->tilde) {
        const char *home = getenv("HOME");
        if (home == NULL || home[0] == '\0') return NULL;
        psst_buf_put_str(&path, home);
        skip = 1;
    }
    if (dir_len > skip) psst_buf_put(&path, word->text + skip, dir_len - skip);
    if (path.len == 0) psst_buf_put_u8(&path, '.');
    psst_buf_put_u8(&path, '\0');
    DIR *dir = path.failed ? NULL : opendir((const char *)path.data);
    psst_buf_fini(&path);
    return dir;
}

static bool is_directory(DIR *dir, const struct dirent *entry)
{
    struct stat st;
    if (entry->d_type == DT_DIR) return true;
    if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN) return false;
    return fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/* Neither a device nor a socket nor a pipe: those are nothing to send. */
static bool is_wanted(DIR *dir, const struct dirent *entry, bool directories, bool *is_dir)
{
    *is_dir = is_directory(dir, entry);
    if (*is_dir) return true;
    return !directories && (entry->d_type == DT_REG || entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN);
}

static void add_path(struct psst_found *found, const struct psst_word *word, size_t dir_len, const char *name,
                     bool is_dir)
{
    struct psst_buf path;
    psst_buf_init(&path, 65536);
    psst_buf_put(&path, word->text, dir_len);
    psst_buf_put_str(&path, name);
    if (is_dir) psst_buf_put_u8(&path, '/');
    psst_buf_put_u8(&path, '\0');
    if (!path.failed) psst_found_add(found, (const char *)path.data, NULL, is_dir ? 0 : ' ');
    psst_buf_fini(&path);
}

/* Exactly: a file system tells capitals apart. */
static bool fits(const char *name, const char *base)
{
    bool dots = name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
    if (dots || strncmp(name, base, strlen(base)) != 0) return false;
    return name[0] != '.' || base[0] == '.';
}

void psst_find_paths(struct psst_found *out, const struct psst_word *word, bool directories)
{
    const char *slash = strrchr(word->text, '/');
    size_t dir_len = slash != NULL ? (size_t)(slash - word->text) + 1 : 0;
    const char *base = word->text + dir_len;
    out->quote = PSST_QUOTE_PATH;
    out->tilde = word->tilde;
    out->behind = dir_len;
    if (word->tilde && slash == NULL) {
        psst_found_add(out, "~/", NULL, 0);
        return;
    }
    if (strcmp(base, "..") == 0) {
        add_path(out, word, dir_len, "..", true);
        return;
    }
    DIR *dir = open_directory(word, dir_len);
    if (dir == NULL) return;
    const struct dirent *entry;
    for (size_t n = 0; n < SCANNED_MAX && (entry = readdir(dir)) != NULL; n++) {
        bool is_dir;
        /* one that looks like an option would be taken for one */
        if (!fits(entry->d_name, base) || (dir_len == 0 && entry->d_name[0] == '-')) continue;
        if (is_wanted(dir, entry, directories, &is_dir)) add_path(out, word, dir_len, entry->d_name, is_dir);
    }
    (void)closedir(dir);
}
