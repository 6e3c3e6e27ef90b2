/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program is told of when its directory and variables are known, which come right after it in a record of
 * their own; if that was lost, with the next record of the process.
 */
#include "daemon/lives.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include <picket.skel.h>

#include "base/mem.h"
#include "daemon/daemon.h"
#include "daemon/tags.h"
#include "engine/agent.h"
#include "telemetry/json.h"
#include "telemetry/names.h"
#include "telemetry/record.h"

/* Records of decisions look at the count of losses so often at most. */
#define LOOK_NS 100000000ULL
/* Batches that hold all that a full ring can. */
#define BATCHES (PK_ACTIVITY_BYTES / sizeof(struct pk_life) / EVENTS_BATCH + 1)

static int take_activity(void *context, void *bytes, size_t size)
{
	struct lives *lives = context;

	return events_take(&lives->daemon->events, bytes, size);
}

int lives_open(struct daemon *daemon, struct diag_list *diags)
{
	const struct process_limits limits = PROCESS_LIMITS;
	struct lives *lives = &daemon->lives;
	int fd = bpf_map__fd(daemon->hub.loader.skel->maps.pk_activity);
	int r = process_table_new(&limits, &lives->table);

	lives->daemon = daemon;
	lives->agents = calloc(PK_AGENTS_MAX, sizeof(*lives->agents));
	if (r == 0 && !lives->agents)
		r = -ENOMEM;
	if (r == 0) {
		lives->activity = ring_buffer__new(fd, take_activity, lives, NULL);
		r = lives->activity ? 0 : -errno;
	}
	if (r)
		(void)diag_add(diags, DIAG_ERROR, NULL, "cannot follow the lives of processes: %s",
			       strerror(-r));
	return r;
}

void lives_close(struct lives *lives)
{
	ring_buffer__free(lives->activity);
	process_table_free(&lives->table);
	free(lives->agents);
	*lives = (struct lives){ 0 };
}

/* --- Telling -------------------------------------------------------------------------------------- */

static struct json_process who_is(const struct process *process)
{
	const struct process *parent = process->parent;

	return (struct json_process){
		.pid = process->tgid,
		.uid = process->uid,
		.gid = process->gid,
		.start_ns = process->start_ns,
		.comm = process->comm,
		.parent_pid = parent ? parent->tgid : 0,
		.parent_start_ns = parent ? parent->start_ns : 0,
		.parent_comm = parent ? parent->comm : NULL,
	};
}

static void tell(struct lives *lives, const struct agent_entry *entry,
		 const struct process *process, const struct json_life_facts *what)
{
	struct events *events = &lives->daemon->events;
	const struct json_process who = who_is(process);
	struct json_life_facts facts = *what;
	CLEAN_FREE char *line = NULL;
	struct event_context context;
	struct process_view view;

	if (!events_want(events, entry, SINK_LIFE))
		return;
	process_table_view(lives->table, process, facts.time_ns, &view);
	context = events_context(events, entry, false);
	context.process = &view;
	context.seq = ++events->seq;
	facts.agent = entry->record.slot;
	facts.process = &who;
	if (json_life(&facts, &context, &line)) {
		events->unmade++;
		return;
	}
	line[strcspn(line, "\n")] = '\0';
	events_hand(events, entry, SINK_LIFE, line);
}

static void tell_program(struct lives *lives, const struct agent_entry *entry,
			 struct process *process)
{
	struct json_life_facts facts = {
		.op = life_name(PK_LIFE_PROGRAM),
		.time_ns = process->program_ns,
		.cgroup = process->cgroup,
	};

	process->pending = false;
	tell(lives, entry, process, &facts);
}

static void tell_record(struct lives *lives, const struct agent_entry *entry,
			const struct life *life, const struct process *process)
{
	struct json_life_facts facts = {
		.op = life_name(life->head.what),
		.time_ns = life->head.time_ns,
		.cgroup = life->head.cgroup,
		.ended = life->head.what == PK_LIFE_EXIT,
		.status = life->head.status,
	};

	tell(lives, entry, process, &facts);
}

/* Its directory and variables did not come. */
static void tell_late(struct lives *lives, const struct agent_entry *entry, const struct life *life)
{
	struct process *process =
		process_table_find(lives->table, life->head.tgid, life->head.start_ns);

	if (!process || !process->pending || life->head.what == PK_LIFE_CONTEXT)
		return;
	process->incomplete = true;
	tell_program(lives, entry, process);
}

