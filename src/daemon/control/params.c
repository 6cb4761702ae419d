/* What every method of the control socket does with its params: read them, checked, or answer that they are wrong. */
#include "daemon/control/control.h"

#include <stdio.h>

static void invalid(struct psst_request *req, const char *key, const char *what)
{
    char words[128];
    (void)snprintf(words, sizeof words, "%s: %s", key, what);
    psst_request_invalid(req, words);
}

const char *psst_request_string(struct psst_request *req, const char *key)
{
    const char *value = json_string_value(json_object_get(req->params, key));
    if (value == NULL) invalid(req, key, "a string is wanted");
    return value;
}

struct psst_contact *psst_request_contact(struct psst_request *req, const char *key)
{
    const char *name = psst_request_string(req, key);
    if (name == NULL) return NULL;
    struct psst_contact *contact = psst_book_by_name(req->daemon->book, name);
    if (contact == NULL) {
        char words[160];
        (void)snprintf(words, sizeof words, "there is no contact named %.*s", PSST_NAME_MAX, name);
        psst_request_error(req, PSST_EXIT_NO_CONTACT, "no-contact", words);
    }
    return contact;
}

bool psst_request_bool(const struct psst_request *req, const char *key)
{
    return json_is_true(json_object_get(req->params, key));
}

bool psst_request_int(struct psst_request *req, const char *key, int64_t lo, int64_t hi, int64_t def, int64_t *out)
{
    const json_t *value = json_object_get(req->params, key);
    *out = value != NULL ? (int64_t)json_integer_value(value) : def;
    if ((value == NULL || json_is_integer(value)) && *out >= lo && *out <= hi) return true;
    char what[80];
    (void)snprintf(what, sizeof what, "a number from %lld to %lld is wanted", (long long)lo, (long long)hi);
    invalid(req, key, what);
    return false;
}

bool psst_request_addresses(struct psst_request *req, const char *key, struct psst_address_list *out)
{
    const json_t *list = json_object_get(req->params, key);
    out->n = 0;
    if (list == NULL) return true;
    if (!json_is_array(list) || json_array_size(list) > PSST_ADDRESSES_MAX) {
        invalid(req, key, "a list of at most 8 addresses is wanted");
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct psst_diag diag = {{0}};
        if (text == NULL || psst_address_normalize(out->at[out->n], text, &diag) != PSST_OK) {
            psst_request_error(req, PSST_EXIT_USAGE, "bad-address",
                               diag.text[0] != '\0' ? diag.text
                                                    : "an address looks like HOST, HOST:PORT or [IPv6]:PORT");
            return false;
        }
        out->n++;
    }
    return true;
}

int psst_request_fd(struct psst_request *req)
{
    if (req->n_fds == 0) return -1;
    int fd = req->fds[0];
    req->n_fds--;
    for (size_t i = 0; i < req->n_fds; i++) req->fds[i] = req->fds[i + 1];
    return fd;
}
