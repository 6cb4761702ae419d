/* What a verb has said for the command line, as it is said on the screen. */
#include "tui/child.h"
#include "tui/pager.h"

#include <stdlib.h>
#include <string.h>

/* As one string, with a byte to spare: without "psst: ", and "usage: psst say" is "usage: /say". */
static char *to_string(const struct psst_buf *out)
{
    static const struct {
        const char *from, *to;
    } begins[] = {{"psst: ", ""}, {"usage: psst ", "usage: /"}, {"       psst ", "       /"}};
    struct psst_buf words;
    psst_buf_init(&words, 2 * PSST_PAGER_MAX);
    for (size_t at = 0; at < out->len;) {
        const uint8_t *lf = memchr(out->data + at, '\n', out->len - at);
        size_t end = lf != NULL ? (size_t)(lf - out->data) : out->len;
        for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++) {
            size_t n = strlen(begins[i].from);
            if (end - at < n || memcmp(out->data + at, begins[i].from, n) != 0) continue;
            psst_buf_put_str(&words, begins[i].to);
            at += n;
            break;
        }
        psst_buf_put(&words, out->data + at, end - at);
        if (end < out->len) psst_buf_put_u8(&words, '\n');
        at = end + 1;
    }
    while (words.len > 0 && words.data[words.len - 1] == '\n') words.len--;
    for (size_t i = 0; i < words.len; i++)
        if (words.data[i] == 0) words.data[i] = '?'; /* it becomes a string */
    psst_buf_put_u8(&words, 0);
    char *copy = words.failed ? NULL : malloc(words.len + 1);
    if (copy != NULL) memcpy(copy, words.data, words.len);
    psst_buf_fini(&words);
    return copy;
}

/* "it went wrong; usage: /..." goes into one line. What a contact has said never does: it stands behind its gutter. */
static void join(char *words, size_t columns)
{
    char *lf = strchr(words, '\n');
    bool two = lf != NULL && strchr(lf + 1, '\n') == NULL && strncmp(lf + 1, "usage: ", 7) == 0;
    size_t len = strlen(words);
    if (!two || len + 1 > columns) return;
    memmove(lf + 2, lf + 1, len - (size_t)(lf - words));
    memcpy(lf, "; ", 2);
}

/* "psst files" is "/files" here. The same or fewer bytes. */
static void rename_verbs(const struct psst_app *app, char *words)
{
    for (char *at = words; (at = strstr(at, "psst ")) != NULL; at++) {
        char name[16];
        size_t n = strspn(at + 5, "abcdefghijklmnopqrstuvwxyz");
        if (n == 0 || n >= sizeof name || (at > words && at[-1] != ' ')) continue;
        memcpy(name, at + 5, n);
        name[n] = '\0';
        if (psst_command_verb(app, name) == NULL) continue;
        *at = '/';
        memmove(at + 1, at + 5, strlen(at + 5) + 1);
    }
}

char *psst_child_words(const struct psst_app *app, const struct psst_buf *out, unsigned columns)
{
    char *words = to_string(out);
    if (words == NULL) return NULL;
    join(words, columns);
    if (strchr(words, '\n') == NULL) rename_verbs(app, words);
    return words;
}