/* --- Taking --------------------------------------------------------------------------------------- */

void lives_take(struct lives *lives, const void *bytes, size_t size)
{
	struct events *events = &lives->daemon->events;
	struct agent_entry *entry;
	struct process *process = NULL;
	struct life life;

	if (life_decode(bytes, size, &life)) {
		events->malformed++;
		return;
	}
	entry = life.head.agent ? registry_at(events->registry, life.head.agent) : NULL;
	if (!entry) {
		events->nobodys += life.head.agent != HUB_CANARY_SLOT;
		return;
	}
	events->delivered++;
	tell_late(lives, entry, &life);
	if (process_table_take(lives->table, &life, &process)) {
		events->unmade++;
		return;
	}
	if (life.head.what == PK_LIFE_CONTEXT) {
		tell_program(lives, entry, process);
		if (tags_keep(lives->table, &entry->record))
			daemon_save(lives->daemon);
	} else if (life.head.what != PK_LIFE_PROGRAM) {
		tell_record(lives, entry, &life, process);
	}
}

int lives_consume(struct lives *lives)
{
	int r;

	/* A record of this ring may ask for what it is that we are at. */
	if (lives->consuming || !lives->activity)
		return 0;
	lives->consuming = true;
	r = ring_buffer__consume(lives->activity);
	lives->consuming = false;
	return r == -EAGAIN ? r : 0;
}

void lives_consume_all(struct lives *lives)
{
	for (size_t i = 0; i < BATCHES && lives_consume(lives) == -EAGAIN; i++)
		;
}

/* --- Asking --------------------------------------------------------------------------------------- */

