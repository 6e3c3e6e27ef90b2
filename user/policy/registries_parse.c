/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of configuration files to hosts. The files are other programs', and may be hostile: a line is
 * a key and a value, or it is passed over; of a value nothing counts but its http and https URIs, and
 * of those nothing but the host and the port. A word with a variable in it names no host.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/front.h"
#include "policy/host.h"
#include "policy/registries.h"

int registries_note(struct registries *registries, const char *format, ...)
{
	va_list arguments;
	char *note = NULL;
	int r;

	if (registries->note_count == REGISTRIES_NOTES_MAX)
		return 0;
	va_start(arguments, format);
	r = vasprintf(&note, format, arguments);
	va_end(arguments);
	if (r < 0)
		return -ENOMEM;
	r = FRONT_APPEND(&registries->notes, &registries->note_count, &note);
	if (r < 0)
		free(note);
	return r;
}

static bool is_known(const struct registries *registries, const char *host, unsigned int port)
{
	for (size_t i = 0; i < registries->count; i++)
		if (registries->items[i].port == port &&
		    strcmp(registries->items[i].host, host) == 0)
			return true;
	return false;
}

static int add_host(struct registries *registries, const struct address_part *part,
		    unsigned int port, const char *origin)
{
	CLEAN_FREE char *host = NULL;
	struct address_error error;
	struct registry_host item = { .port = (__u16)port };
	int r;

	if (address_is_network(part))
		return registries_note(
			registries,
			"%s names the address '%.*s': addresses need a rule of their own", origin,
			(int)part->length, part->text);
	r = host_name_parse(part, &host, &error);
	if (r == -EINVAL)
		return registries_note(registries, "%s names the host '%.*s': %s", origin,
				       (int)part->length, part->text, error.message);
	if (r < 0 || is_known(registries, host, port))
		return r;
	if (registries->count == REGISTRIES_MAX)
		return registries_note(registries, "more than %d hosts: '%s' is left out",
				       REGISTRIES_MAX, host);
	item.origin = strdup(origin);
	if (!item.origin)
		return -ENOMEM;
	item.host = host;
	r = FRONT_APPEND(&registries->items, &registries->count, &item);
	if (r < 0)
		free(item.origin);
	else
		host = NULL;
	return r;
}

/* The host of "[USER[:PASSWORD]@]HOST[:PORT]", @length bytes at @text. */
static int add_authority(struct registries *registries, const char *text, size_t length,
			 unsigned int port, const char *origin)
{
	const char *at = memrchr(text, '@', length);
	struct address_part part = { text, length, 0 };
	const char *colon;

	if (at) {
		part.length -= (size_t)(at + 1 - text);
		part.text = at + 1;
	}
	if (part.length > 1 && *part.text == '[')
		return registries_note(
			registries,
			"%s names the address '%.*s': addresses need a rule of their own", origin,
			(int)part.length, part.text);
	colon = memchr(part.text, ':', part.length);
	if (colon) {
		size_t digits = part.length - (size_t)(colon + 1 - part.text);

		if (address_number(colon + 1, digits, 65535, &port) < 0 || port == 0)
			return registries_note(registries, "%s has a port that is none", origin);
		part.length = (size_t)(colon - part.text);
	}
	return part.length ? add_host(registries, &part, port, origin) : 0;
}

int registries_add_uris(struct registries *registries, const char *value, const char *origin)
{
	const char *at = value;
	int r = 0;

	while (r == 0 && (at = strstr(at, "://"))) {
		bool https = at - value >= 5 && strncasecmp(at - 5, "https", 5) == 0;
		bool http = at - value >= 4 && strncasecmp(at - 4, "http", 4) == 0;
		size_t length;

		at += 3;
		length = strcspn(at, "/?# \t\r,|\"'<>\\");
		if ((https || http) && length > 0 && !memchr(at, '$', length))
			r = add_authority(registries, at, length, https ? 443 : 80, origin);
		at += length;
	}
	return r;
}

