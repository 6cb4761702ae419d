/* Addresses as text and as the system has them: HOST:PORT taken apart, socket addresses read and written. Pure functions,
 * no name resolution. The checked, canonical form (psst_address_normalize in identity/card.h) is what comes in here. */
#ifndef PSST_NET_ADDRESS_H
#define PSST_NET_ADDRESS_H

#include "base/bytes.h"

#include <netinet/in.h>
#include <sys/socket.h>

#define PSST_HOST_MAX          253 /* bytes of a host name */
#define PSST_SOCKADDR_TEXT_MAX 64  /* "[" IPv6 with scope "]:" port, terminated */

/* 28 bytes in the place of sockaddr_storage's 128: every connection keeps one. */
union psst_sockaddr {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* HOST:PORT or [IPv6]:PORT. PSST_ERR_MALFORMED: neither, an empty or too long host, or a port over 65535. */
PSST_MUST_USE enum psst_err psst_address_split(const char *address, char host[PSST_HOST_MAX + 1], uint16_t *port);

/* host is an IPv4 or IPv6 address in digits; PSST_ERR_NOT_FOUND when it is a name. */
PSST_MUST_USE enum psst_err psst_sockaddr_numeric(union psst_sockaddr *out, const char *host, uint16_t port);
/* Both of the above: ADDR:PORT in digits only. */
PSST_MUST_USE enum psst_err psst_sockaddr_parse(union psst_sockaddr *out, const char *address);
/* From what the system gave: PSST_ERR_USAGE for other families. */
PSST_MUST_USE enum psst_err psst_sockaddr_copy(union psst_sockaddr *out, const struct sockaddr *from, uint16_t port);
/* The same family, address and port. */
bool psst_sockaddr_equal(const union psst_sockaddr *a, const union psst_sockaddr *b);
socklen_t psst_sockaddr_len(const union psst_sockaddr *sa);
uint16_t psst_sockaddr_port(const union psst_sockaddr *sa);
/* "127.0.0.1:4516", "[::1]:4516"; an IPv4 address inside an IPv6 one is shown as IPv4. */
void psst_sockaddr_text(char out[PSST_SOCKADDR_TEXT_MAX], const union psst_sockaddr *sa);

#endif
