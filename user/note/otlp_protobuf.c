/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wire form of protobuf, as much of it as is needed: fields are walked in place, lengths are checked
 * against what is left, and nothing recurses deeper than the messages that are known.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "note/otlp_log.h"

/* Kinds of values on the wire. */
enum wire { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* Numbers of fields (opentelemetry/proto/collector/logs, logs/v1, resource/v1, common/v1). */
enum {
	REQUEST_RESOURCE_LOGS = 1,
	RESOURCE_LOGS_RESOURCE = 1,
	RESOURCE_LOGS_SCOPE_LOGS = 2,
	RESOURCE_ATTRIBUTES = 1,
	SCOPE_LOGS_RECORDS = 2,
	RECORD_TIME = 1,
	RECORD_BODY = 5,
	RECORD_ATTRIBUTES = 6,
	RECORD_OBSERVED_TIME = 11,
	RECORD_EVENT_NAME = 12,
	PAIR_KEY = 1,
	PAIR_VALUE = 2,
	VALUE_TEXT = 1,
	VALUE_TRUTH = 2,
	VALUE_INTEGER = 3,
	VALUE_REAL = 4,
};

/* What is left of a message. */
struct span {
	const char *at;
	const char *end;
};

/* One field. */
struct field {
	__u32 number;
	enum wire wire;
	__u64 value; /* all but bytes */
	struct span bytes;
};

/* Who takes, and how many there were. */
struct reading {
	otlp_take take;
	void *context;
	size_t count;
};

static int read_varint(struct span *span, __u64 *ret_value)
{
	__u64 value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		unsigned char byte;

		if (span->at == span->end)
			return -EBADMSG;
		byte = (unsigned char)*span->at++;
		value |= (__u64)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return 0;
		}
	}
	return -EBADMSG;
}

/* @size bytes, little endian. */
static int read_fixed(struct span *span, size_t size, __u64 *ret_value)
{
	__u64 value = 0;

	if ((size_t)(span->end - span->at) < size)
		return -EBADMSG;
	memcpy(&value, span->at, size);
	span->at += size;
	*ret_value = le64toh(value);
	return 0;
}

static int read_bytes(struct span *span, struct span *ret_bytes)
{
	__u64 length = 0;
	int r = read_varint(span, &length);

	if (r || length > (__u64)(span->end - span->at))
		return -EBADMSG;
	*ret_bytes = (struct span){ span->at, span->at + length };
	span->at += length;
	return 0;
}

/* The next field. Returns 1, 0 at the end, or -EBADMSG. */
static int next_field(struct span *span, struct field *field)
{
	__u64 tag = 0;
	int r;

	if (span->at == span->end)
		return 0;
	r = read_varint(span, &tag);
	if (r || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return -EBADMSG;
	*field = (struct field){ .number = (__u32)(tag >> 3), .wire = (enum wire)(tag & 7) };
	switch (tag & 7) {
	case WIRE_VARINT:
		r = read_varint(span, &field->value);
		break;
	case WIRE_FIXED64:
		r = read_fixed(span, 8, &field->value);
		break;
	case WIRE_FIXED32:
		r = read_fixed(span, 4, &field->value);
		break;
	case WIRE_BYTES:
		r = read_bytes(span, &field->bytes);
		break;
	default:
		return -EBADMSG;
	}
	return r ? r : 1;
}

static bool is_bytes(const struct field *field, __u32 number)
{
	return field->number == number && field->wire == WIRE_BYTES;
}

static size_t length_of(const struct span *span)
{
	return (size_t)(span->end - span->at);
}

/* --- Messages ------------------------------------------------------------------------------------- */

static double real_of(__u64 bits)
{
	double real;

	memcpy(&real, &bits, sizeof(real));
	return real;
}

static int read_value(struct span span, const struct otlp_key *key, struct otlp_draft *draft)
{
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, VALUE_TEXT))
			otlp_draft_text(draft, key, field.bytes.at, length_of(&field.bytes));
		else if (field.number == VALUE_TRUTH && field.wire == WIRE_VARINT)
			otlp_draft_truth(draft, key, field.value != 0);
		else if (field.number == VALUE_INTEGER && field.wire == WIRE_VARINT)
			otlp_draft_number(draft, key, (double)(__s64)field.value);
		else if (field.number == VALUE_REAL && field.wire == WIRE_FIXED64)
			otlp_draft_number(draft, key, real_of(field.value));
	}
	return r;
}

