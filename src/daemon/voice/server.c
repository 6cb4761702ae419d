#include "daemon/voice/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 1024
#define LINES_MAX 1000 /* of client.conf */
#define ID_LEN    32   /* of a machine, in hex */

/* What client.conf says of it; "": nothing. */
struct conf {
    char server[PATH_SIZE], cookie[PATH_SIZE];
};

/* value, "/" and so on below what a variable names. False: it names nothing, or too much. */
static bool below(char out[PATH_SIZE], const char *variable, const char *rest)
{
    const char *value = getenv(variable);
    if (value == NULL || value[0] != '/') return false;
    int n = snprintf(out, PATH_SIZE, "%s%s", value, rest);
    return n > 0 && n < PATH_SIZE;
}

static void add_place(struct voice_server *out, const char *path, size_t len)
{
    struct sockaddr_un *place = &out->places[out->n];
    if (out->n == VOICE_SERVER_PLACES || len == 0 || len >= sizeof place->sun_path || path[0] != '/') return;
    *place = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(place->sun_path, path, len);
    out->n++;
}

static void add_below(struct voice_server *out, const char *variable, const char *rest)
{
    char path[PATH_SIZE];
    if (below(path, variable, rest)) add_place(out, path, strlen(path));
}

/* "{machine}unix:/path /path tcp:there": those that are paths here. */
static void add_list(struct voice_server *out, const char *list)
{
    static const char blanks[] = " \t\r\n";
    for (const char *at = list + strspn(list, blanks); *at != '\0'; at += strspn(at, blanks)) {
        size_t len = strcspn(at, blanks), skip = 0;
        if (at[0] == '{') {
            const char *end = memchr(at, '}', len);
            skip = end != NULL ? (size_t)(end - at) + 1 : len;
        }
        if (len - skip > 5 && memcmp(at + skip, "unix:", 5) == 0) skip += 5;
        add_place(out, at + skip, len - skip);
        at += len;
    }
}

/* ---- client.conf ---- */

/* "key = value": the value, without what surrounds it. False: another line. */
static bool take(const char *line, const char *key, char out[PATH_SIZE])
{
    static const char blanks[] = " \t\r\n";
    line += strspn(line, blanks);
    size_t len = strlen(key);
    if (strncmp(line, key, len) != 0) return false;
    line += len;
    line += strspn(line, blanks);
    if (*line++ != '=') return false;
    line += strspn(line, blanks);
    len = strlen(line);
    while (len > 0 && strchr(blanks, line[len - 1]) != NULL) len--;
    if (len == 0 || len >= PATH_SIZE) return false;
    memcpy(out, line, len);
    out[len] = '\0';
    return true;
}

static bool read_conf(struct conf *out, const char *path)
{
    char line[PATH_SIZE];
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    for (int i = 0; i < LINES_MAX && fgets(line, sizeof line, file) != NULL; i++)
        if (!take(line, "default-server", out->server)) (void)take(line, "cookie-file", out->cookie);
    (void)fclose(file);
    return true;
}

/* The first that there is counts, as with libpulse. */
static void find_conf(struct conf *out)
{
    static const char *const own[][2] = {{"XDG_CONFIG_HOME", "/pulse/client.conf"},
                                         {"HOME", "/.config/pulse/client.conf"},
                                         {"HOME", "/.pulse/client.conf"}};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (below(path, own[i][0], own[i][1]) && read_conf(out, path)) return;
    (void)read_conf(out, "/etc/pulse/client.conf");
}

/* ---- the folder of a machine without XDG_RUNTIME_DIR, the cookie ---- */

/* How much was there; up to len. */
static size_t read_file(const char *path, void *out, size_t len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return 0;
    ssize_t n = read(fd, out, len);
    (void)close(fd);
    return n > 0 ? (size_t)n : 0;
}

static void add_runtime(struct voice_server *out)
{
    char id[ID_LEN], rest[128];
    if (read_file("/etc/machine-id", id, ID_LEN) != ID_LEN &&
        read_file("/var/lib/dbus/machine-id", id, ID_LEN) != ID_LEN)
        return;
    (void)snprintf(rest, sizeof rest, "/pulse/%.*s-runtime/native", ID_LEN, id);
    add_below(out, "XDG_CONFIG_HOME", rest);
    (void)snprintf(rest, sizeof rest, "/.config/pulse/%.*s-runtime/native", ID_LEN, id);
    add_below(out, "HOME", rest);
}

static void find_cookie(struct voice_server *out, const struct conf *conf)
{
    static const char *const own[][2] = {{"PULSE_COOKIE", ""},
                                         {"XDG_CONFIG_HOME", "/pulse/cookie"},
                                         {"HOME", "/.config/pulse/cookie"},
                                         {"HOME", "/.pulse-cookie"}};
    char path[PATH_SIZE];
    for (size_t i = 0; i < sizeof own / sizeof own[0] && !out->has_cookie; i++) {
        if (i == 1 && conf->cookie[0] == '/')
            out->has_cookie = read_file(conf->cookie, out->cookie, VOICE_COOKIE_LEN) == VOICE_COOKIE_LEN;
        if (!out->has_cookie && below(path, own[i][0], own[i][1]))
            out->has_cookie = read_file(path, out->cookie, VOICE_COOKIE_LEN) == VOICE_COOKIE_LEN;
    }
}

void voice_server_find(struct voice_server *out)
{
    static struct conf conf;
    *out = (struct voice_server){.n = 0};
    conf = (struct conf){{0}, {0}};
    find_conf(&conf);
    const char *wanted = getenv("PULSE_SERVER");
    if (wanted == NULL || wanted[0] == '\0') wanted = conf.server;
    if (wanted[0] != '\0') {
        add_list(out, wanted);
    } else {
        add_below(out, "PULSE_RUNTIME_PATH", "/native");
        add_below(out, "XDG_RUNTIME_DIR", "/pulse/native");
        add_runtime(out);
        add_place(out, "/var/run/pulse/native", strlen("/var/run/pulse/native"));
    }
    find_cookie(out, &conf);
}
