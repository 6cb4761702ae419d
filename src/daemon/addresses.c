#include "daemon/addresses.h"

#include <string.h>

const char *psst_addresses_next(char out[PSST_ADDRESS_MAX + 1], const char *lines)
{
    out[0] = '\0';
    const char *end = lines != NULL ? strchr(lines, '\n') : NULL;
    if (end == NULL || (size_t)(end - lines) > PSST_ADDRESS_MAX) return NULL;
    memcpy(out, lines, (size_t)(end - lines));
    out[end - lines] = '\0';
    return end + 1;
}

/* len at most PSST_ADDRESS_MAX. */
static char *put(char *at, const void *address, size_t len)
{
    memcpy(at, address, len);
    at[len] = '\n';
    return at + len + 1;
}

void psst_addresses_join(char out[PSST_ADDRESSES_TEXT_MAX + 1], const char (*addresses)[PSST_ADDRESS_MAX + 1], size_t n)
{
    char *at = out;
    for (size_t i = 0; i < n && i < PSST_ADDRESSES_MAX; i++) at = put(at, addresses[i], strlen(addresses[i]));
    *at = '\0';
}

void psst_addresses_read(char out[PSST_ADDRESSES_TEXT_MAX + 1], struct psst_view text)
{
    char *at = out;
    size_t n = 0;
    while (text.len > 0 && n < PSST_ADDRESSES_MAX) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);
        if (len > 0 && len <= PSST_ADDRESS_MAX && memchr(text.data, '\0', len) == NULL) {
            at = put(at, text.data, len);
            n++;
        }
        size_t used = end == NULL ? len : len + 1;
        text = psst_view(text.data + used, text.len - used);
    }
    *at = '\0';
}
