/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference for first payloads: records are put together first, lines are found first.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <picket/payload.h>

#include "reference.h"

/* Is it a host name? Lower case and without its last dot into @ret. */
static bool host_name(const char *text, size_t length, char *ret)
{
	bool digits = true;
	size_t label = 0;

	if (length && text[length - 1] == '.')
		length--;
	if (!length || length > PK_HOST_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '.') {
			if (!label)
				return false;
			label = 0;
			digits = true;
		} else if (c > 127 || !(isalnum(c) || c == '-' || c == '_') || ++label > 63) {
			return false;
		} else {
			digits = digits && isdigit(c);
		}
		ret[i] = (char)tolower(c);
	}
	ret[length] = '\0';
	return label && !digits;
}

/* --- TLS ------------------------------------------------------------------------------------------ */

struct hello {
	uint8_t bytes[PK_PAYLOAD_MAX];
	size_t length; /* bytes there are */
	bool broken; /* nothing that follows is a record */
};

static void collect(const uint8_t *bytes, size_t length, struct hello *h)
{
	size_t at = 0;

	h->length = 0;
	h->broken = false;
	while (at < length) {
		size_t size;

		if (bytes[at] != 0x16 || (at + 1 < length && bytes[at + 1] != 3)) {
			h->broken = true;
			return;
		}
		if (at + 5 > length)
			return;
		size = (size_t)bytes[at + 3] * 256 + bytes[at + 4];
		at += 5;
		if (size == 0 || size > 16384) {
			h->broken = true;
			return;
		}
		if (size > length - at)
			size = length - at;
		memcpy(h->bytes + h->length, bytes + at, size);
		h->length += size;
		at += size;
	}
}

static size_t field(const struct hello *h, size_t at, int count)
{
	size_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 8 | h->bytes[at + (size_t)i];
	return value;
}

/* The server_name extension of @size bytes at @at; PK_PAYLOAD_MORE: not all there. */
static int server_name(const struct hello *h, size_t at, size_t size, char *ret_name)
{
	size_t name;

	if (size < 5)
		return PK_PAYLOAD_BAD;
	if (h->length < at + 2)
		return PK_PAYLOAD_MORE;
	if (field(h, at, 2) != size - 2)
		return PK_PAYLOAD_BAD;
	if (h->length < at + 5)
		return PK_PAYLOAD_MORE;
	name = field(h, at + 3, 2);
	if (name > size - 5)
		return PK_PAYLOAD_BAD;
	if (h->bytes[at + 2] != 0 || name == 0 || name != size - 5)
		return PK_PAYLOAD_NAMELESS;
	if (h->length < at + 5 + name)
		return PK_PAYLOAD_MORE;
	if (!host_name((const char *)h->bytes + at + 5, name, ret_name))
		return PK_PAYLOAD_NAMELESS;
	return PK_PAYLOAD_NAMED;
}

static int extensions(const struct hello *h, size_t at, size_t end, char *ret_name)
{
	bool found = false, named = false;

	while (at < end) {
		size_t type, size;

		if (end - at < 4)
			return PK_PAYLOAD_BAD;
		if (h->length < at + 4)
			return PK_PAYLOAD_MORE;
		type = field(h, at, 2);
		size = field(h, at + 2, 2);
		at += 4;
		if (size > end - at)
			return PK_PAYLOAD_BAD;
		if (type == 0) {
			int state;

			if (found || size == 0)
				return PK_PAYLOAD_NAMELESS;
			found = true;
			state = server_name(h, at, size, ret_name);
			if (state != PK_PAYLOAD_NAMED)
				return state;
			named = true;
		}
		at += size;
	}
	return named ? PK_PAYLOAD_NAMED : PK_PAYLOAD_NAMELESS;
}

