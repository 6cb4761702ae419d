/* What a name may be: something that can be typed, shown on one line as it is, and never taken for an option, a hidden
 * file or a path. */
#include "base/me.h"
#include "base/text.h"
#include "identity/card.h"

#include <strings.h>

/* Blanks that UTF-8 can hide at either end of a name, besides the space; the tab and its like are controls. */
static const char *const blanks[] = {
    " ",      "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
    "\u2006", "\u2007", "\u2008", "\u2009", "\u200a", "\u202f", "\u205f", "\u2800", "\u3000",
};

static bool blank_at_an_end(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof blanks / sizeof blanks[0]; i++) {
        size_t n = strlen(blanks[i]);
        if (n <= len && (memcmp(name, blanks[i], n) == 0 || memcmp(name + len - n, blanks[i], n) == 0)) return true;
    }
    return false;
}

/* Whether the name is shown as what it is: no controls, nothing invisible, nothing that turns the text around. */
static enum psst_err shown_unchanged(const char *name, size_t len, bool *same)
{
    struct psst_buf shown;
    psst_buf_init(&shown, 16 * PSST_NAME_MAX);
    psst_text_render(&shown, psst_view(name, len), PSST_RENDER_LINE, PSST_NAME_MAX);
    bool failed = shown.failed;
    *same = !failed && psst_view_equal(psst_buf_view(&shown), psst_view(name, len));
    psst_buf_fini(&shown);
    return failed ? PSST_ERR_MEMORY : PSST_OK;
}

enum psst_err psst_name_check(const char *name, struct psst_diag *diag)
{
    size_t len = strnlen(name, PSST_NAME_MAX + 1);
    if (len == 0) return psst_fail(diag, PSST_ERR_USAGE, "a name cannot be empty");
    if (len > PSST_NAME_MAX) {
        return psst_fail(diag, PSST_ERR_USAGE, "a name has at most %d bytes of UTF-8", PSST_NAME_MAX);
    }
    if (!psst_text_valid(psst_view(name, len))) return psst_fail(diag, PSST_ERR_USAGE, "that name is not valid UTF-8");
    if (name[0] == '-' || name[0] == '.') {
        return psst_fail(diag, PSST_ERR_USAGE, "a name cannot begin with '%c'", name[0]);
    }
    if (strchr(name, '/') != NULL) return psst_fail(diag, PSST_ERR_USAGE, "a name cannot contain '/'");
    if (blank_at_an_end(name, len)) {
        return psst_fail(diag, PSST_ERR_USAGE, "a name cannot begin or end with a blank");
    }
    bool same = false;
    enum psst_err err = shown_unchanged(name, len, &same);
    if (err != PSST_OK) return psst_fail(diag, err, "out of memory");
    if (!same) {
        return psst_fail(diag, PSST_ERR_USAGE, "a name cannot contain control characters or invisible characters");
    }
    return PSST_OK;
}

enum psst_err psst_alias_check(const char *alias, const char *own, struct psst_diag *diag)
{
    enum psst_err err = psst_name_check(alias, diag);
    if (err != PSST_OK) return err;
    if (psst_is_me(psst_view_str(alias)))
        return psst_fail(diag, PSST_ERR_USAGE, "%s is what you are called here: give this contact another name", alias);
    if (strcasecmp(alias, own) == 0)
        return psst_fail(diag, PSST_ERR_USAGE, "%s is your own name: give this contact another one", alias);
    return PSST_OK;
}
