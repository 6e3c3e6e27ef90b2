/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the steps and what each tier needs of them. The steps themselves are in
 * features_host.c and features_bpf.c.
 */
#include "engine/features.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "engine/features_steps.h"

static int step_set(struct feature *step, enum feature_state state, const char *format,
		    va_list args)
{
	step->state = state;
	if (vasprintf(&step->text, format, args) < 0) {
		step->text = NULL;
		return -ENOMEM;
	}
	return 0;
}

int step_ok(struct feature *step, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = step_set(step, FEATURE_OK, format, args);
	va_end(args);
	return r;
}

int step_failed(struct feature *step, const char *remedy, const char *format, ...)
{
	va_list args;
	int r;

	va_start(args, format);
	r = step_set(step, FEATURE_FAILED, format, args);
	va_end(args);
	if (r)
		return r;
	step->remedy = strdup(remedy);
	return step->remedy ? 0 : -ENOMEM;
}

/* Digits at *@text, at most four; moves *@text behind them. Returns 0 or -EINVAL. */
static int take_number(const char **text, unsigned int *ret_number)
{
	size_t digits = strspn(*text, "0123456789");

	if (digits == 0 || digits > 4)
		return -EINVAL;
	*ret_number = (unsigned int)strtoul(*text, NULL, 10);
	*text += digits;
	return 0;
}

int features_parse_release(const char *release, unsigned int *ret_major, unsigned int *ret_minor)
{
	unsigned int major;
	unsigned int minor;

	if (take_number(&release, &major) || *release++ != '.' || take_number(&release, &minor))
		return -EINVAL;
	*ret_major = major;
	*ret_minor = minor;
	return 0;
}

bool features_list_has(const char *list, const char *name)
{
	size_t length = strlen(name);

	for (;;) {
		size_t item = strcspn(list, ",\n");

		if (item == length && strncmp(list, name, length) == 0)
			return true;
		if (list[item] != ',')
			return false;
		list += item + 1;
	}
}

/* One row a step: what it needs is a set of earlier steps. */
#define NEEDS(id) (1U << FEATURE_##id)
#define NEEDS_BPF (NEEDS(KERNEL) | NEEDS(PRIVILEGES))
#define NEEDS_TRAMPOLINE (NEEDS_BPF | NEEDS(BTF))

static const struct {
	const char *name;
	unsigned int needs;
	int (*try)(struct features *f, struct feature *step);
} steps[] = {
	[FEATURE_KERNEL] = { "kernel", 0, step_kernel },
	[FEATURE_PRIVILEGES] = { "privileges", 0, step_privileges },
	[FEATURE_CGROUP] = { "cgroup2", 0, step_cgroup },
	[FEATURE_CGROUP_KILL] = { "cgroup-kill", NEEDS(CGROUP) | NEEDS(PRIVILEGES),
				  step_cgroup_kill },
	[FEATURE_BPFFS] = { "bpffs", NEEDS(PRIVILEGES), step_bpffs },
	[FEATURE_RINGBUF] = { "ring-buffer", NEEDS_BPF, step_ringbuf },
	[FEATURE_CGROUP_CONNECT] = { "cgroup-connect", NEEDS_BPF, step_cgroup_connect },
	[FEATURE_CGROUP_SOCK] = { "cgroup-socket", NEEDS_BPF, step_cgroup_sock },
	[FEATURE_CGROUP_SKB] = { "cgroup-packet", NEEDS_BPF, step_cgroup_skb },
	[FEATURE_SOCKET_STORAGE] = { "socket-storage", NEEDS_BPF, step_socket_storage },
	[FEATURE_SOCKET_END] = { "socket-end", NEEDS(PRIVILEGES), step_socket_end },
	[FEATURE_BTF] = { "btf", 0, step_btf },
	[FEATURE_TASK_STORAGE] = { "task-storage", NEEDS_TRAMPOLINE, step_task_storage },
	[FEATURE_MIGRATION] = { "migration", NEEDS_TRAMPOLINE, step_migration },
	[FEATURE_LSM_LIST] = { "lsm-list", 0, step_lsm_list },
	[FEATURE_LSM_HOOK] = { "lsm-hook", NEEDS_TRAMPOLINE, step_lsm_hook },
	[FEATURE_MODIFY_RETURN] = { "modify-return", NEEDS_TRAMPOLINE, step_modify_return },
};

