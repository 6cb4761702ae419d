/* The Nth allocation fails (attack 49). For code that is linked statically into the test: the linker turns its calls of
 * malloc, calloc and realloc to here (--wrap), shared libraries are untouched. A test says:
 * dependencies: dep_failing_malloc.
 *
 *     for (unsigned n = 1; ; n++) {
 *         failing_malloc_at(n);
 *         enum psst_err err = what_is_tested();
 *         if (!failing_malloc_stop()) break;     -- everything passed: err must be PSST_OK
 *         assert_err(PSST_ERR_MEMORY, err);      -- and nothing leaked, says the sanitizer
 *     }
 */
#ifndef PSST_TESTS_FAILING_MALLOC_H
#define PSST_TESTS_FAILING_MALLOC_H

#include <stdbool.h>

/* The nth allocation from now on gives NULL, once; 1 is the next one. */
void failing_malloc_at(unsigned n);
/* What the test does meanwhile for itself does not count. */
void failing_malloc_pause(bool on);
/* Back to normal. True when an allocation was made to fail. */
bool failing_malloc_stop(void);

#endif