static int read_pair(struct span span, struct otlp_draft *draft)
{
	struct span value = { 0 };
	struct otlp_key key = { .bytes = "" };
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, PAIR_KEY))
			key = (struct otlp_key){ field.bytes.at, length_of(&field.bytes) };
		else if (is_bytes(&field, PAIR_VALUE))
			value = field.bytes;
	}
	return r || !value.at ? r : read_value(value, &key, draft);
}

/* A body that is a text. */
static int read_body(struct span span, struct otlp_draft *draft)
{
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, VALUE_TEXT))
			otlp_draft_own(draft, field.bytes.at, length_of(&field.bytes), false);
	}
	return r;
}

static int take_field(const struct field *field, struct otlp_draft *draft)
{
	if (field->number == RECORD_TIME && field->wire == WIRE_FIXED64 && field->value)
		draft->log.time_ns = field->value;
	if (field->number == RECORD_OBSERVED_TIME && field->wire == WIRE_FIXED64 &&
	    !draft->log.time_ns)
		draft->log.time_ns = field->value;
	if (is_bytes(field, RECORD_BODY))
		return read_body(field->bytes, draft);
	if (is_bytes(field, RECORD_ATTRIBUTES))
		return read_pair(field->bytes, draft);
	if (is_bytes(field, RECORD_EVENT_NAME) && length_of(&field->bytes))
		otlp_draft_own(draft, field->bytes.at, length_of(&field->bytes), true);
	return 0;
}

static int read_record(struct reading *reading, struct span span, struct otlp_draft draft)
{
	struct field field;
	int r;

	if (reading->count++ == OTLP_LOGS_MAX)
		return -E2BIG;
	while ((r = next_field(&span, &field)) > 0) {
		r = take_field(&field, &draft);
		if (r)
			return r;
	}
	if (r == 0 && otlp_draft_close(&draft) && reading->take)
		reading->take(reading->context, &draft.log);
	return r;
}

static int read_scope(struct reading *reading, struct span span, const struct otlp_draft *draft)
{
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, SCOPE_LOGS_RECORDS))
			r = read_record(reading, field.bytes, *draft);
		if (r < 0)
			return r;
	}
	return r;
}

static int read_resource(struct span span, struct otlp_draft *draft)
{
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, RESOURCE_ATTRIBUTES))
			r = read_pair(field.bytes, draft);
		if (r < 0)
			return r;
	}
	return r;
}

/* The resource first, wherever it stands: records have its attributes. */
static int read_resource_logs(struct reading *reading, struct span span)
{
	struct otlp_draft draft = { 0 };
	struct span again = span;
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, RESOURCE_LOGS_RESOURCE))
			r = read_resource(field.bytes, &draft);
		if (r < 0)
			return r;
	}
	if (r)
		return r;
	while ((r = next_field(&again, &field)) > 0) {
		if (is_bytes(&field, RESOURCE_LOGS_SCOPE_LOGS))
			r = read_scope(reading, field.bytes, &draft);
		if (r < 0)
			return r;
	}
	return r;
}

int otlp_read_protobuf(const char *bytes, size_t length, otlp_take take, void *context)
{
	struct reading reading = { .take = take, .context = context };
	struct span span = { bytes, bytes + length };
	struct field field;
	int r;

	while ((r = next_field(&span, &field)) > 0) {
		if (is_bytes(&field, REQUEST_RESOURCE_LOGS))
			r = read_resource_logs(&reading, field.bytes);
		if (r < 0)
			return r;
	}
	return r;
}