/* What the bytes of the message say; PK_PAYLOAD_MORE: not enough of them. */
static int hello(const struct hello *h, char *ret_name)
{
	/* Bytes before each length, and bytes of it: session, suites, compression. */
	static const size_t before[] = { 34, 0, 0 };
	static const int width[] = { 1, 2, 1 };
	size_t at = 4, end;

	if (h->length < 4)
		return PK_PAYLOAD_MORE;
	end = 4 + field(h, 1, 3);
	if (h->bytes[0] != 1 || end - 4 > PK_PAYLOAD_MAX)
		return PK_PAYLOAD_BAD;
	for (int i = 0; i < 3; i++) {
		size_t size;

		at += before[i] + (size_t)width[i];
		if (at > end)
			return PK_PAYLOAD_BAD;
		if (h->length < at)
			return PK_PAYLOAD_MORE;
		size = field(h, at - (size_t)width[i], width[i]);
		if (i == 0 && size > 32)
			return PK_PAYLOAD_BAD;
		at += size;
	}
	if (at == end)
		return PK_PAYLOAD_NAMELESS;
	if (at + 2 > end)
		return PK_PAYLOAD_BAD;
	if (h->length < at + 2)
		return PK_PAYLOAD_MORE;
	if (at + 2 + field(h, at, 2) != end)
		return PK_PAYLOAD_BAD;
	return extensions(h, at + 2, end, ret_name);
}

static int read_tls(const uint8_t *bytes, size_t length, char *ret_name)
{
	static struct hello h;
	int state;

	collect(bytes, length, &h);
	state = hello(&h, ret_name);
	return state == PK_PAYLOAD_MORE && h.broken ? PK_PAYLOAD_BAD : state;
}

/* --- HTTP ----------------------------------------------------------------------------------------- */

struct text {
	const char *at;
	size_t length;
};

static bool all(struct text t, const char *set)
{
	for (size_t i = 0; i < t.length; i++) {
		if (!t.at[i] || !strchr(set, t.at[i]))
			return false;
	}
	return true;
}

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TOKEN LETTERS DIGITS "!#$%&'*+-.^_`|~"

/* Cut @t at the first byte of @set; returns what stands before, *t becomes what starts there. */
static struct text before(struct text *t, const char *set)
{
	struct text head = { t->at, 0 };

	while (head.length < t->length &&
	       (!head.at[head.length] || !strchr(set, head.at[head.length])))
		head.length++;
	t->at += head.length;
	t->length -= head.length;
	return head;
}

static bool equals(struct text t, const char *word)
{
	return t.length == strlen(word) && memcmp(t.at, word, t.length) == 0;
}

/* "name" or "name:port". */
static bool authority(struct text t, char *ret_name)
{
	struct text name = before(&t, ":");

	if (t.length) {
		t.at++;
		t.length--;
	}
	return all(t, DIGITS) && host_name(name.at, name.length, ret_name);
}

/* The name in a target: 1 it has one, 0 it has none and needs none, -1 it has no good one, -2 no target. */
static int target(struct text t, bool connect, char *ret_name)
{
	for (size_t i = 0; i < t.length; i++) {
		unsigned char c = (unsigned char)t.at[i];

		if (c <= ' ' || c == 127)
			return -2;
	}
	if (!connect) {
		struct text scheme;

		if (t.length && (*t.at == '/' || *t.at == '*'))
			return 0;
		scheme = before(&t, ":");
		if (!scheme.length || !all(scheme, LETTERS DIGITS "+-.") ||
		    !all((struct text){ scheme.at, 1 }, LETTERS) || t.length < 3 ||
		    memcmp(t.at, "://", 3) != 0)
			return -2;
		t.at += 3;
		t.length -= 3;
	}
	return authority(before(&t, "/?#"), ret_name) ? 1 : -1;
}

static bool looks_like(struct text line)
{
	for (size_t i = 0; i + 5 <= line.length; i++) {
		if (strncasecmp(line.at + i, "http/", 5) == 0)
			return true;
	}
	return false;
}

static struct text without_cr(struct text line)
{
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	return line;
}

/* Is it no text of a protocol that begins with a word? */
static bool binary(struct text line)
{
	for (size_t i = 0; i < line.length && all((struct text){ line.at, i }, TOKEN); i++) {
		unsigned char c = (unsigned char)line.at[i];

		if (i == 0 && c > ' ' && !all((struct text){ line.at, 1 }, TOKEN))
			return true;
		if (c < '\t' || (c > '\r' && c < 28))
			return true;
	}
	return false;
}

