/* psst-notify: shows one notification on the desktop. psst starts it, so that nobody who holds keys, sessions or a
 * passphrase carries a desktop's libraries.
 *
 *   standard input: kind ("call", "news") \n title \n body \n        exit code: 0: shown
 *
 * Text is taken literally: controls become symbols, and where the desktop reads markup, markup is escaped.
 */
#include "base/text.h"

#include <libnotify/notify.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX 4096
#define TITLE_MAX 200
#define BODY_MAX  400 /* characters */
#define LIMIT_S   2   /* a desktop that has not answered by then will not */
#define CALL_MS   30000

static void too_late(int sig)
{
    (void)sig;
    _exit(1);
}

static size_t read_input(char *text, size_t max)
{
    size_t len = 0;
    while (len < max) {
        ssize_t n = read(STDIN_FILENO, text + len, max - len);
        if (n <= 0) break;
        len += (size_t)n;
    }
    return len;
}

static struct psst_view next_line(const char **at, const char *end)
{
    const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
    if (stop == NULL) stop = end;
    *at = stop < end ? stop + 1 : end;
    return psst_view(line, (size_t)(stop - line));
}

/* Given; NULL: no memory. */
static char *rendered(struct psst_view line, size_t max)
{
    struct psst_buf buf;
    psst_buf_init(&buf, 16384);
    psst_text_render(&buf, line, PSST_RENDER_LINE, max);
    psst_buf_put_u8(&buf, 0);
    char *text = buf.failed ? NULL : strdup((const char *)buf.data);
    psst_buf_fini(&buf);
    return text;
}

/* A desktop that says it reads markup, or that says nothing. */
static bool reads_markup(void)
{
    bool reads = false;
    GList *caps = notify_get_server_caps();
    for (GList *cap = caps; cap != NULL; cap = cap->next) reads = reads || strcmp(cap->data, "body-markup") == 0;
    reads = reads || caps == NULL;
    g_list_free_full(caps, g_free);
    return reads;
}

static bool find_bus(void)
{
    char address[INPUT_MAX];
    const char *given = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");
    if (given != NULL && given[0] != '\0') return true;
    if (runtime == NULL || runtime[0] == '\0') return false; /* none is to be started for us */
    int len = snprintf(address, sizeof address, "%s/bus", runtime);
    if (len <= 0 || (size_t)len >= sizeof address || access(address, F_OK) != 0) return false;
    len = snprintf(address, sizeof address, "unix:path=%s/bus", runtime);
    return len > 0 && (size_t)len < sizeof address && setenv("DBUS_SESSION_BUS_ADDRESS", address, 1) == 0;
}

static bool show(const char *title, const char *body, bool call)
{
    char *escaped = reads_markup() ? g_markup_escape_text(body, -1) : g_strdup(body);
    NotifyNotification *it = notify_notification_new(title, escaped, NULL);
    notify_notification_set_urgency(it, call ? NOTIFY_URGENCY_CRITICAL : NOTIFY_URGENCY_NORMAL);
    notify_notification_set_category(it, call ? "call.incoming" : "im.received");
    if (call) notify_notification_set_timeout(it, CALL_MS);
    bool shown = notify_notification_show(it, NULL);
    g_object_unref(it);
    g_free(escaped);
    return shown;
}

int main(int argc, char **argv)
{
    char text[INPUT_MAX];
    (void)argv;
    if (argc != 1) {
        (void)fprintf(stderr, "psst-notify: started by psst; it takes what to show on its standard input\n");
        return 2;
    }
    (void)signal(SIGALRM, too_late);
    (void)alarm(LIMIT_S);
    size_t len = read_input(text, sizeof text);
    const char *at = text, *end = text + len;
    struct psst_view kind = next_line(&at, end), title = next_line(&at, end), body = next_line(&at, end);
    bool call = kind.len == 4 && memcmp(kind.data, "call", 4) == 0;
    char *shown_title = rendered(title, TITLE_MAX), *shown_body = rendered(body, BODY_MAX);
    bool shown = title.len > 0 && shown_title != NULL && shown_body != NULL && find_bus() && notify_init("PSST") &&
                 show(shown_title, shown_body, call);
    free(shown_title);
    free(shown_body);
    return shown ? 0 : 1;
}
