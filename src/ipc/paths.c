#include "ipc/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- where things lie ---- */

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* a, len bytes of it, and b; false when there is no room. */
static bool concat(char *out, size_t size, const char *a, size_t len, const char *b)
{
    size_t b_len = strlen(b);
    if (len + b_len >= size) return false;
    memmove(out, a, len);
    memcpy(out + len, b, b_len + 1);
    return true;
}

/* base + rest into a place of size bytes; base comes from the environment variable that is named in the sentence. */
static enum psst_err join(char *out, size_t size, const char *name, const char *base, const char *rest,
                          struct psst_diag *diag)
{
    if (base[0] != '/') return psst_fail(diag, PSST_ERR_USAGE, "%s must be an absolute path", name);
    size_t len = strlen(base);
    while (len > 1 && base[len - 1] == '/') len--;
    if (concat(out, size, base, len, rest)) return PSST_OK;
    return psst_fail(diag, PSST_ERR_USAGE, "the path in %s is too long", name);
}

/* An XDG variable, or its default below HOME. */
static enum psst_err xdg(char out[PSST_PATH_MAX], const char *variable, const char *below_home, const char *rest,
                         struct psst_diag *diag)
{
    if (env(variable) != NULL) return join(out, PSST_PATH_MAX, variable, env(variable), rest, diag);
    if (env("HOME") == NULL) return psst_fail(diag, PSST_ERR_USAGE, "neither PSST_HOME nor HOME is set");
    char home[PSST_PATH_MAX];
    enum psst_err err = join(home, sizeof home, "HOME", env("HOME"), below_home, diag);
    return err == PSST_OK ? join(out, PSST_PATH_MAX, "HOME", home, rest, diag) : err;
}

/* XDG_DOWNLOAD_DIR="$HOME/Downloads" in user-dirs.dirs: gives the path, false when there is no such line. */
static bool read_user_dirs(const char *file, const char *home, char out[PSST_PATH_MAX])
{
    static const char key[] = "XDG_DOWNLOAD_DIR=\"";
    FILE *f = fopen(file, "re");
    if (f == NULL) return false;
    char line[PSST_PATH_MAX];
    bool found = false;
    while (!found && fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, key, sizeof key - 1) != 0) continue;
        char *value = line + sizeof key - 1;
        char *end = strchr(value, '"');
        if (end == NULL) continue;
        *end = '\0';
        bool below_home = strncmp(value, "$HOME/", 6) == 0;
        if (!below_home && value[0] != '/') continue;
        found = join(out, PSST_PATH_MAX, "XDG_DOWNLOAD_DIR", below_home ? home : value, below_home ? value + 5 : "",
                     NULL) == PSST_OK;
    }
    (void)fclose(f);
    return found;
}

static enum psst_err find_downloads(struct psst_paths *out, struct psst_diag *diag)
{
    const char *home = env("HOME");
    if (env("XDG_DOWNLOAD_DIR") != NULL)
        return join(out->download_dir, sizeof out->download_dir, "XDG_DOWNLOAD_DIR", env("XDG_DOWNLOAD_DIR"), "", diag);
    char dirs[PSST_PATH_MAX];
    enum psst_err err = xdg(dirs, "XDG_CONFIG_HOME", "/.config", "/user-dirs.dirs", diag);
    if (err != PSST_OK) return err;
    if (home != NULL && read_user_dirs(dirs, home, out->download_dir)) return PSST_OK;
    if (home == NULL) return psst_fail(diag, PSST_ERR_USAGE, "neither PSST_HOME nor HOME is set");
    struct stat st;
    err = join(out->download_dir, sizeof out->download_dir, "HOME", home, "/Downloads", diag);
    if (err == PSST_OK && (stat(out->download_dir, &st) != 0 || !S_ISDIR(st.st_mode)))
        err = join(out->download_dir, sizeof out->download_dir, "HOME", home, "", diag);
    return err;
}

static enum psst_err from_psst_home(struct psst_paths *out, const char *base, struct psst_diag *diag)
{
    enum psst_err err = join(out->config_dir, sizeof out->config_dir, "PSST_HOME", base, "", diag);
    if (err == PSST_OK) err = join(out->data_dir, sizeof out->data_dir, "PSST_HOME", base, "", diag);
    if (err == PSST_OK) err = join(out->run_dir, sizeof out->run_dir, "PSST_HOME", base, "/run", diag);
    if (err == PSST_OK) err = join(out->download_dir, sizeof out->download_dir, "PSST_HOME", base, "/downloads", diag);
    return err;
}

