/* Address hints: HOST:PORT in one canonical spelling, so that equal addresses compare equal and nothing but a host and a
 * port ever reaches the resolver. */
#include "identity/card.h"

#include <arpa/inet.h>
#include <stdio.h>

#define HOST_MAX  253
#define LABEL_MAX 63
#define ZONE_MAX  15 /* IFNAMSIZ - 1 */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum psst_err bad(struct psst_diag *diag, const char *why)
{
    return psst_fail(diag, PSST_ERR_USAGE, "that address is not HOST, HOST:PORT or [IPv6]:PORT: %s", why);
}

static enum psst_err parse_port(const char *s, unsigned *port, struct psst_diag *diag)
{
    unsigned v = 0;
    size_t n = 0;
    for (; is_digit(s[n]) && n < 6; n++) v = v * 10 + (unsigned)(s[n] - '0');
    if (n == 0 || n > 5 || s[n] != '\0' || v == 0 || v > 65535) {
        return bad(diag, "the port is a number from 1 to 65535");
    }
    *port = v;
    return PSST_OK;
}

/* text is the address without brackets. A zone ("%eth0") only where it means something: behind a link-local address. */
static enum psst_err format_ipv6(char out[PSST_ADDRESS_MAX + 1], const char *text, size_t len, unsigned port,
                                 struct psst_diag *diag)
{
    char address[INET6_ADDRSTRLEN];
    const char *zone = memchr(text, '%', len);
    size_t address_len = zone != NULL ? (size_t)(zone - text) : len;
    size_t zone_len = len - address_len;
    struct in6_addr parsed;
    if (address_len >= sizeof address) return bad(diag, "this is no IPv6 address");
    memcpy(address, text, address_len);
    address[address_len] = '\0';
    if (inet_pton(AF_INET6, address, &parsed) != 1) return bad(diag, "this is no IPv6 address");
    if (zone_len > 0) {
        bool fits = IN6_IS_ADDR_LINKLOCAL(&parsed) && zone_len > 1 && zone_len <= ZONE_MAX + 1;
        for (size_t i = 1; i < zone_len; i++)
            if (!is_alnum(zone[i]) && strchr("._-", zone[i]) == NULL) fits = false;
        if (!fits) return bad(diag, "only a link-local address can name an interface behind '%'");
    }
    if (inet_ntop(AF_INET6, &parsed, address, sizeof address) == NULL) return bad(diag, "this is no IPv6 address");
    (void)snprintf(out, PSST_ADDRESS_MAX + 1, "[%s%.*s]:%u", address, (int)zone_len, zone_len > 0 ? zone : "", port);
    return PSST_OK;
}

/* Letters, digits, '-' and '_' in labels of 1 to 63; lower-cased. */
static enum psst_err copy_host(char out[HOST_MAX + 1], const char *host, size_t len, struct psst_diag *diag)
{
    if (len > 0 && host[len - 1] == '.') len--; /* the root's dot */
    if (len == 0) return bad(diag, "the host is missing");
    if (len > HOST_MAX) return bad(diag, "the host is longer than 253 bytes");
    size_t label = 0;
    for (size_t i = 0; i < len; i++) {
        char c = host[i];
        if ((unsigned char)c >= 0x80) return bad(diag, "write an international host name in its xn-- form");
        bool ends = i + 1 == len || host[i + 1] == '.';
        if (c == '.') {
            if (label == 0) return bad(diag, "there is an empty part between two dots");
            label = 0;
        } else {
            bool hyphen = c == '-' && label > 0 && !ends;
            if (!is_alnum(c) && c != '_' && !hyphen) return bad(diag, "a host name has letters, digits, '-' and dots");
            if (++label > LABEL_MAX) return bad(diag, "a part of the host name is longer than 63 bytes");
        }
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    out[len] = '\0';
    return PSST_OK;
}

/* A name whose last part is a number is an IPv4 address or nothing: resolvers read "1.2" and "0x7f.1" in surprising ways. */
static bool looks_like_ipv4(const char *host)
{
    const char *last = strrchr(host, '.');
    last = last != NULL ? last + 1 : host;
    if (last[0] == '0' && last[1] == 'x') return last[2 + strspn(last + 2, "0123456789abcdef")] == '\0';
    return last[strspn(last, "0123456789")] == '\0';
}

static enum psst_err format_host(char out[PSST_ADDRESS_MAX + 1], const char *text, size_t len, unsigned port,
                                 struct psst_diag *diag)
{
    char host[HOST_MAX + 1];
    enum psst_err err = copy_host(host, text, len, diag);
    if (err != PSST_OK) return err;
    struct in_addr v4;
    if (looks_like_ipv4(host) && inet_pton(AF_INET, host, &v4) != 1) return bad(diag, "this is no IPv4 address");
    (void)snprintf(out, PSST_ADDRESS_MAX + 1, "%s:%u", host, port);
    return PSST_OK;
}

enum psst_err psst_address_normalize(char out[PSST_ADDRESS_MAX + 1], const char *address, struct psst_diag *diag)
{
    size_t len = strnlen(address, PSST_ADDRESS_MAX + 1);
    if (len == 0) return bad(diag, "it is empty");
    if (len > PSST_ADDRESS_MAX) return bad(diag, "it is too long");

    unsigned port = PSST_PORT;
    enum psst_err err = PSST_OK;
    if (address[0] == '[') {
        const char *close = strchr(address, ']');
        if (close == NULL) return bad(diag, "']' is missing");
        if (close[1] == ':')
            err = parse_port(close + 2, &port, diag);
        else if (close[1] != '\0')
            err = bad(diag, "behind ']' only a colon and the port may stand");
        if (err != PSST_OK) return err;
        return format_ipv6(out, address + 1, (size_t)(close - address - 1), port, diag);
    }
    const char *colon = strchr(address, ':');
    if (colon == NULL) return format_host(out, address, len, port, diag);
    if (strchr(colon + 1, ':') != NULL) return format_ipv6(out, address, len, port, diag);
    err = parse_port(colon + 1, &port, diag);
    if (err != PSST_OK) return err;
    return format_host(out, address, (size_t)(colon - address), port, diag);
}
