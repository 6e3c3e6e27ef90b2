/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the JSON of an event back to codes. Whatever an event may lack is optional here; what it has
 * must be of the right kind, or the line is refused: a recording is input from others.
 */
#include "author/observation.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "policy/capabilities.h"
#include "telemetry/event.h"
#include "telemetry/names.h"

/* What is being read, and the first thing that was wrong with it. */
struct reader {
	const json_t *event;
	const char *why;
};

typedef const char *(*name_of)(__u32 code);

static const char *text(struct reader *reader, const char *key)
{
	const json_t *value = json_object_get(reader->event, key);

	if (value && !json_is_string(value) && !reader->why)
		reader->why = "a key that must be a text is none";
	return json_string_value(value);
}

static __u32 number(struct reader *reader, const char *key, json_int_t most)
{
	const json_t *value = json_object_get(reader->event, key);
	json_int_t found = json_integer_value(value);

	if (value && (!json_is_integer(value) || found < 0 || found > most) && !reader->why)
		reader->why = "a key that must be a number is none, or out of range";
	return found < 0 || found > most ? 0 : (__u32)found;
}

/* The code that @key names by the table @name; @count: no such word. */
static __u32 code(struct reader *reader, const char *key, name_of name, __u32 count)
{
	const char *word = text(reader, key);

	for (__u32 i = 0; word && i < count; i++) {
		const char *known = name(i);

		if (known && strcmp(known, word) == 0)
			return i;
	}
	return count;
}

/* Names like numbers above the tables: families and types of sockets. */
static __u32 named_number(struct reader *reader, const char *key, name_of name)
{
	const json_t *value = json_object_get(reader->event, key);

	if (json_is_integer(value))
		return number(reader, key, UINT32_MAX);
	return value ? code(reader, key, name, 256) & 0xff : 0;
}

static int hex_digit(char digit)
{
	return isdigit((unsigned char)digit) ? digit - '0' : digit - 'a' + 10;
}

static bool is_hex(const char *bytes)
{
	size_t length = strlen(bytes);

	return length % 2 == 0 && strspn(bytes, "0123456789abcdef") == length;
}

static int read_hex(const char *digits, char **ret_text)
{
	size_t length = strlen(digits) / 2;
	char *bytes = calloc(length + 1, 1);

	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(hex_digit(digits[2 * i]) * 16 + hex_digit(digits[2 * i + 1]));
	*ret_text = bytes;
	return 0;
}

/* The bytes that @key stands for, escaped, or that @hex has exactly. A NUL inside is no path's. */
static int read_bytes(struct reader *reader, const char *key, const char *hex, char **ret_text)
{
	const char *digits = hex ? text(reader, hex) : NULL;
	const char *escaped = text(reader, key);
	size_t length = 0;
	char *bytes = NULL;
	int r;

	if (!escaped)
		return 0;
	if (digits && is_hex(digits))
		return read_hex(digits, ret_text);
	r = escape_undo(escaped, &bytes, &length);
	if (r == 0 && strlen(bytes) != length)
		r = -EINVAL;
	if (r == -EINVAL) {
		free(bytes);
		reader->why = "an escape in a path or command is ill-formed";
		return 0;
	}
	*ret_text = bytes;
	return r;
}

static void read_address(struct reader *reader, const char *key, __u8 ret_address[16],
			 bool *ret_has)
{
	const char *word = text(reader, key);
	__u8 mapped[16] = { [10] = 0xff, [11] = 0xff };

	if (!word)
		return;
	if (inet_pton(AF_INET6, word, ret_address) != 1) {
		if (inet_pton(AF_INET, word, mapped + 12) != 1) {
			reader->why = "an address is none";
			return;
		}
		memcpy(ret_address, mapped, 16);
	}
	*ret_has = true;
}

static __u8 read_access(struct reader *reader, enum pk_section section)
{
	const json_t *list = json_object_get(reader->event, "access");
	__u8 access = 0;
	size_t i;
	json_t *word;

	json_array_foreach((json_t *)list, i, word) {
		__u8 before = access;

		for (__u32 bit = 1; bit <= PK_ACCESS_CONNECT && json_is_string(word); bit <<= 1) {
			const char *name = names_access_bit(section, bit);

			if (name && strcmp(name, json_string_value(word)) == 0)
				access |= (__u8)bit;
		}
		if (access == before && !reader->why)
			reader->why = "'access' has a word that its section has not";
	}
	return access;
}