static enum psst_err from_xdg(struct psst_paths *out, struct psst_diag *diag)
{
    enum psst_err err = xdg(out->config_dir, "XDG_CONFIG_HOME", "/.config", "/psst", diag);
    if (err == PSST_OK) err = xdg(out->data_dir, "XDG_DATA_HOME", "/.local/share", "/psst", diag);
    if (err == PSST_OK && env("XDG_RUNTIME_DIR") != NULL)
        err = xdg(out->run_dir, "XDG_RUNTIME_DIR", "", "/psst", diag);
    else if (err == PSST_OK)
        err = xdg(out->run_dir, "HOME", "", "/.local/state/psst/run", diag);
    return err == PSST_OK ? find_downloads(out, diag) : err;
}

/* The places have room for the longest directory and any of these names. */
#define IN(place, dir, name) (void)concat(out->place, sizeof out->place, out->dir, strlen(out->dir), "/" name)

enum psst_err psst_paths_get(struct psst_paths *result, struct psst_diag *diag)
{
    struct psst_paths paths = {0};
    struct psst_paths *out = &paths;
    const char *base = env("PSST_HOME");
    enum psst_err err = base != NULL ? from_psst_home(out, base, diag) : from_xdg(out, diag);
    if (err != PSST_OK) return err;
    IN(config, config_dir, "config");
    IN(identity, data_dir, "identity.pem");
    IN(card, data_dir, "card.psst");
    IN(store_key, data_dir, "store.key");
    IN(store_db, data_dir, "store.db");
    IN(replay, data_dir, "replay");
    IN(socket, run_dir, "psst.sock");
    IN(lock, run_dir, "psstd.lock");
    if (strlen(out->socket) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return psst_fail(diag, PSST_ERR_USAGE,
                         "the path of the control socket is too long; set PSST_HOME to a shorter one");
    *result = paths;
    return PSST_OK;
}

/* ---- what may be there ---- */

static enum psst_err make_parents(const char *dir, struct psst_diag *diag)
{
    char path[PSST_PATH_MAX + 32];
    size_t len = strlen(dir);
    if (len >= sizeof path) return psst_fail(diag, PSST_ERR_TOO_LONG, "a path is too long");
    memcpy(path, dir, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') continue;
        char at = path[i];
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST && (errno != EROFS || access(path, F_OK) != 0))
            return psst_fail(diag, PSST_ERR_IO, "cannot make the directory %s: %s", path, strerror(errno));
        path[i] = at;
    }
    return PSST_OK;
}

enum psst_err psst_paths_make_dir(const char *dir, bool private_dir, struct psst_diag *diag)
{
    struct stat st;
    if (lstat(dir, &st) != 0) {
        enum psst_err err = make_parents(dir, diag);
        if (err != PSST_OK) return err;
        if (lstat(dir, &st) != 0) return psst_fail(diag, PSST_ERR_IO, "cannot look at %s: %s", dir, strerror(errno));
    }
    if (S_ISLNK(st.st_mode)) return psst_fail(diag, PSST_ERR_PERMISSION, "%s is a link; it must be a directory", dir);
    if (!S_ISDIR(st.st_mode)) return psst_fail(diag, PSST_ERR_PERMISSION, "%s is not a directory", dir);
    if (st.st_uid != geteuid()) return psst_fail(diag, PSST_ERR_PERMISSION, "%s belongs to another user", dir);
    if ((st.st_mode & 0022) != 0)
        return psst_fail(diag, PSST_ERR_PERMISSION, "others can write into the directory; close it: chmod 700 %s", dir);
    if (private_dir && (st.st_mode & 0055) != 0)
        return psst_fail(diag, PSST_ERR_PERMISSION, "others can look into the directory; close it: chmod 700 %s", dir);
    return PSST_OK;
}

enum psst_err psst_paths_check_private(const char *file, struct psst_diag *diag)
{
    struct stat st;
    if (stat(file, &st) != 0) {
        if (errno == ENOENT) return psst_fail(diag, PSST_ERR_NOT_FOUND, "there is no %s", file);
        return psst_fail(diag, PSST_ERR_IO, "cannot look at %s: %s", file, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) return psst_fail(diag, PSST_ERR_PERMISSION, "%s is not a file", file);
    if (st.st_uid != geteuid()) return psst_fail(diag, PSST_ERR_PERMISSION, "%s belongs to another user", file);
    if ((st.st_mode & 0077) != 0)
        return psst_fail(diag, PSST_ERR_PERMISSION, "others can read the file; close it: chmod 600 %s", file);
    return PSST_OK;
}
