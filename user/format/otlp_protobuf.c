/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protobuf form of an ExportLogsServiceRequest, from its JSON form: the tables below are the messages
 * of opentelemetry/proto/{collector/logs,logs,resource,common}/v1, with the fields that picket fills.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "format/render.h"

/** How a value is written. */
enum kind {
	KIND_MESSAGE,
	KIND_TEXT,
	KIND_HEX,
	KIND_VARINT,
	KIND_FIXED64,
	KIND_FIXED32,
	KIND_BOOL,
	KIND_DOUBLE
};

struct field {
	const char *key; /* in JSON */
	unsigned int number;
	enum kind kind;
	const struct message *below; /* KIND_MESSAGE */
};

/** A message: its fields in order of their numbers; the last has no key. */
struct message {
	struct field fields[16];
};

static const struct message array_message;
static const struct message map_message;

static const struct message any_message = { {
	{ "stringValue", 1, KIND_TEXT, NULL },
	{ "boolValue", 2, KIND_BOOL, NULL },
	{ "intValue", 3, KIND_VARINT, NULL },
	{ "doubleValue", 4, KIND_DOUBLE, NULL },
	{ "arrayValue", 5, KIND_MESSAGE, &array_message },
	{ "kvlistValue", 6, KIND_MESSAGE, &map_message },
} };

static const struct message pair_message = { {
	{ "key", 1, KIND_TEXT, NULL },
	{ "value", 2, KIND_MESSAGE, &any_message },
} };

static const struct message array_message = { { { "values", 1, KIND_MESSAGE, &any_message } } };
static const struct message map_message = { { { "values", 1, KIND_MESSAGE, &pair_message } } };
static const struct message resource_message = { { { "attributes", 1, KIND_MESSAGE,
						     &pair_message } } };

static const struct message scope_message = { {
	{ "name", 1, KIND_TEXT, NULL },
	{ "version", 2, KIND_TEXT, NULL },
} };

static const struct message record_message = { {
	{ "timeUnixNano", 1, KIND_FIXED64, NULL },
	{ "severityNumber", 2, KIND_VARINT, NULL },
	{ "severityText", 3, KIND_TEXT, NULL },
	{ "body", 5, KIND_MESSAGE, &any_message },
	{ "attributes", 6, KIND_MESSAGE, &pair_message },
	{ "flags", 8, KIND_FIXED32, NULL },
	{ "traceId", 9, KIND_HEX, NULL },
	{ "spanId", 10, KIND_HEX, NULL },
	{ "observedTimeUnixNano", 11, KIND_FIXED64, NULL },
	{ "eventName", 12, KIND_TEXT, NULL },
} };

static const struct message scope_logs_message = { {
	{ "scope", 1, KIND_MESSAGE, &scope_message },
	{ "logRecords", 2, KIND_MESSAGE, &record_message },
} };

static const struct message resource_logs_message = { {
	{ "resource", 1, KIND_MESSAGE, &resource_message },
	{ "scopeLogs", 2, KIND_MESSAGE, &scope_logs_message },
} };

static const struct message request_message = { { { "resourceLogs", 1, KIND_MESSAGE,
						    &resource_logs_message } } };

/** Bytes under construction. */
struct bytes {
	char *data; /* owned */
	size_t length;
	size_t room;
	bool failed;
};

/* Wire types. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
#define VARINT_MAX 10U

static bool need(struct bytes *bytes, size_t more)
{
	size_t room = bytes->room ? bytes->room : 1024;
	char *data;

	if (bytes->failed)
		return false;
	if (bytes->length + more <= bytes->room)
		return true;
	while (room < bytes->length + more)
		room *= 2;
	data = realloc(bytes->data, room);
	if (!data) {
		bytes->failed = true;
		return false;
	}
	bytes->data = data;
	bytes->room = room;
	return true;
}

static void put_bytes(struct bytes *bytes, const void *data, size_t length)
{
	if (length == 0 || !need(bytes, length))
		return;
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

static size_t encode_varint(uint64_t value, char encoded[static VARINT_MAX])
{
	size_t length = 0;

	do {
		encoded[length] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		length++;
		value >>= 7;
	} while (value);
	return length;
}

static void put_varint(struct bytes *bytes, uint64_t value)
{
	char encoded[VARINT_MAX];

	put_bytes(bytes, encoded, encode_varint(value, encoded));
}

static void put_tag(struct bytes *bytes, const struct field *field, unsigned int wire)
{
	put_varint(bytes, (uint64_t)field->number << 3 | wire);
}

static void put_little(struct bytes *bytes, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char byte = (char)(value >> (8 * i) & 0xff);

		put_bytes(bytes, &byte, 1);
	}
}

/* 64-bit integers are texts in JSON. */
static uint64_t number_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text ? (uint64_t)strtoll(text, NULL, 10) : (uint64_t)json_integer_value(value);
}

