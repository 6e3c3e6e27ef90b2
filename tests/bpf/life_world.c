/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Children are plain forks that wait at a pipe until they are where they belong: nothing that they do
 * before is the agent's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "life_world.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <picket.skel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/agent.h"
#include "telemetry/life.h"

/* NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): what tests have */
struct life_world life_world = { .hub = HUB_NONE };

/* Another agent's (the canary's) are not ours. */
static int take(void *context, void *bytes, size_t size)
{
	struct life_record *record = &life_world.records[life_world.count];
	struct life life;

	(void)context;
	if (!life_is(bytes, size) || life_decode(bytes, size, &life) ||
	    life.head.agent != life_world.agent.slot)
		return 0;
	if (life_world.count == LIFE_RECORDS_MAX)
		return -ENOSPC;
	record->head = life.head;
	record->text = malloc(size);
	if (!record->text)
		return -ENOMEM;
	memcpy(record->text, (const char *)bytes + sizeof(life.head), size - sizeof(life.head));
	life_world.count++;
	return 0;
}

static void forget(void)
{
	for (size_t i = 0; i < life_world.count; i++)
		free(life_world.records[i].text);
	life_world.count = 0;
}

void life_world_drain(void)
{
	assert_true(ring_buffer__consume(life_world.ring) >= 0);
}

__u64 life_world_lost(void)
{
	__u64 counts[PK_COUNT__MAX] = { 0 };

	assert_int_equal(agent_counts(&life_world.hub.loader, life_world.agent.slot, counts), 0);
	return counts[PK_COUNT_LIFE_LOST];
}

/* Have a child of ours do @act, as the agent's or nobody's. Its records are in the life_world.ring afterwards. */
pid_t life_world_do(bool agents, void (*act)(void), int *ret_status)
{
	int go[2];
	char byte;
	pid_t pid;

	life_world_drain();
	forget();
	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(go[1]);
		(void)!read(go[0], &byte, 1);
		act();
		_exit(0);
	}
	(void)close(go[0]);
	if (agents)
		assert_int_equal(hub_agent_join(&life_world.hub, &life_world.agent, pid), 0);
	(void)close(go[1]);
	assert_int_equal(waitpid(pid, ret_status, 0), pid);
	return pid;
}

/* The same for the agent, its records taken out of the ring. */
pid_t life_world_watch(void (*act)(void))
{
	int status = 0;
	pid_t pid = life_world_do(true, act, &status);

	life_world_drain();
	return pid;
}

const struct life_record *life_world_find(pid_t pid, enum pk_life_what what)
{
	const struct life_record *found = NULL;

	for (size_t i = 0; i < life_world.count; i++) {
		if (life_world.records[i].head.tgid != (__u32)pid ||
		    life_world.records[i].head.what != what)
			continue;
		/* Each happens once in the life of these. */
		assert_null(found);
		found = &life_world.records[i];
	}
	assert_non_null(found);
	return found;
}

size_t life_world_count(enum pk_life_what what)
{
	size_t n = 0;

	for (size_t i = 0; i < life_world.count; i++)
		n += life_world.records[i].head.what == what;
	return n;
}

void life_world_expect_text(const struct life_record *record, const char *text)
{
	assert_int_equal(record->head.text_length, strlen(text));
	assert_memory_equal(record->text, text, strlen(text));
}

/* @size bytes are the second text. */
void life_world_expect_bytes(const struct life_record *record, const char *bytes, size_t size)
{
	assert_int_equal(record->head.text2_length, size);
	assert_memory_equal(record->text + record->head.text_length, bytes, size);
}

int life_world_start(void **state)
{
	(void)hub_world_start(state);
	hub_world_take(&life_world.hub);
	hub_world_make(&life_world.hub, &hub_world.allow, &life_world.agent);
	life_world.facts = mmap(NULL, sizeof(*life_world.facts), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	life_world.ring = ring_buffer__new(
		bpf_map__fd(life_world.hub.loader.skel->maps.pk_activity), take, NULL, NULL);
	return life_world.facts == MAP_FAILED || !life_world.ring ||
			       !realpath(LIFE_PROGRAM, life_world.program) ?
		       -1 :
		       0;
}

int life_world_end(void **state)
{
	forget();
	ring_buffer__free(life_world.ring);
	hub_world_drop(&life_world.hub, &life_world.agent);
	hub_world_return(&life_world.hub);
	return hub_world_end(state);
}
