/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a record is written and read. Knows nothing of files.
 */
#include "audit/line.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "base/mem.h"

#define SIGNATURE_KEY ",\"signature\":\""
#define SIGNATURE_END "\"}\n"
#define SIGNATURE_HEX (2 * SIGN_BYTES)

int audit_hash(const void *bytes, size_t size, char ret_hash[SIGN_HEX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int length = 0;

	if (EVP_Digest(bytes, size, digest, &length, EVP_sha256(), NULL) != 1)
		return -EIO;
	sign_hex(digest, length, ret_hash);
	return 0;
}

char *audit_line_make(const struct audit_head *head, const char *what, const json_t *details)
{
	struct timespec now = { 0 };
	struct tm parts = { 0 };
	CLEAN_FREE char *text = NULL;
	char date[32] = "";
	char *line = NULL;
	json_t *all;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &parts);
	(void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
	all = json_pack("{s:s, s:I, s:o, s:s}", "schema", AUDIT_SCHEMA, "seq",
			(json_int_t)(head->seq + 1), "time",
			json_sprintf("%s.%09ldZ", date, now.tv_nsec), "what", what);
	if (all && (!details || json_object_update_missing(all, (json_t *)details) == 0) &&
	    json_object_set_new(all, "prev", json_string(head->hash)) == 0)
		text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	return line;
}

int audit_line_sign(char **line, const struct sign_key *key)
{
	__u8 signature[SIGN_BYTES];
	char hex[SIGNATURE_HEX + 1];
	size_t size = strlen(*line);
	char *whole = NULL;
	int r;

	/* What is signed ends before the brace and the newline. */
	r = size < 2 ? -EIO : sign_key_sign(key, *line, size - 2, signature);
	if (r)
		return r;
	sign_hex(signature, sizeof(signature), hex);
	if (asprintf(&whole, "%.*s" SIGNATURE_KEY "%s" SIGNATURE_END, (int)(size - 2), *line, hex) <
	    0)
		return -ENOMEM;
	free(*line);
	*line = whole;
	return 0;
}

static bool is_hash(const char *text)
{
	return text && strlen(text) == SIGN_HEX - 1 &&
	       strspn(text, "0123456789abcdef") == SIGN_HEX - 1;
}

static const char *check(const struct audit_line *line, const json_t *seq)
{
	const char *schema = json_string_value(json_object_get(line->object, "schema"));

	if (!json_is_object(line->object))
		return "it is no object of JSON";
	if (!schema || strcmp(schema, AUDIT_SCHEMA) != 0)
		return "its schema is not '" AUDIT_SCHEMA "'";
	if (!json_is_integer(seq) || json_integer_value(seq) < 1)
		return "its 'seq' is no number of a record";
	if (!line->what)
		return "it has no 'what'";
	return is_hash(line->prev) ? NULL : "its 'prev' is no SHA-256";
}

int audit_line_parse(const char *bytes, size_t size, struct audit_line *ret_line,
		     const char **ret_why)
{
	struct audit_line line = { 0 };
	const json_t *seq;

	if (size < 2 || bytes[size - 1] != '\n' || bytes[size - 2] != '}') {
		*ret_why = "it is no object of JSON";
		return -EINVAL;
	}
	line.object = json_loadb(bytes, size - 1, JSON_REJECT_DUPLICATES, NULL);
	seq = json_object_get(line.object, "seq");
	line.seq = (__u64)json_integer_value(seq);
	line.what = json_string_value(json_object_get(line.object, "what"));
	line.prev = json_string_value(json_object_get(line.object, "prev"));
	*ret_why = check(&line, seq);
	if (!*ret_why && audit_hash(bytes, size, line.hash))
		*ret_why = "no SHA-256 of it can be made";
	if (*ret_why) {
		audit_line_reset(&line);
		return -EINVAL;
	}
	*ret_line = line;
	return 0;
}

const char *audit_line_signature(const struct audit_line *line)
{
	return json_string_value(json_object_get(line->object, "signature"));
}

static int read_hex(const char *text, __u8 ret_signature[SIGN_BYTES])
{
	for (size_t i = 0; i < SIGN_BYTES; i++) {
		char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };
		char *end = NULL;

		ret_signature[i] = (__u8)strtoul(pair, &end, 16);
		if (*end || strspn(pair, "0123456789abcdef") != 2)
			return -EBADMSG;
	}
	return 0;
}

int audit_line_verify(const char *bytes, size_t size, const struct sign_key *keys, size_t count)
{
	const size_t tail = strlen(SIGNATURE_KEY) + SIGNATURE_HEX + strlen(SIGNATURE_END);
	const char *at = size > tail ? bytes + size - tail : NULL;
	__u8 signature[SIGN_BYTES];

	if (!at || memcmp(at, SIGNATURE_KEY, strlen(SIGNATURE_KEY)) != 0 ||
	    memcmp(bytes + size - strlen(SIGNATURE_END), SIGNATURE_END, strlen(SIGNATURE_END)) !=
		    0 ||
	    read_hex(at + strlen(SIGNATURE_KEY), signature))
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		if (sign_key_verify(&keys[i], bytes, (size_t)(at - bytes), signature) == 0)
			return 0;
	}
	return -EBADMSG;
}

void audit_line_reset(struct audit_line *line)
{
	json_decref(line->object);
	*line = (struct audit_line){ 0 };
}