/* The first line. PK_PAYLOAD_MORE: it is one, see *ret_named. */
static int request_line(struct text line, bool *ret_named, char *ret_name)
{
	struct text rest = line, method, where;
	int r;

	if (binary(line))
		return PK_PAYLOAD_OTHER;
	method = before(&rest, " ");
	if (!method.length || !all(method, TOKEN) || !rest.length)
		return looks_like(line) ? PK_PAYLOAD_BAD : PK_PAYLOAD_OTHER;
	rest = (struct text){ rest.at + 1, rest.length - 1 };
	where = before(&rest, " ");
	r = target(where, equals(method, "CONNECT"), ret_name);
	if (r != -2 && rest.length >= 7 && memcmp(rest.at, " HTTP/2", 7) == 0)
		return PK_PAYLOAD_NAMELESS;
	rest = without_cr(rest);
	if (r == -2 || !(equals(rest, " HTTP/1.0") || equals(rest, " HTTP/1.1")))
		return looks_like(line) ? PK_PAYLOAD_BAD : PK_PAYLOAD_OTHER;
	*ret_named = r == 1;
	return r == -1 ? PK_PAYLOAD_NAMELESS : PK_PAYLOAD_MORE;
}

/* The value of a Host header, against the name there was before if any. */
static int host_header(struct text value, bool *named, char *ret_name)
{
	char name[REFERENCE_NAME] = "";
	struct text bare;

	while (value.length && strchr(" \t", *value.at) && *value.at)
		value = (struct text){ value.at + 1, value.length - 1 };
	bare = before(&value, " \t\r");
	if (!authority(bare, name) || (*named && strcmp(name, ret_name) != 0))
		return PK_PAYLOAD_NAMELESS;
	if (!all(before(&value, "\r"), " \t"))
		return PK_PAYLOAD_NAMELESS;
	*named = true;
	memcpy(ret_name, name, sizeof(name));
	return value.length ? PK_PAYLOAD_BAD : PK_PAYLOAD_MORE;
}

static int header_line(struct text line, bool *host, bool *named, char *ret_name)
{
	struct text value = line, name = before(&value, ":");

	if (!name.length || !value.length || !all(name, TOKEN))
		return PK_PAYLOAD_BAD;
	value = (struct text){ value.at + 1, value.length - 1 };
	if (name.length == 4 && strncasecmp(name.at, "host", 4) == 0) {
		if (*host)
			return PK_PAYLOAD_NAMELESS;
		*host = true;
		return host_header(value, named, ret_name);
	}
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.at[i];

		if ((c < ' ' && c != '\t') || c == 127)
			return PK_PAYLOAD_BAD;
	}
	return PK_PAYLOAD_MORE;
}

/* Take the next line; false when its end has not come. */
static bool next_line(struct text *rest, struct text *ret_line)
{
	*ret_line = before(rest, "\n");
	if (!rest->length)
		return false;
	rest->at++;
	rest->length--;
	return true;
}

static int read_http(struct text rest, char *ret_name)
{
	bool host = false, named = false;
	struct text line;
	int state;

	while (rest.length && (*rest.at == '\r' || *rest.at == '\n'))
		rest = (struct text){ rest.at + 1, rest.length - 1 };
	if (!next_line(&rest, &line))
		return PK_PAYLOAD_MORE;
	state = request_line(line, &named, ret_name);
	while (state == PK_PAYLOAD_MORE) {
		if (!next_line(&rest, &line))
			return PK_PAYLOAD_MORE;
		line = without_cr(line);
		if (!line.length)
			return named ? PK_PAYLOAD_NAMED : PK_PAYLOAD_NAMELESS;
		state = header_line(line, &host, &named, ret_name);
	}
	return state;
}

int reference_payload(const uint8_t *bytes, size_t length, char *ret_name)
{
	size_t seen = length < PK_PAYLOAD_MAX ? length : PK_PAYLOAD_MAX;
	int state = PK_PAYLOAD_MORE;

	ret_name[0] = '\0';
	if (!length)
		return state;
	if (bytes[0] == 0x16)
		state = read_tls(bytes, seen, ret_name);
	else if (bytes[0] >= 0x14 && bytes[0] <= 0x18)
		state = PK_PAYLOAD_BAD;
	else if (bytes[0] < 128)
		state = read_http((struct text){ (const char *)bytes, seen }, ret_name);
	else if (length > 2 && bytes[2] != 1)
		state = PK_PAYLOAD_OTHER;
	else if (length > 3)
		state = bytes[3] == 3 ? PK_PAYLOAD_NAMELESS : PK_PAYLOAD_OTHER;
	if (state == PK_PAYLOAD_MORE && length >= PK_PAYLOAD_MAX)
		state = PK_PAYLOAD_BAD;
	return state;
}
