/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What HTTP servers that take records answer.
 */
#ifndef PICKET_SINK_HTTP_ANSWER_H
#define PICKET_SINK_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "format/format.h"

/** True for a status, not 2xx, after which the same records are not sent again. */
bool http_answer_is_final(long status);

/**
 * Records that an ExportLogsServiceResponse of @length bytes says were rejected (partial success); 0 for
 * an answer that is none. A NUL follows the bytes.
 */
size_t http_answer_rejected(const char *bytes, size_t length, enum format format);

#endif
