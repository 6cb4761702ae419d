#include "net/address.h"

#include <arpa/inet.h>
#include <stdio.h>

static enum psst_err read_port(const char *digits, uint16_t *port)
{
    uint32_t value = 0;
    if (*digits == '\0') return PSST_ERR_MALFORMED;
    for (; *digits != '\0'; digits++) {
        if (*digits < '0' || *digits > '9') return PSST_ERR_MALFORMED;
        value = value * 10 + (uint32_t)(*digits - '0');
        if (value > UINT16_MAX) return PSST_ERR_MALFORMED;
    }
    *port = (uint16_t)value;
    return PSST_OK;
}

enum psst_err psst_address_split(const char *address, char host[PSST_HOST_MAX + 1], uint16_t *port)
{
    bool brackets = address[0] == '[';
    const char *from = brackets ? address + 1 : address;
    const char *end = brackets ? strchr(from, ']') : strrchr(from, ':');
    if (end == NULL || end == from || (brackets && end[1] != ':')) return PSST_ERR_MALFORMED;
    size_t len = (size_t)(end - from);
    if (len > PSST_HOST_MAX) return PSST_ERR_MALFORMED;
    /* a bare IPv6 address: which colon is the port's cannot be told */
    if (!brackets && memchr(from, ':', len) != NULL) return PSST_ERR_MALFORMED;
    uint16_t value;
    if (read_port(end + (brackets ? 2 : 1), &value) != PSST_OK) return PSST_ERR_MALFORMED;
    memcpy(host, from, len);
    host[len] = '\0';
    *port = value;
    return PSST_OK;
}

enum psst_err psst_sockaddr_numeric(union psst_sockaddr *out, const char *host, uint16_t port)
{
    union psst_sockaddr sa = {0};
    if (inet_pton(AF_INET, host, &sa.in.sin_addr) == 1) {
        sa.in.sin_family = AF_INET;
        sa.in.sin_port = htons(port);
    } else if (inet_pton(AF_INET6, host, &sa.in6.sin6_addr) == 1) {
        sa.in6.sin6_family = AF_INET6;
        sa.in6.sin6_port = htons(port);
    } else {
        return PSST_ERR_NOT_FOUND;
    }
    *out = sa;
    return PSST_OK;
}

enum psst_err psst_sockaddr_parse(union psst_sockaddr *out, const char *address)
{
    char host[PSST_HOST_MAX + 1];
    uint16_t port;
    enum psst_err err = psst_address_split(address, host, &port);
    return err != PSST_OK ? err : psst_sockaddr_numeric(out, host, port);
}

enum psst_err psst_sockaddr_copy(union psst_sockaddr *out, const struct sockaddr *from, uint16_t port)
{
    union psst_sockaddr sa = {0};
    if (from->sa_family == AF_INET) {
        memcpy(&sa.in, from, sizeof sa.in);
        sa.in.sin_port = htons(port);
    } else if (from->sa_family == AF_INET6) {
        memcpy(&sa.in6, from, sizeof sa.in6);
        sa.in6.sin6_port = htons(port);
    } else {
        return PSST_ERR_USAGE;
    }
    *out = sa;
    return PSST_OK;
}

bool psst_sockaddr_equal(const union psst_sockaddr *a, const union psst_sockaddr *b)
{
    if (a->any.sa_family != b->any.sa_family || psst_sockaddr_port(a) != psst_sockaddr_port(b)) return false;
    if (a->any.sa_family == AF_INET6)
        return IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr) && a->in6.sin6_scope_id == b->in6.sin6_scope_id;
    return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
}

socklen_t psst_sockaddr_len(const union psst_sockaddr *sa)
{
    return sa->any.sa_family == AF_INET6 ? sizeof sa->in6 : sizeof sa->in;
}

uint16_t psst_sockaddr_port(const union psst_sockaddr *sa)
{
    return ntohs(sa->any.sa_family == AF_INET6 ? sa->in6.sin6_port : sa->in.sin_port);
}

void psst_sockaddr_text(char out[PSST_SOCKADDR_TEXT_MAX], const union psst_sockaddr *sa)
{
    char host[INET6_ADDRSTRLEN] = "?";
    unsigned port = psst_sockaddr_port(sa);
    bool six = sa->any.sa_family == AF_INET6;
    if (six && IN6_IS_ADDR_V4MAPPED(&sa->in6.sin6_addr)) {
        (void)inet_ntop(AF_INET, &sa->in6.sin6_addr.s6_addr[12], host, sizeof host);
        six = false;
    } else if (six) {
        (void)inet_ntop(AF_INET6, &sa->in6.sin6_addr, host, sizeof host);
    } else if (sa->any.sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &sa->in.sin_addr, host, sizeof host);
    }
    (void)snprintf(out, PSST_SOCKADDR_TEXT_MAX, six ? "[%s]:%u" : "%s:%u", host, port);
}
