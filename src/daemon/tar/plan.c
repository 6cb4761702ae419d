/* What becomes of the names in an archive (attacks 29 to 33): each part of a path goes through the same cleaning as the name of
 * a single file; what lies about where it belongs, or is there twice, is refused with all the rest. Two names that become one
 * are told apart by a number. */
#include "daemon/tar/tar.h"

#include "base/file_name.h"
#include "base/text.h"

#include <search.h>
#include <stdlib.h>

void psst_tar_plan_init(struct psst_tar_plan *plan, uint64_t archive_size)
{
    *plan = (struct psst_tar_plan){.archive_size = archive_size};
}

static void node_free(struct psst_tar_node *node)
{
    free(node->raw);
    free(node->name);
    free(node);
}

static void keep(void *node)
{
    (void)node; /* the list owns it */
}

void psst_tar_plan_fini(struct psst_tar_plan *plan)
{
    tdestroy(plan->by_raw, keep);
    tdestroy(plan->by_name, keep);
    while (plan->first != NULL) {
        struct psst_tar_node *node = plan->first;
        plan->first = node->next;
        node_free(node);
    }
    *plan = (struct psst_tar_plan){0};
}

static enum psst_err refuse(struct psst_view path, const char *what, struct psst_diag *diag)
{
    return psst_fail(diag, PSST_ERR_MALFORMED, "What came is refused: %s %s.", psst_tar_shown(path), what);
}

/* ---- looking up: balanced trees, since a hostile sender chooses the names ---- */

static int by_parent(const struct psst_tar_node *a, const struct psst_tar_node *b)
{
    uintptr_t x = (uintptr_t)a->parent, y = (uintptr_t)b->parent;
    return (x > y) - (x < y);
}

static int compare_raw(const void *a, const void *b)
{
    const struct psst_tar_node *x = a, *y = b;
    int order = by_parent(x, y);
    return order != 0 ? order : strcmp(x->raw, y->raw);
}

static int compare_name(const void *a, const void *b)
{
    const struct psst_tar_node *x = a, *y = b;
    int order = by_parent(x, y);
    return order != 0 ? order : strcmp(x->name, y->name);
}

static struct psst_tar_node *find(void *const *tree, struct psst_tar_node *parent, char *word,
                                  int (*compare)(const void *, const void *))
{
    const struct psst_tar_node key = {.parent = parent, .raw = word, .name = word};
    void *const *found = tfind(&key, tree, compare);
    return found == NULL ? NULL : *found;
}

/* ---- a new node ---- */

/* The first of its clean name's copies that nobody has. */
static enum psst_err choose_name(struct psst_tar_plan *plan, struct psst_tar_node *node, struct psst_view path,
                                 struct psst_diag *diag)
{
    char clean[PSST_SAFE_NAME_SIZE], name[PSST_SAFE_NAME_SIZE];
    psst_file_name_sanitize(clean, psst_view_str(node->raw));
    struct psst_tar_node *first = find(&plan->by_name, node->parent, clean, compare_name);
    unsigned copy = first == NULL ? 1 : first->copies + 1;
    for (psst_file_name_copy(name, clean, copy); find(&plan->by_name, node->parent, name, compare_name) != NULL;
         psst_file_name_copy(name, clean, copy)) {
        if (++copy > PSST_SAFE_COPIES) break;
    }
    if (copy > PSST_SAFE_COPIES) return refuse(path, "has the same name as too many others", diag);
    if (first != NULL) first->copies = copy;
    node->copies = 1;
    node->name = strdup(name);
    return node->name != NULL ? PSST_OK : PSST_ERR_MEMORY;
}

static enum psst_err add_node(struct psst_tar_plan *plan, struct psst_tar_node **out, struct psst_tar_node *parent,
                              struct psst_view raw, struct psst_view path, struct psst_diag *diag)
{
    if (plan->files + plan->folders == PSST_TAR_ENTRIES_MAX)
        return psst_fail(diag, PSST_ERR_MALFORMED, "What came is refused: it holds more than %d files and folders.",
                         PSST_TAR_ENTRIES_MAX);
    struct psst_tar_node *node = calloc(1, sizeof *node);
    if (node == NULL) return PSST_ERR_MEMORY;
    node->parent = parent;
    node->depth = parent == NULL ? 1 : parent->depth + 1;
    node->folder = true;
    node->raw = strndup((const char *)raw.data, raw.len);
    enum psst_err err = node->raw == NULL ? PSST_ERR_MEMORY : choose_name(plan, node, path, diag);
    if (err == PSST_OK && tsearch(node, &plan->by_raw, compare_raw) == NULL) err = PSST_ERR_MEMORY;
    if (err == PSST_OK && tsearch(node, &plan->by_name, compare_name) == NULL) {
        (void)tdelete(node, &plan->by_raw, compare_raw);
        err = PSST_ERR_MEMORY;
    }
    if (err != PSST_OK) {
        node_free(node);
        return err;
    }
    if (plan->last != NULL)
        plan->last->next = node;
    else
        plan->first = node;
    plan->last = node;
    plan->folders++;
    plan->renamed += strcmp(node->raw, node->name) != 0;
    *out = node;
    return PSST_OK;
}

