/* base name -> rendered -> dots, dashes and blanks around it taken away -> cut, with its extension kept */
#include "base/file_name.h"

#include "base/text.h"

#include <stdio.h>

#define NAME_READ_MAX ((size_t)4096) /* of a longer name only the end is looked at: the base name stands there */
#define EXTENSION_MAX 16             /* bytes, with its dot, that are kept when a name is cut */

static struct psst_view base_name(struct psst_view name)
{
    size_t from = name.len;
    while (from > 0 && name.data[from - 1] != '/' && name.data[from - 1] != '\\') from--;
    return psst_view(name.data + from, name.len - from);
}

/* Bytes of the blank at the start (or, from_end, at the end) of the view: ASCII, no-break, the spaces of U+2000 to U+200A,
 * U+202F, U+205F, ideographic; 0: there is none. What the renderer drops needs no place here. */
static size_t blank_at(struct psst_view v, bool from_end)
{
    static const char *const blanks[] = {" ", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        size_t len = strlen(blanks[i]);
        if (len <= v.len && memcmp(from_end ? v.data + v.len - len : v.data, blanks[i], len) == 0) return len;
    }
    if (v.len < 3) return 0;
    const uint8_t *at = from_end ? v.data + v.len - 3 : v.data;
    return at[0] == 0xe2 && at[1] == 0x80 && at[2] >= 0x80 && at[2] <= 0x8a ? 3 : 0;
}

static struct psst_view strip_start(struct psst_view v)
{
    while (v.len > 0) {
        size_t n = v.data[0] == '.' || v.data[0] == '-' ? 1 : blank_at(v, false);
        if (n == 0) break;
        v = psst_view(v.data + n, v.len - n);
    }
    return v;
}

static struct psst_view strip_end(struct psst_view v)
{
    while (v.len > 0) {
        size_t n = v.data[v.len - 1] == '.' ? 1 : blank_at(v, true);
        if (n == 0) break;
        v.len -= n;
    }
    return v;
}

/* Where the extension begins, v.len when there is none worth keeping. */
static size_t extension_at(struct psst_view v)
{
    for (size_t i = v.len; i > 1 && v.len - i < EXTENSION_MAX; i--)
        if (v.data[i - 1] == '.') return i - 1;
    return v.len;
}

/* The longest start of at most max bytes that does not end inside a character. */
static size_t cut(struct psst_view v, size_t max)
{
    if (v.len <= max) return v.len;
    while (max > 0 && (v.data[max] & 0xc0) == 0x80) max--;
    return max;
}

/* Renders name into shown, and gives what is left of it without dots, dashes and blanks around. */
static struct psst_view rendered(struct psst_buf *shown, struct psst_view name)
{
    psst_buf_init(shown, NAME_READ_MAX * 6); /* one bad byte becomes three, a stray mark brings its circle */
    psst_text_render(shown, name, PSST_RENDER_LINE, NAME_READ_MAX * 2);
    return shown->failed ? psst_view(NULL, 0) : strip_end(strip_start(psst_buf_view(shown)));
}

void psst_file_name_sanitize(char out[PSST_SAFE_NAME_SIZE], struct psst_view name)
{
    struct psst_view base = base_name(name);
    if (base.len > NAME_READ_MAX) base = psst_view(base.data + base.len - NAME_READ_MAX, NAME_READ_MAX);
    struct psst_buf first, shown;
    /* twice: a mark whose dot or dash was taken away must not sit on what stands before the name */
    struct psst_view v = rendered(&shown, rendered(&first, base));
    psst_buf_fini(&first);
    size_t ext = v.len > PSST_SAFE_NAME_MAX ? extension_at(v) : v.len;
    size_t ext_len = v.len - ext;
    size_t stem_len = cut(psst_view(v.data, ext), PSST_SAFE_NAME_MAX - ext_len);
    stem_len = strip_end(psst_view(v.data, stem_len)).len;
    if (stem_len == 0) {
        memcpy(out, "file", 5);
    } else {
        memcpy(out, v.data, stem_len);
        if (ext_len > 0) memcpy(out + stem_len, v.data + ext, ext_len);
        out[stem_len + ext_len] = '\0';
    }
    psst_buf_fini(&shown);
}

void psst_file_name_copy(char out[PSST_SAFE_NAME_SIZE], const char *name, unsigned copy)
{
    size_t ext = extension_at(psst_view_str(name));
    if (copy == 1)
        (void)snprintf(out, PSST_SAFE_NAME_SIZE, "%s", name);
    else
        (void)snprintf(out, PSST_SAFE_NAME_SIZE, "%.*s (%u)%s", (int)ext, name, copy, name + ext);
}
