/* What somebody looks for, as an expression for the index. Their words are data: what reaches the index are the words that
 * its own tokenizer has found in them, which hold no character that means anything to it, each piece in quotes.
 *
 *   lunch "Grand Hôtel" tomor*   -->   "lunch" "grand hotel" "tomor*" who:c7
 */
#include "store/store_internal.h"

#include <inttypes.h>

#define PIECES_MAX 32
#define TOKENS_MAX 64
#define MATCH_MAX  (8 * 1024) /* bytes: PSST_FIND_WORDS_MAX of text, folded, in quotes */

struct piece {
    struct psst_view text;
    bool prefix;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next word, or what stands in quotes; a star at its end is left off and noted. False: there is none. */
static bool next_piece(struct psst_view *rest, struct piece *piece)
{
    const uint8_t *at = rest->data, *end = rest->data + rest->len;
    while (at < end && is_blank(*at)) at++;
    if (at == end) return false;
    bool quoted = *at == '"';
    if (quoted) at++;
    const uint8_t *begin = at;
    while (at < end && *at != '"' && (quoted || !is_blank(*at))) at++;
    const uint8_t *stop = at;
    if (quoted && at < end) at++;
    piece->prefix = false;
    if (stop > begin && stop[-1] == '*') {
        piece->prefix = true;
        stop--;
    } else if (quoted && at < end && *at == '*') {
        piece->prefix = true;
        at++;
    }
    piece->text = psst_view(begin, (size_t)(stop - begin));
    *rest = psst_view(at, (size_t)(end - at));
    return true;
}

/* The words that the tokenizer finds in a piece, quoted; *n of them. A star holds only right behind the last one. */
static enum psst_err put_piece(struct psst_store *store, const struct piece *piece, struct psst_buf *out, size_t *n)
{
    sqlite3_stmt *stmt;
    size_t end = 0;
    *n = 0;
    enum psst_err err =
        psst_store_stmt(store, STMT_TOKENS, "SELECT token, \"end\" FROM temp.words WHERE input = ?1", &stmt);
    if (err != PSST_OK) return err;
    err = psst_store_bind_text(stmt, 1, piece->text) == SQLITE_OK ? PSST_OK : PSST_ERR_TOO_LONG;
    while (err == PSST_OK && (err = psst_store_stmt_row(store, stmt)) == PSST_OK) {
        struct psst_view token = psst_store_column_view(stmt, 0);
        psst_buf_put_u8(out, *n == 0 ? '"' : ' ');
        psst_buf_put_view(out, token);
        end = (size_t)sqlite3_column_int64(stmt, 1);
        if (++*n > TOKENS_MAX) err = PSST_ERR_TOO_LONG;
    }
    psst_store_stmt_end(stmt);
    if (err != PSST_ERR_NOT_FOUND) return err;
    if (*n > 0 && piece->prefix && end == piece->text.len) psst_buf_put_u8(out, '*');
    if (*n > 0) psst_buf_put_str(out, "\" ");
    return PSST_OK;
}

static void put_contact(struct psst_buf *out, int64_t contact_id)
{
    if (contact_id != 0) psst_buf_printf(out, "who:c%" PRId64, contact_id);
}

enum psst_err psst_match_make(struct psst_store *store, struct psst_view words, int64_t contact_id,
                              struct psst_match *match)
{
    struct piece piece;
    size_t n = 0, tokens = 0, pieces = 0, wholes = 0;
    psst_buf_init(&match->all, MATCH_MAX);
    psst_buf_init(&match->whole, MATCH_MAX);
    if (words.len > PSST_FIND_WORDS_MAX) return PSST_ERR_TOO_LONG;
    bool prefixes = false;
    while (next_piece(&words, &piece)) {
        enum psst_err err = put_piece(store, &piece, &match->all, &n);
        if (err == PSST_OK && !piece.prefix) err = put_piece(store, &piece, &match->whole, &n);
        if (err != PSST_OK) return err;
        tokens += n;
        if (++pieces > PIECES_MAX || tokens > TOKENS_MAX) return PSST_ERR_TOO_LONG;
        prefixes |= piece.prefix;
        if (!piece.prefix && n > 0) wholes++;
    }
    if (tokens == 0) return PSST_ERR_MALFORMED;
    put_contact(&match->all, contact_id);
    put_contact(&match->whole, contact_id);
    if (!prefixes || (wholes == 0 && contact_id == 0))
        psst_buf_consume(&match->whole, match->whole.len); /* it would say nothing new */
    return match->all.failed || match->whole.failed ? PSST_ERR_MEMORY : PSST_OK;
}

void psst_match_free(struct psst_match *match)
{
    psst_buf_fini(&match->all);
    psst_buf_fini(&match->whole);
}