/* Codes that every event has. */
static void read_codes(struct reader *reader, struct observation *o)
{
	const char *schema = text(reader, "schema");
	__u32 op = code(reader, "op", names_op, PK_OP__MAX);
	__u32 section = code(reader, "section", names_section, PK_SECTION__MAX);
	__u32 verdict = code(reader, "verdict", names_verdict, PK_VERDICT_DENY + 1);
	__u32 reason = code(reader, "reason", names_reason, PK_REASON__MAX);

	if (!schema || strcmp(schema, "picket.event/1") != 0)
		reader->why = "this is no event: 'schema' is not \"picket.event/1\"";
	else if (op == PK_OP__MAX)
		reader->why = "'op' is no operation";
	else if (section == PK_SECTION__MAX)
		reader->why = "'section' is no section";
	else if (verdict > PK_VERDICT_DENY)
		reader->why = "'verdict' is not allow, ask or deny";
	else if (reason == PK_REASON__MAX)
		reader->why = "'reason' is no reason";
	if (reader->why)
		return;
	o->op = (enum pk_op)op;
	o->section = (enum pk_section)section;
	o->verdict = json_is_true(json_object_get(reader->event, "audit")) ?
			     PK_VERDICT_ALLOW :
			     (enum pk_verdict)verdict;
	o->reason = (enum pk_reason)reason;
}

static void read_guard(struct reader *reader, struct observation *o)
{
	const char *capability = text(reader, "capability");
	__u32 guard = code(reader, "switch", names_guard, PK_GUARD__MAX);

	o->access = (__u8)guard;
	for (__u32 i = 0; capability && i < CAPABILITIES_COUNT; i++) {
		if (strcmp(capabilities_name(i), capability) == 0)
			o->capability = 1ULL << i;
	}
}

static void read_process(struct reader *reader, struct observation *o)
{
	struct reader process = { .event = json_object_get(reader->event, "process") };
	const char *comm = text(&process, "comm");
	const char *when = text(reader, "time");

	(void)snprintf(o->seen.first, sizeof(o->seen.first), "%s", when ? when : "");
	(void)snprintf(o->seen.last, sizeof(o->seen.last), "%s", o->seen.first);
	if (!json_is_object(process.event) && !reader->why)
		reader->why = "'process' is missing";
	if (comm && *comm) {
		(void)snprintf(o->seen.programs[0], sizeof(o->seen.programs[0]), "%s", comm);
		o->seen.program_count = 1;
	}
}

static void read_network(struct reader *reader, struct observation *o)
{
	read_address(reader, "address", o->address, &o->has_address);
	read_address(reader, "local_address", o->local, &o->has_local);
	o->port = (__u16)number(reader, "port", 65535);
	if (o->op != PK_OP_SOCKET)
		return;
	o->family = named_number(reader, "family", names_family);
	o->type = named_number(reader, "type", names_socket_type);
	o->protocol = named_number(reader, "protocol", names_protocol);
}

/* The recorded command is the program's path, a blank, and the words from argv[0] on. */
static void cut_command(struct observation *o)
{
	size_t length = o->path ? strlen(o->path) : 0;
	char *words;

	if (!o->command || strncmp(o->command, o->path ? o->path : "", length) != 0)
		return;
	words = o->command + length + (o->command[length] == ' ');
	words += strcspn(words, " ");
	words += *words == ' ';
	memmove(o->command, words, strlen(words) + 1);
}

static int read_names(struct reader *reader, struct observation *o)
{
	int r = read_bytes(reader, "path", "path_hex", &o->path);

	if (r == 0)
		r = read_bytes(reader, "path2", "path2_hex", &o->path2);
	if (r == 0)
		r = read_bytes(reader, "host", "host_hex", &o->host);
	if (r == 0)
		r = read_bytes(reader, "alias", "alias_hex", &o->alias);
	if (r == 0)
		r = read_bytes(reader, "command", NULL, &o->command);
	if (r == 0 && o->op == PK_OP_SYSCALL)
		r = read_bytes(reader, "syscall", NULL, &o->path);
	cut_command(o);
	return r;
}

int observation_read(const json_t *event, struct observation *ret_observation, const char **ret_why)
{
	CLEAN(observation_reset) struct observation o = { .seen.count = 1 };
	struct reader reader = { .event = event };
	int r;

	if (!json_is_object(event))
		reader.why = "this is no JSON object";
	else
		read_codes(&reader, &o);
	if (reader.why) {
		*ret_why = reader.why;
		return -EINVAL;
	}
	r = read_names(&reader, &o);
	if (o.section == PK_SECTION_PROCESS)
		read_guard(&reader, &o);
	else
		o.access = read_access(&reader, o.section);
	read_network(&reader, &o);
	read_process(&reader, &o);
	if (r == 0 && reader.why) {
		*ret_why = reader.why;
		r = -EINVAL;
	}
	if (r < 0)
		return r;
	/* Both sections must allow it: whichever was asked, the other will be. */
	if (o.op == PK_OP_EXEC && o.section != PK_SECTION_PROCESS) {
		o.twins = o.section == PK_SECTION_FILES;
		o.seen.count -= o.twins;
		o.section = PK_SECTION_EXEC;
		o.access = PK_ACCESS_RUN;
	}
	if (o.op == PK_OP_ACCEPT)
		o.section = PK_SECTION_LISTEN;
	*ret_observation = o;
	o = (struct observation){ 0 };
	return 0;
}