/* ---- paths ---- */

/* NULL: this may stand between two '/'. */
static const char *bad_part(struct psst_view part)
{
    if (part.len == 0) return "has an empty part in its path";
    if (part.len > PSST_TAR_NAME_MAX) return "has a name that is too long";
    if (part.len == 1 && part.data[0] == '.') return "has \".\" in its path";
    if (part.len == 2 && part.data[0] == '.' && part.data[1] == '.') return "leads out of the folder";
    return NULL;
}

/* NULL: this may be a path. A folder's may end in '/'. */
static const char *bad_path(struct psst_view *path, bool folder)
{
    if (folder && path->len > 1 && path->data[path->len - 1] == '/') path->len--;
    if (path->len == 0) return "has no name";
    if (path->data[0] == '/') return "is a path of its own, outside of the folder";
    if (path->len > PSST_TAR_PATH_MAX) return "has a path that is too long";
    return psst_text_valid(*path) ? NULL : "has a name that is no UTF-8";
}

static size_t part_len(struct psst_view path)
{
    const uint8_t *slash = memchr(path.data, '/', path.len);
    return slash == NULL ? path.len : (size_t)(slash - path.data);
}

/* One step down from *at: what is there, or a new folder. *added: it is new. */
static enum psst_err step(struct psst_tar_plan *plan, struct psst_tar_node **at, bool *added, struct psst_view part,
                          struct psst_view path, struct psst_diag *diag)
{
    char raw[PSST_TAR_NAME_MAX + 1];
    const char *bad = bad_part(part);
    if (bad != NULL) return refuse(path, bad, diag);
    if (*at != NULL && !(*at)->folder) return refuse(path, "lies in something that is no folder", diag);
    if (*at != NULL && (*at)->depth == PSST_TAR_DEPTH_MAX) return refuse(path, "lies in too many folders", diag);
    memcpy(raw, part.data, part.len);
    raw[part.len] = '\0';
    struct psst_tar_node *node = find(&plan->by_raw, *at, raw, compare_raw);
    *added = node == NULL;
    enum psst_err err = node == NULL ? add_node(plan, &node, *at, part, path, diag) : PSST_OK;
    if (err == PSST_OK) *at = node;
    return err;
}

static enum psst_err check_place(const struct psst_tar_plan *plan, const struct psst_tar_item *item,
                                 struct psst_diag *diag)
{
    bool good = item->offset <= plan->archive_size && item->size <= plan->archive_size - item->offset &&
                item->size <= plan->archive_size - plan->bytes && (item->size == 0 || !item->folder);
    return good ? PSST_OK : refuse(item->path, "is longer than all that came", diag);
}

enum psst_err psst_tar_plan_add(struct psst_tar_plan *plan, const struct psst_tar_item *item, struct psst_diag *diag)
{
    struct psst_view path = item->path;
    const char *bad = bad_path(&path, item->folder);
    if (bad != NULL) return refuse(item->path, bad, diag);
    enum psst_err err = check_place(plan, item, diag);
    struct psst_tar_node *at = NULL;
    bool added = false;
    for (size_t from = 0; err == PSST_OK && from <= path.len;) {
        struct psst_view rest = psst_view(path.data + from, path.len - from);
        size_t len = part_len(rest);
        err = step(plan, &at, &added, psst_view(rest.data, len), path, diag);
        from += len + 1;
    }
    if (err != PSST_OK || at == NULL) return err;
    if (!added) return at->folder && item->folder ? PSST_OK : refuse(path, "is there twice", diag);
    at->mtime_s = item->mtime_s;
    if (item->folder) return PSST_OK;
    at->folder = false;
    at->size = item->size;
    at->offset = item->offset;
    plan->bytes += item->size;
    plan->folders--;
    plan->files++;
    return PSST_OK;
}
