/* The data engine's operators for other engines: a C interface over the Arrow C Data Interface, so
 * that Spark's mapInArrow (through Python's ctypes), DuckDB or anything else that speaks Arrow can
 * run the very steps that `helio data run` runs. Maps and filters only: a stage needs all
 * documents.
 *
 * Thread safety: one helio_steps may be used from many threads at once. No call throws or prints.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* https://arrow.apache.org/docs/format/CDataInterface.html */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
#endif

typedef struct helio_steps helio_steps;

/* The version of helio, like "0.3.0". */
const char* helio_data_version(void);

/* Reads a list of steps (YAML or JSON, as under `steps:` in a recipe). NULL on an error, which is
 * then told in `error` (zero-terminated, cut to error_size). */
helio_steps* helio_steps_new(const char* steps, char* error, size_t error_size);
void helio_steps_free(helio_steps* steps);

/* Runs the steps over one record batch: a struct array with a column "text" and, if there are any,
 * "id", "language", "lot", "partner" (utf8 or large_utf8; null texts are empty). The result is a
 * struct array with a row for each row that came in, in order:
 *   id, text, language, scores (large_utf8; scores as a JSON object), kept (bool), step, reason
 *   (large_utf8, empty when kept), value (float64)
 * Returns 0, or 1 with the error told; `schema` and `array` stay the caller's and are not released;
 * the outputs are the caller's to release. */
int helio_steps_run(const helio_steps* steps, const struct ArrowSchema* schema,
                    const struct ArrowArray* array, struct ArrowSchema* out_schema,
                    struct ArrowArray* out_array, char* error, size_t error_size);

#ifdef __cplusplus
}
#endif
