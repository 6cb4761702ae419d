#include "tui/paste.h"

#include "base/secret.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct psst_paste *paste, size_t len)
{
    if (paste->len + len <= paste->capacity) return true;
    size_t capacity = paste->capacity > 0 ? paste->capacity * 2 : 4096;
    if (capacity > PSST_PASTE_MAX) capacity = PSST_PASTE_MAX;
    char *more = paste->len + len <= capacity ? malloc(capacity) : NULL; /* not realloc: wiped wherever it stood */
    if (more == NULL) return false;
    if (paste->len > 0) {
        memcpy(more, paste->text, paste->len);
        psst_wipe(paste->text, paste->len);
    }
    free(paste->text);
    paste->text = more;
    paste->capacity = capacity;
    return true;
}

/* Once something is missing, nothing more is taken: the end is what is cut. */
static void keep(struct psst_paste *paste, const void *bytes, size_t len)
{
    if (paste->cut) return;
    paste->cut = !make_room(paste, len);
    if (paste->cut) return;
    memcpy(paste->text + paste->len, bytes, len);
    paste->len += len;
}

static void take_ascii(struct psst_paste *paste, uint8_t byte)
{
    if (byte == '\n' && paste->after_cr) {
        paste->after_cr = false;
        return;
    }
    paste->after_cr = byte == '\r';
    if (byte == '\r') byte = '\n';
    if ((byte >= 0x20 && byte != 0x7f) || byte == '\n' || byte == '\t') keep(paste, &byte, 1);
}

static void take_byte(struct psst_paste *paste, uint8_t byte)
{
    if (paste->n_partial > 0 && (byte & 0xc0) == 0x80) {
        paste->partial[paste->n_partial++] = byte;
        if (paste->n_partial < paste->need) return;
        struct psst_view whole = psst_view(paste->partial, paste->n_partial);
        bool c1 = paste->partial[0] == 0xc2 && paste->partial[1] < 0xa0;
        if (!c1 && psst_text_valid(whole)) keep(paste, paste->partial, paste->n_partial);
        paste->n_partial = 0;
        return;
    }
    paste->n_partial = 0; /* one that does not go on is dropped */
    if (byte < 0x80) {
        take_ascii(paste, byte);
    } else if (byte >= 0xc2 && byte <= 0xf4) {
        paste->after_cr = false;
        paste->partial[0] = byte;
        paste->n_partial = 1;
        paste->need = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    }
}

size_t psst_paste_take(struct psst_paste *paste, const uint8_t *bytes, size_t len, bool *ended)
{
    static const char mark[] = PSST_PASTE_END;
    *ended = false;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] == (uint8_t)mark[paste->mark]) {
            if (++paste->mark < sizeof mark - 1) continue;
            paste->mark = 0;
            *ended = true;
            return i + 1;
        }
        /* it was none: ESC, which only stands at its beginning, and what followed */
        for (size_t k = 0; k < paste->mark; k++) take_byte(paste, (uint8_t)mark[k]);
        paste->mark = bytes[i] == (uint8_t)mark[0];
        if (paste->mark == 0) take_byte(paste, bytes[i]);
    }
    return len;
}

void psst_paste_again(struct psst_paste *paste)
{
    if (paste->text != NULL) psst_wipe(paste->text, paste->capacity);
    paste->len = 0;
}

void psst_paste_fini(struct psst_paste *paste)
{
    if (paste->text != NULL) psst_wipe(paste->text, paste->capacity);
    free(paste->text);
    PSST_WIPE(*paste);
}
