/* A line as words, as a shell would see them, and nothing more. */
#include "tui/commands.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* What stands in quotes or behind a backslash is taken as it is. NULL: something is not closed. */
static const char *take_word(const char *at, char **out)
{
    char quote = '\0';
    for (; *at != '\0' && (quote != '\0' || !is_blank(*at)); at++) {
        bool escapes = *at == '\\' && quote != '\'';
        if (escapes && quote == '"' && at[1] != '"' && at[1] != '\\') escapes = false;
        if (escapes) {
            if (*++at == '\0') return NULL;
            *(*out)++ = *at;
        } else if (quote == '\0' && (*at == '"' || *at == '\'')) {
            quote = *at;
        } else if (quote != '\0' && *at == quote) {
            quote = '\0';
        } else {
            *(*out)++ = *at;
        }
    }
    *(*out)++ = '\0';
    return quote == '\0' ? at : NULL;
}

static const char *home_of(const char *word)
{
    const char *home = getenv("HOME");
    return word[0] == '~' && (word[1] == '\0' || word[1] == '/' || is_blank(word[1])) ? home : NULL;
}

/* The words of the line, at most; and bytes for them. */
static void measure(const char *line, size_t *words, size_t *bytes)
{
    *words = 1;
    *bytes = strlen(line) + 2;
    for (const char *c = line; *c != '\0'; c++) {
        *words += is_blank(*c);
        if (home_of(c) != NULL) *bytes += strlen(home_of(c));
    }
}

enum psst_err psst_command_split(const char *line, int most, char ***words, int *n)
{
    size_t room, bytes;
    measure(line, &room, &bytes);
    if (room > INT32_MAX / 2) return PSST_ERR_TOO_LONG;
    char **list = calloc(1, (room + 2) * sizeof *list + bytes);
    if (list == NULL) return PSST_ERR_MEMORY;
    char *out = (char *)(list + room + 2);
    int found = 0;
    for (;;) {
        while (is_blank(*line)) line++;
        if (*line == '\0') break;
        list[found++] = out;
        if (found > most) {
            memcpy(out, line, strlen(line) + 1);
            break;
        }
        const char *home = home_of(line);
        if (home != NULL) {
            memcpy(out, home, strlen(home));
            out += strlen(home);
            line++;
        }
        line = take_word(line, &out);
        if (line == NULL) {
            free(list);
            return PSST_ERR_MALFORMED;
        }
    }
    *words = list;
    *n = found;
    return PSST_OK;
}
