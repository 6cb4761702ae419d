/* What a program that reads passphrases and shows what was said does first, so that less of it is left behind. */
#ifndef PSST_CLIENT_PRIVATE_H
#define PSST_CLIENT_PRIVATE_H

/* No core file, nor what a handler of crashes would be given instead of one; nobody but root looks into this process; what JSON
 * held is wiped when it is freed. Once, before any of it. */
void psst_process_private(void);
/* What malloc gave, and a text stood in; NULL is safe. */
void psst_free_wiped(void *p);

#endif