static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_numbers(const struct observation *a, const struct observation *b)
{
	const __u64 left[] = { a->section, a->op,   a->access,	 a->has_address, a->port,
			       a->family,  a->type, a->protocol, a->capability };
	const __u64 right[] = { b->section, b->op,   b->access,	  b->has_address, b->port,
				b->family,  b->type, b->protocol, b->capability };

	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		if (left[i] != right[i])
			return left[i] < right[i] ? -1 : 1;
	}
	return 0;
}

int observation_compare(const struct observation *a, const struct observation *b)
{
	int order = compare_numbers(a, b);

	if (!order)
		order = compare_texts(a->host, b->host);
	if (!order)
		order = memcmp(a->address, b->address, sizeof(a->address));
	if (!order)
		order = memcmp(a->local, b->local, sizeof(a->local));
	if (!order)
		order = compare_texts(a->path, b->path);
	if (!order)
		order = compare_texts(a->path2, b->path2);
	if (!order)
		order = compare_texts(a->command, b->command);
	if (!order)
		order = compare_texts(a->alias, b->alias);
	return order ? order : compare_texts(a->by, b->by);
}

/* Sorted, the last ones dropped: so that which ones are kept depends on no order. */
static void add_program(struct seen *into, const char *name)
{
	char kept[17];
	size_t i = 0;

	(void)snprintf(kept, sizeof(kept), "%s", name);
	while (i < into->program_count && i < OBSERVATION_PROGRAMS) {
		int order = strcmp(kept, into->programs[i]);
		char moved[17];

		if (order == 0)
			return;
		if (order < 0) {
			memcpy(moved, into->programs[i], sizeof(moved));
			memcpy(into->programs[i], kept, sizeof(kept));
			memcpy(kept, moved, sizeof(moved));
		}
		i++;
	}
	if (into->program_count < OBSERVATION_PROGRAMS)
		memcpy(into->programs[into->program_count++], kept, sizeof(kept));
	else
		into->program_count = OBSERVATION_PROGRAMS + 1;
}

void seen_merge(struct seen *into, const struct seen *from)
{
	if (!*into->first || strcmp(from->first, into->first) < 0)
		memcpy(into->first, from->first, sizeof(into->first));
	if (strcmp(from->last, into->last) > 0)
		memcpy(into->last, from->last, sizeof(into->last));
	into->count += from->count;
	for (size_t i = 0; i < from->program_count && i < OBSERVATION_PROGRAMS; i++)
		add_program(into, from->programs[i]);
	if (from->program_count > OBSERVATION_PROGRAMS)
		into->program_count = OBSERVATION_PROGRAMS + 1;
}

void observation_merge(struct observation *into, const struct observation *from)
{
	seen_merge(&into->seen, &from->seen);
	into->twins += from->twins;
	if (from->verdict > into->verdict) {
		into->verdict = from->verdict;
		into->reason = from->reason;
	}
}

/* "host:port", or the address; names over the address that they stood for. */
static void put_destination(FILE *to, const struct observation *o)
{
	char address[EVENT_ADDRESS_SIZE] = "";

	if (o->host)
		escape_write(to, o->host, strlen(o->host), 0);
	else if (o->has_address)
		(void)fputs(event_address(o->address, address), to);
	if (o->port)
		(void)fprintf(to, o->host || !strchr(address, ':') ? ":%u" : " port %u", o->port);
}

/* Where it arrived, and who came. */
static void put_arrival(FILE *to, const struct observation *o)
{
	struct observation at = *o;
	char peer[EVENT_ADDRESS_SIZE];

	memcpy(at.address, o->local, sizeof(at.address));
	put_destination(to, &at);
	(void)fprintf(to, " from %s", event_address(o->address, peer));
}

char *observation_text(const struct observation *o)
{
	char *line = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&line, &size);

	if (!to)
		return NULL;
	if (o->section == PK_SECTION_PROCESS)
		(void)fputs(names_guard(o->access), to);
	else if (o->op == PK_OP_SOCKET)
		(void)fprintf(to, "%s %s", names_family(o->family) ? names_family(o->family) : "?",
			      names_socket_type(o->type) ? names_socket_type(o->type) : "?");
	else if (o->path)
		escape_write(to, o->path, strlen(o->path), 0);
	else if (o->op == PK_OP_ACCEPT && o->has_address && o->has_local)
		put_arrival(to, o);
	else
		put_destination(to, o);
	if (o->command && *o->command) {
		(void)fputc(' ', to);
		escape_write(to, o->command, strlen(o->command), 0);
	}
	if (o->path2) {
		(void)fputs(" -> ", to);
		escape_write(to, o->path2, strlen(o->path2), 0);
	}
	(void)text_close(to, &line);
	return line;
}

void observation_reset(struct observation *observation)
{
	free(observation->path);
	free(observation->path2);
	free(observation->command);
	free(observation->host);
	free(observation->alias);
	free(observation->by);
	*observation = (struct observation){ 0 };
}
