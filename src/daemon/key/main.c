/* psst-key: holds the RSA private key, and nothing else. psstd starts it with one socket as descriptor 3; it opens no file
 * and no connection, and ends when that socket does.
 *
 *     harden -> libcrypto and its self-test -> locked memory -> sandbox -> requests until the socket closes
 */
#include "crypto/crypto.h"
#include "daemon/key/protocol.h"
#include "daemon/key/sandbox.h"
#include "daemon/key/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SECURE_HEAP_BYTES ((size_t)1024 * 1024)

static bool started_by_psstd(void)
{
    int type = 0;
    socklen_t len = sizeof type;
    return getsockopt(PSST_KEY_SOCKET, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

static int give_up(const char *what, enum psst_err err)
{
    fprintf(stderr, "psst-key: %s: %s\n", what, psst_err_name(err));
    return EXIT_FAILURE;
}

int main(void)
{
    if (!started_by_psstd()) {
        fprintf(stderr,
                "psst-key keeps the private key for psstd, which starts it by itself. There is nothing to run here.\n");
        return 2;
    }
    enum psst_err err = psst_key_harden();
    if (err != PSST_OK) return give_up("cannot give up what it must not have", err);
    err = psst_crypto_init(SECURE_HEAP_BYTES);
    if (err != PSST_OK) return give_up("libcrypto does not work as it must", err);
    struct psst_key_service *service = NULL;
    err = psst_key_service_new(&service, PSST_KEY_SOCKET);
    if (err != PSST_OK) return give_up("no memory for the key", err);
    err = psst_key_sandbox();
    if (err != PSST_OK) {
        psst_key_service_free(service);
        return give_up("cannot enter its sandbox", err);
    }
    psst_key_service_run(service);
    psst_key_service_free(service);
    return EXIT_SUCCESS;
}