static void put_text(struct bytes *bytes, const json_t *value)
{
	size_t length = json_string_length(value);

	put_varint(bytes, length);
	put_bytes(bytes, json_string_value(value), length);
}

static int digit(char hexadecimal)
{
	return hexadecimal <= '9' ? hexadecimal - '0' : hexadecimal - 'a' + 10;
}

/* The digits are known to be lower-case ones, an even number. */
static void put_hex(struct bytes *bytes, const char *text)
{
	size_t length = strlen(text) / 2;

	put_varint(bytes, length);
	for (size_t i = 0; i < length; i++) {
		char byte = (char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));

		put_bytes(bytes, &byte, 1);
	}
}

static void put_message(struct bytes *bytes, const struct message *message, const json_t *object);

/* A message with its length before it: written first, then moved to make room. */
static void put_below(struct bytes *bytes, const struct field *field, const json_t *object)
{
	char encoded[VARINT_MAX];
	size_t start;
	size_t size;

	put_tag(bytes, field, WIRE_BYTES);
	start = bytes->length;
	put_message(bytes, field->below, object);
	size = encode_varint(bytes->length - start, encoded);
	if (!need(bytes, size))
		return;
	memmove(bytes->data + start + size, bytes->data + start, bytes->length - start);
	memcpy(bytes->data + start, encoded, size);
	bytes->length += size;
}

static void put_double(struct bytes *bytes, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	put_little(bytes, bits, sizeof(bits));
}

static void put_scalar(struct bytes *bytes, const struct field *field, const json_t *value)
{
	static const unsigned int wires[] = {
		[KIND_MESSAGE] = WIRE_BYTES, [KIND_TEXT] = WIRE_BYTES, [KIND_HEX] = WIRE_BYTES,
		[KIND_VARINT] = WIRE_VARINT, [KIND_FIXED64] = WIRE_64, [KIND_FIXED32] = WIRE_32,
		[KIND_BOOL] = WIRE_VARINT,   [KIND_DOUBLE] = WIRE_64,
	};

	put_tag(bytes, field, wires[field->kind]);
	switch (field->kind) {
	case KIND_TEXT:
		put_text(bytes, value);
		break;
	case KIND_HEX:
		put_hex(bytes, json_string_value(value));
		break;
	case KIND_FIXED64:
		put_little(bytes, number_of(value), 8);
		break;
	case KIND_FIXED32:
		put_little(bytes, number_of(value), 4);
		break;
	case KIND_DOUBLE:
		put_double(bytes, json_real_value(value));
		break;
	case KIND_BOOL:
		put_varint(bytes, json_is_true(value));
		break;
	case KIND_VARINT:
	case KIND_MESSAGE:
		put_varint(bytes, number_of(value));
		break;
	}
}

static void put_field(struct bytes *bytes, const struct field *field, const json_t *value)
{
	if (field->kind != KIND_MESSAGE) {
		put_scalar(bytes, field, value);
		return;
	}
	if (!json_is_array(value)) {
		put_below(bytes, field, value);
		return;
	}
	for (size_t i = 0; i < json_array_size(value); i++)
		put_below(bytes, field, json_array_get(value, i));
}

static void put_message(struct bytes *bytes, const struct message *message, const json_t *object)
{
	for (const struct field *field = message->fields; field->key; field++) {
		const json_t *value = json_object_get(object, field->key);

		if (value)
			put_field(bytes, field, value);
	}
}

int otlp_protobuf(const json_t *request, struct format_text *ret)
{
	struct bytes bytes = { 0 };

	put_message(&bytes, &request_message, request);
	put_bytes(&bytes, "", 1);
	if (bytes.failed) {
		free(bytes.data);
		return -ENOMEM;
	}
	*ret = (struct format_text){ .bytes = bytes.data, .length = bytes.length - 1 };
	return 0;
}
