/* What psst-key does between its start and its end: requests in, answers out, in order (key/protocol.h). */
#ifndef PSST_DAEMON_KEY_SERVICE_H
#define PSST_DAEMON_KEY_SERVICE_H

#include "base/err.h"

struct psst_key_service;

/* Reserves the locked memory: before the sandbox closes. */
PSST_MUST_USE enum psst_err psst_key_service_new(struct psst_key_service **out, int socket);
/* Answers until the other end closes the socket. */
void psst_key_service_run(struct psst_key_service *service);
void psst_key_service_free(struct psst_key_service *service);

#endif