_Static_assert(sizeof(steps) / sizeof(steps[0]) == FEATURE__MAX, "a row for every step");

#define TIER_NETWORK                                                                               \
	(NEEDS_BPF | NEEDS(CGROUP) | NEEDS(CGROUP_KILL) | NEEDS(BPFFS) | NEEDS(RINGBUF) |          \
	 NEEDS(CGROUP_CONNECT) | NEEDS(CGROUP_SOCK) | NEEDS(CGROUP_SKB) | NEEDS(SOCKET_STORAGE))
#define TIER_HOOKS (TIER_NETWORK | NEEDS(BTF) | NEEDS(TASK_STORAGE) | NEEDS(MIGRATION))

static const unsigned int tier_needs[] = {
	[PK_TIER_NETWORK] = TIER_NETWORK,
	[PK_TIER_MODIFY_RETURN] = TIER_HOOKS | NEEDS(MODIFY_RETURN),
	[PK_TIER_LSM] = TIER_HOOKS | NEEDS(LSM_HOOK),
};

_Static_assert(sizeof(tier_needs) / sizeof(tier_needs[0]) == PK_TIER__MAX, "a row for every tier");

static unsigned int ok_mask(const struct features *f)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		if (f->items[i].state == FEATURE_OK)
			mask |= 1U << i;
	}
	return mask;
}

bool features_needs(enum pk_tier tier, enum feature_id id)
{
	return tier_needs[tier] & (1U << id);
}

int features_find_tier(const struct features *f, enum pk_tier limit)
{
	unsigned int ok = ok_mask(f);

	for (int tier = (int)limit; tier >= 0; tier--) {
		if ((tier_needs[tier] & ok) == tier_needs[tier])
			return tier;
	}
	return -1;
}

/* Is there anything to learn from step @id about tiers up to @limit? */
static bool is_worth_trying(const struct features *f, enum feature_id id, enum pk_tier limit)
{
	if ((steps[id].needs & ok_mask(f)) != steps[id].needs)
		return false;
	if (limit == PK_TIER__MAX)
		return true;
	if (features_find_tier(f, limit) == (int)limit)
		return false;
	for (int tier = (int)limit; tier >= 0; tier--) {
		if (features_needs((enum pk_tier)tier, id))
			return true;
	}
	return false;
}

int features_probe(enum pk_tier limit, struct features *ret_features)
{
	CLEAN(features_reset) struct features f = { .tier = -1 };

	for (unsigned int i = 0; i < FEATURE__MAX; i++)
		f.items[i].name = steps[i].name;
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		int r = 0;

		if (is_worth_trying(&f, (enum feature_id)i, limit))
			r = steps[i].try(&f, &f.items[i]);
		if (r)
			return r;
	}
	f.tier = features_find_tier(&f, PK_TIER_LSM);
	*ret_features = f;
	f = (struct features){ .tier = -1 };
	return 0;
}

/* The step whose failure is the cause: what a step that was not tried needed, failed. */
static const struct feature *first_cause(const struct features *f, enum pk_tier tier)
{
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		if (features_needs(tier, i) && f->items[i].state == FEATURE_FAILED)
			return &f->items[i];
	}
	return NULL;
}

int features_explain(const struct features *f, enum pk_tier tier, const char *what,
		     struct diag_list *diags)
{
	const struct feature *cause = first_cause(f, tier);
	const char *before = what ? what : "";
	const char *between = what ? ": " : "";

	if (f->tier >= 0 && (enum pk_tier)f->tier >= tier)
		return 0;
	if (!cause) {
		diag_hint(diag_add(diags, DIAG_ERROR, NULL,
				   "%s%sit could not be found out what this kernel can do", before,
				   between),
			  "run 'picket doctor'");
		return -ENOTSUP;
	}
	diag_hint(diag_add(diags, DIAG_ERROR, NULL, "%s%s%s", before, between, cause->text), "%s",
		  cause->remedy);
	return cause == &f->items[FEATURE_PRIVILEGES] ? -EPERM : -ENOTSUP;
}

void features_reset(struct features *f)
{
	for (unsigned int i = 0; i < FEATURE__MAX; i++) {
		mem_free_ptr(&f->items[i].text);
		mem_free_ptr(&f->items[i].remedy);
	}
	mem_free_ptr(&f->cgroup_root);
	mem_free_ptr(&f->bpffs);
	*f = (struct features){ .tier = -1 };
}
