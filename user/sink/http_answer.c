/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the protobuf answer two fields are read: message 1 (partial_success), in it number 1
 * (rejected_log_records).
 */
#include "sink/http_answer.h"

#include <errno.h>
#include <stdint.h>
#include <linux/types.h>
#include <stdlib.h>

#include <jansson.h>

bool http_answer_is_final(long status)
{
	static const long again[] = { 401, 403, 404, 407, 408, 425, 429 };

	if (status < 300 || status >= 500)
		return false;
	for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
		if (again[i] == status)
			return false;
	}
	return true;
}

/* A varint at *@at, which is moved behind it; -EBADMSG when it is none. */
static int read_varint(const unsigned char *bytes, size_t length, size_t *at, __u64 *ret)
{
	__u64 value = 0;

	for (unsigned int shift = 0; *at < length && shift < 64; shift += 7) {
		unsigned char byte = bytes[(*at)++];

		value |= (__u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

/* The value, or for a text or message the length, of the first field if it is @number of @type. */
static int first_field(const unsigned char *bytes, size_t length, size_t *at, __u64 tag, __u64 *ret)
{
	__u64 found = 0;

	if (read_varint(bytes, length, at, &found) || found != tag)
		return -EBADMSG;
	return read_varint(bytes, length, at, ret);
}

static size_t rejected_protobuf(const unsigned char *bytes, size_t length)
{
	__u64 inner = 0;
	__u64 rejected = 0;
	size_t at = 0;

	if (first_field(bytes, length, &at, 1 << 3 | 2, &inner) || inner > length - at ||
	    first_field(bytes, at + inner, &at, 1 << 3 | 0, &rejected))
		return 0;
	return rejected <= (__u64)INT64_MAX ? (size_t)rejected : 0;
}

static size_t rejected_json(const char *bytes, size_t length)
{
	json_t *answer = json_loadb(bytes, length, 0, NULL);
	const json_t *rejected =
		json_object_get(json_object_get(answer, "partialSuccess"), "rejectedLogRecords");
	long long count = 0;

	/* int64 is a text in protobuf's JSON, but servers differ. */
	if (json_is_integer(rejected))
		count = json_integer_value(rejected);
	else if (json_is_string(rejected))
		count = strtoll(json_string_value(rejected), NULL, 10);
	json_decref(answer);
	return count > 0 ? (size_t)count : 0;
}

size_t http_answer_rejected(const char *bytes, size_t length, enum format format)
{
	if (format == FORMAT_OTLP_PROTOBUF)
		return rejected_protobuf((const unsigned char *)bytes, length);
	return rejected_json(bytes, length);
}