static __u64 now_ns(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

/* Were records of the agent's lives lost since the last look? */
static void look_for_losses(struct lives *lives, __u32 slot, __u64 now)
{
	struct lives_agent *agent = &lives->agents[slot];
	__u64 counts[PK_COUNT__MAX] = { 0 };

	if (!slot || now < agent->looked_ns + LOOK_NS)
		return;
	agent->looked_ns = now;
	if (agent_counts(&lives->daemon->hub.loader, slot, counts) ||
	    counts[PK_COUNT_LIFE_LOST] == agent->lost)
		return;
	agent->lost = counts[PK_COUNT_LIFE_LOST];
	process_table_suspect(lives->table, slot);
}

bool lives_view(struct lives *lives, const struct event *event, struct process_view *view)
{
	const struct process_facts facts = process_facts_of(event);
	const struct process *process;

	if (!lives->table)
		return false;
	if (!process_table_find(lives->table, facts.tgid, facts.start_ns))
		lives_consume_all(lives);
	look_for_losses(lives, facts.agent, facts.time_ns);
	process = process_table_see(lives->table, &facts);
	if (process)
		process_table_view(lives->table, process, facts.time_ns, view);
	return process != NULL;
}

struct process *lives_process(struct lives *lives, pid_t pid, __u32 slot)
{
	return lives->table ? process_table_now(lives->table, (__u32)pid, slot) : NULL;
}

json_t *lives_process_json(const struct lives *lives, const struct process *process,
			   const struct agent_entry *entry)
{
	const struct json_process who = who_is(process);
	struct event_context context = events_context(&lives->daemon->events, entry, false);
	CLEAN_FREE char *line = NULL;
	struct process_view view;
	json_t *object;
	json_t *found;

	process_table_view(lives->table, process, 0, &view);
	context.process = &view;
	if (json_life(&(struct json_life_facts){ .op = "fork", .process = &who }, &context, &line))
		return NULL;
	object = json_loads(line, 0, NULL);
	found = json_incref(json_object_get(object, "process"));
	json_decref(object);
	return found;
}

/* --- Agents --------------------------------------------------------------------------------------- */

static json_t *agent_record(const struct agent_entry *entry, const char *op)
{
	json_t *record = record_new("agent", op, entry->record.id);
	bool audit = entry->image.bytes && (image_head(&entry->image)->flags & PK_IMAGE_AUDIT);

	if (record_set_text(record, "policy", entry->record.policy) ||
	    record_set_text(record, "digest", entry->digest) ||
	    record_set_text(record, "mode", audit ? "audit" : "enforce") ||
	    record_set_number(record, "uid", (json_int_t)entry->record.uid) ||
	    record_set_number(record, "cgroup", (json_int_t)entry->record.cgroup) ||
	    record_set_text(record, "name", entry->record.name)) {
		json_decref(record);
		return NULL;
	}
	return record;
}

void lives_begin(struct daemon *daemon, const struct agent_entry *entry, bool adopted)
{
	struct lives *lives = &daemon->lives;
	struct lives_agent *agent = &lives->agents[entry->record.slot];

	*agent = (struct lives_agent){ 0 };
	process_table_forget(lives->table, entry->record.slot);
	/* Whatever its programs say now, it is no launcher's word any more; that was kept. */
	if (adopted)
		tags_trust(lives->table, &entry->record);
	else
		events_tell(&daemon->events, entry,
			    agent_record(entry,
					 entry->record.kind == AGENT_RUN ? "start" : "attach"));
}

void lives_end(struct daemon *daemon, const struct agent_entry *entry)
{
	if (!daemon->lives.table)
		return;
	events_tell(&daemon->events, entry,
		    agent_record(entry, entry->record.kind == AGENT_RUN ? "end" : "detach"));
	process_table_forget(daemon->lives.table, entry->record.slot);
}

void lives_replaced(struct daemon *daemon, const struct agent_entry *entry, const char *before)
{
	json_t *record = record_new("policy", "reload", entry->record.id);

	if (record_set_text(record, "policy", entry->record.policy) ||
	    record_set_text(record, "old", before) ||
	    record_set_text(record, "new", entry->digest)) {
		json_decref(record);
		record = NULL;
	}
	events_tell(&daemon->events, entry, record);
}

void lives_daemon(struct daemon *daemon, const char *op)
{
	json_t *record = record_new("daemon", op, NULL);
	struct utsname host = { 0 };

	(void)uname(&host);
	if (record_set_text(record, "version", PICKET_VERSION) ||
	    record_set_text(record, "tier", names_tier(daemon->hub.tier)) ||
	    record_set_text(record, "kernel", host.release)) {
		json_decref(record);
		record = NULL;
	}
	events_tell(&daemon->events, NULL, record);
}

/* --- Losses --------------------------------------------------------------------------------------- */

struct loss {
	const char *class;
	const char *where;
	__u64 total;
	__u64 *told;
};

static void tell_loss(struct daemon *daemon, const struct agent_entry *entry,
		      const struct loss *loss)
{
	json_t *record;

	if (loss->total <= *loss->told)
		return;
	record = record_new("loss", "lost", entry->record.id);
	if (record_set_text(record, "class", loss->class) ||
	    record_set_text(record, "where", loss->where) ||
	    record_set_number(record, "count", (json_int_t)(loss->total - *loss->told)) ||
	    record_set_number(record, "total", (json_int_t)loss->total)) {
		json_decref(record);
		return;
	}
	*loss->told = loss->total;
	events_tell(&daemon->events, entry, record);
}

static void check_agent(struct daemon *daemon, const struct agent_entry *entry)
{
	static const struct {
		const char *class;
		enum pk_count count;
	} kinds[] = {
		{ "decision", PK_COUNT_DECISION_LOST },
		{ "activity", PK_COUNT_ACTIVITY_LOST },
		{ "life", PK_COUNT_LIFE_LOST },
		{ "limited", PK_COUNT_ACTIVITY_LIMITED },
	};
	struct lives_agent *agent = &daemon->lives.agents[entry->record.slot];
	__u64 counts[PK_COUNT__MAX] = { 0 };
	__u64 untold = entry->untold - entry->untold_allowed;

	if (agent_counts(&daemon->hub.loader, entry->record.slot, counts))
		return;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		tell_loss(daemon, entry,
			  &(struct loss){ kinds[i].class, "kernel", counts[kinds[i].count],
					  &agent->told[kinds[i].count] });
	tell_loss(daemon, entry,
		  &(struct loss){ "decision", "subscriber", untold, &agent->untold });
	tell_loss(daemon, entry,
		  &(struct loss){ "activity", "subscriber", entry->untold_allowed,
				  &agent->untold_allowed });
}

void lives_check(struct daemon *daemon)
{
	const struct agent_entry *entry = NULL;
	__u64 now = now_ns();
	__u32 slot = 0;

	while ((entry = registry_next(&daemon->registry, slot))) {
		slot = entry->record.slot;
		look_for_losses(&daemon->lives, slot, now);
		check_agent(daemon, entry);
	}
	process_table_age(daemon->lives.table, now);
}
