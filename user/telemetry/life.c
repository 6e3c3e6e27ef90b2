/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decoding of records of processes' lives. Refuses what the contract (picket/abi.h) does not allow.
 */
#include "telemetry/life.h"

#include <errno.h>
#include <string.h>

#define FLAGS (PK_LIFE_PATH_UNREAD | PK_LIFE_WORDS_CUT | PK_LIFE_WORDS_UNREAD)

static const char *const names[] = {
	[PK_LIFE_NONE] = "none",       [PK_LIFE_FORK] = "fork", [PK_LIFE_PROGRAM] = "program",
	[PK_LIFE_CONTEXT] = "context", [PK_LIFE_EXIT] = "exit",
};
_Static_assert(sizeof(names) / sizeof(names[0]) == PK_LIFE__MAX, "a name for each");

const char *life_name(__u32 what)
{
	return what < PK_LIFE__MAX ? names[what] : "unknown";
}

bool life_is(const void *bytes, size_t size)
{
	struct pk_life head;

	if (size < offsetof(struct pk_life, time_ns))
		return false;
	memcpy(&head, bytes, offsetof(struct pk_life, time_ns));
	return head.kind == PK_EVENT_LIFE;
}

static bool has_texts(const struct pk_life *head)
{
	return head->what == PK_LIFE_PROGRAM || head->what == PK_LIFE_CONTEXT;
}

static bool codes_in_range(const struct pk_life *head)
{
	return head->kind == PK_EVENT_LIFE && head->what > PK_LIFE_NONE &&
	       head->what < PK_LIFE__MAX && head->agent < PK_AGENTS_MAX && head->tgid != 0 &&
	       !(head->flags & ~FLAGS) && (head->status == 0 || head->what == PK_LIFE_EXIT) &&
	       (has_texts(head) || (!head->flags && !head->words));
}

static bool lengths_fit(const struct pk_life *head, size_t size)
{
	size_t most = head->what == PK_LIFE_PROGRAM ? PK_LIFE_WORDS_MAX : PK_LIFE_VARIABLES_MAX;

	if (!has_texts(head))
		most = 0;
	return head->text_length <= (most ? PK_PATH_MAX : 0) && head->text2_length <= most &&
	       head->text_length + head->text2_length == size - sizeof(*head);
}

/* As many ends as there are words, unless the text was cut. */
static bool words_fit(const struct life *life)
{
	const struct event_path *text = &life->text2;
	bool cut = life->head.flags & (PK_LIFE_WORDS_CUT | PK_LIFE_WORDS_UNREAD);
	__u32 ends = 0;

	for (size_t i = 0; i < text->length; i++)
		ends += text->bytes[i] == '\0';
	if (text->length > 0 && text->bytes[text->length - 1] != '\0')
		return cut && ends <= life->head.words;
	return cut ? ends <= life->head.words : ends == life->head.words;
}

static struct event_path take(const char *bytes, size_t length)
{
	return length ? (struct event_path){ bytes, length } : (struct event_path){ 0 };
}

int life_decode(const void *bytes, size_t size, struct life *ret_life)
{
	const char *tail = (const char *)bytes + sizeof(struct pk_life);
	struct life life = { 0 };
	struct pk_life *head = &life.head;

	if (size < sizeof(*head) || size > PK_LIFE_MAX)
		return -EBADMSG;
	memcpy(head, bytes, sizeof(*head));
	if (head->abi != PK_ABI_VERSION)
		return -EPROTONOSUPPORT;
	if (head->size != size || !codes_in_range(head) || !lengths_fit(head, size))
		return -EBADMSG;
	life.text = take(tail, head->text_length);
	life.text2 = take(tail + head->text_length, head->text2_length);
	if ((life.text.length && memchr(life.text.bytes, '\0', life.text.length)) ||
	    ((head->flags & PK_LIFE_PATH_UNREAD) && life.text.length) || !words_fit(&life))
		return -EBADMSG;
	memcpy(life.comm, head->comm, sizeof(head->comm));
	*ret_life = life;
	return 0;
}
