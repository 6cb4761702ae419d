#include "tui/complete_find.h"

#include <stdlib.h>

#define BLANKS " \t\n\r"

static bool blank(uint8_t byte)
{
    return byte != 0 && strchr(BLANKS, byte) != NULL;
}

/* One word, its quotes taken off; gives where it ends. */
static size_t read_word(char **out, struct psst_view line, size_t at)
{
    char *to = *out;
    uint8_t quote = 0;
    for (; at < line.len && (quote != 0 || !blank(line.data[at])); at++) {
        uint8_t byte = line.data[at];
        bool more = at + 1 < line.len;
        if (quote == 0 && (byte == '"' || byte == '\'')) {
            quote = byte;
        } else if (byte == quote) {
            quote = 0;
        } else if (byte == '\\' && quote != '\'' && more &&
                   (quote == 0 || line.data[at + 1] == '"' || line.data[at + 1] == '\\')) {
            *to++ = (char)line.data[++at];
        } else if (byte != '\\' || quote != 0 || more) { /* a lone one at the end waits for what it quotes */
            *to++ = (char)byte;
        }
    }
    *to++ = '\0';
    *out = to;
    return at;
}

bool psst_words_read(struct psst_words *out, struct psst_view line)
{
    *out = (struct psst_words){0};
    out->block = malloc(line.len + PSST_WORDS_MAX + 1);
    if (out->block == NULL) return false;
    char *to = out->block;
    size_t at = 0;
    do {
        while (at < line.len && blank(line.data[at])) at++;
        if (out->n == PSST_WORDS_MAX) {
            psst_words_fini(out);
            return false;
        }
        struct psst_word *word = &out->list[out->n++];
        word->text = to;
        word->from = at;
        word->tilde = at < line.len && line.data[at] == '~' &&
                      (at + 1 == line.len || line.data[at + 1] == '/' || blank(line.data[at + 1]));
        at = read_word(&to, line, at);
    } while (at < line.len);
    return true;
}

void psst_words_fini(struct psst_words *words)
{
    free(words->block);
    *words = (struct psst_words){0};
}

void psst_word_quote(struct psst_buf *out, const char *word, bool path, bool tilde)
{
    bool whole = strpbrk(word, BLANKS) != NULL && strpbrk(word, "\"\\$`") == NULL;
    if (!path && whole) {
        psst_buf_put_u8(out, '"');
        psst_buf_put_str(out, word);
        psst_buf_put_u8(out, '"');
        return;
    }
    for (const char *p = word; *p != '\0'; p++) {
        bool home = p == word && *p == '~' && !tilde;
        if (home || strchr(BLANKS "\"'\\", *p) != NULL) psst_buf_put_u8(out, '\\');
        psst_buf_put_u8(out, (uint8_t)*p);
    }
}