/* What a line of each format has to be called to count. */
static bool is_key(enum registries_format format, const char *key)
{
	size_t length = strlen(key);

	switch (format) {
	case REGISTRIES_APT_SOURCES:
		return strcasecmp(key, "uris") == 0;
	case REGISTRIES_NPM:
		return strcmp(key, "registry") == 0 ||
		       (*key == '@' && length > 9 && strcmp(key + length - 9, ":registry") == 0);
	case REGISTRIES_PIP:
		return strcmp(key, "index-url") == 0 || strcmp(key, "extra-index-url") == 0 ||
		       strcmp(key, "find-links") == 0;
	case REGISTRIES_CARGO:
		return strcmp(key, "index") == 0 || strcmp(key, "registry") == 0;
	case REGISTRIES_GO:
		return strcmp(key, "GOPROXY") == 0 || strcmp(key, "GOSUMDB") == 0;
	default:
		return false;
	}
}

/** A file while it is read. */
struct reading {
	struct registries *registries;
	enum registries_format format;
	const char *name;
	unsigned int line;
	bool counts; /* the key at hand does: indented lines go on with it */
	bool off; /* deb822: the stanza says Enabled: no */
};

static int add_value(const struct reading *reading, const char *value)
{
	CLEAN_FREE char *origin = NULL;

	if (asprintf(&origin, "%s:%u", reading->name, reading->line) < 0) {
		origin = NULL;
		return -ENOMEM;
	}
	return registries_add_uris(reading->registries, value, origin);
}

/* "key = value": the key ends at the separator; npm's may have a ':' in it. */
static int read_assignment(struct reading *reading, char *line)
{
	bool deb822 = reading->format == REGISTRIES_APT_SOURCES;
	bool continues = *line == ' ' || *line == '\t';
	char *start = line + strspn(line, " \t");
	char *end = strpbrk(start, deb822 ? ":" : "=");
	char *last;

	if (continues && reading->counts && (deb822 || reading->format == REGISTRIES_PIP))
		return add_value(reading, line);
	reading->counts = false;
	if (!end)
		return 0;
	for (last = end; last > start && (last[-1] == ' ' || last[-1] == '\t'); last--)
		;
	*end = '\0';
	*last = '\0';
	reading->counts = is_key(reading->format, start);
	return reading->counts ? add_value(reading, end + 1) : 0;
}

static int read_line(struct reading *reading, char *line)
{
	char *start = line + strspn(line, " \t");

	if (*start == '#' || (*start == ';' && reading->format != REGISTRIES_APT_LIST))
		return 0;
	if (reading->format != REGISTRIES_APT_LIST)
		return read_assignment(reading, line);
	line[strcspn(line, "#")] = '\0';
	if (strncmp(start, "deb ", 4) != 0 && strncmp(start, "deb\t", 4) != 0 &&
	    strncmp(start, "deb-src ", 8) != 0)
		return 0;
	return add_value(reading, start);
}

/* True when the stanza at @text, which ends at an empty line, is switched off. */
static bool is_off(const char *text)
{
	while (*text && *text != '\n') {
		size_t length = strcspn(text, "\n");

		if (strncasecmp(text, "enabled:", 8) == 0) {
			size_t at = 8 + strspn(text + 8, " \t");

			return at + 2 <= length && strncasecmp(text + at, "no", 2) == 0;
		}
		text += length + (text[length] == '\n');
	}
	return false;
}

int registries_parse(struct registries *registries, enum registries_format format, const char *name,
		     char *text, size_t length)
{
	struct reading reading = { registries, format, name, 0, false, false };
	bool first = true; /* of a stanza */
	char *at = text;
	int r = 0;

	while (at < text + length && r == 0) {
		char *end = memchr(at, '\n', (size_t)(text + length - at));
		bool empty = at == end || *at == '\r';

		reading.line++;
		if (first && !empty)
			reading.off = format == REGISTRIES_APT_SOURCES && is_off(at);
		first = empty;
		if (!end)
			end = text + length;
		*end = '\0';
		if (!empty && !reading.off)
			r = read_line(&reading, at);
		at = end + 1;
	}
	return r;
}
