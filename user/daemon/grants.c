/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list: answers are few, and looked for when somebody asks or an act was granted.
 */
#include "daemon/grants.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "telemetry/request_id.h"

__u64 grants_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (__u64)now.tv_sec * 1000000000ULL + (__u64)now.tv_nsec;
}

static void free_grant(struct grant *grant)
{
	json_decref(grant->doc);
	free(grant);
}

static void unlink_grant(struct grants *grants, const struct grant *grant)
{
	struct grant **at = &grants->first;

	while (*at && *at != grant)
		at = &(*at)->next;
	if (*at)
		*at = grant->next;
}

struct grant *grants_find(const struct grants *grants, const struct pk_ask_key *key)
{
	struct grant *grant = grants->first;

	while (grant && memcmp(&grant->key, key, sizeof(*key)) != 0)
		grant = grant->next;
	return grant;
}

struct grant *grants_find_id(const struct grants *grants, __u32 id)
{
	struct grant *grant = grants->first;

	while (grant && (grant->kernel.id != id || !grant->doc))
		grant = grant->next;
	return grant;
}

struct grant *grants_add(struct grants *grants, const struct pk_ask_key *key,
			 const struct pk_grant *kernel, json_t *doc)
{
	struct grant *old = grants_find(grants, key);
	struct grant *grant = calloc(1, sizeof(*grant));

	if (!grant) {
		json_decref(doc);
		return NULL;
	}
	if (old) {
		unlink_grant(grants, old);
		free_grant(old);
	}
	grant->key = *key;
	grant->kernel = *kernel;
	grant->doc = doc;
	grant->next = grants->first;
	grants->first = grant;
	return grant;
}

int grants_publish(struct grants *grants, const struct grant *grant)
{
	return hub_grant_put(grants->hub, &grant->key, &grant->kernel);
}

void grants_drop(struct grants *grants, struct grant *grant)
{
	(void)hub_grant_delete(grants->hub, &grant->key);
	unlink_grant(grants, grant);
	free_grant(grant);
}

__s64 grants_left(const struct grants *grants, const struct grant *grant)
{
	struct pk_grant now;

	if (hub_grant_get(grants->hub, &grant->key, &now) || now.id != grant->kernel.id)
		return 0;
	return now.uses;
}

bool grants_is_over(const struct grants *grants, const struct grant *grant, __u64 now)
{
	if (grant->kernel.expires_ns && grant->kernel.expires_ns <= now)
		return true;
	return grant->kernel.uses != PK_GRANT_UNLIMITED && grants_left(grants, grant) <= 0;
}

bool grants_holds(const struct grants *grants, const struct grant *grant, __u32 rule, __u64 image)
{
	return grant->kernel.rule == rule && grant->kernel.image == image &&
	       !grants_is_over(grants, grant, grants_now());
}

json_t *grants_describe(const struct grants *grants, const struct grant *grant)
{
	json_t *doc = json_copy(grant->doc);

	if (doc && grant->kernel.uses != PK_GRANT_UNLIMITED)
		(void)json_object_set_new(doc, "uses", json_integer(grants_left(grants, grant)));
	return doc;
}

/* --- Over restarts -------------------------------------------------------------------------------- */

json_t *grants_encode(const struct grants *grants)
{
	json_t *list = json_array();

	for (const struct grant *one = grants->first; list && one; one = one->next) {
		char hash[REQUEST_HASH_SIZE];

		if (!one->doc)
			continue;
		if (json_array_append_new(list,
					  json_pack("{s:s, s:I, s:I, s:O}", "hash",
						    request_hash(one->key.hash, hash), "slot",
						    (json_int_t)one->key.agent, "id",
						    (json_int_t)one->kernel.id, "doc", one->doc))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* What is handed through hub_grants(). */
struct adoption {
	struct grants *grants;
	const json_t *saved;
	grants_check_fn check;
	void *context;
	struct pk_ask_key *strangers; /* owned: to be taken out afterwards */
	size_t count;
};

static json_t *find_saved(const json_t *saved, const struct pk_ask_key *key, __u32 id)
{
	char hash[REQUEST_HASH_SIZE];

	(void)request_hash(key->hash, hash);
	for (size_t i = 0; i < json_array_size(saved); i++) {
		const json_t *one = json_array_get(saved, i);
		const char *text = json_string_value(json_object_get(one, "hash"));
		json_t *doc = json_object_get(one, "doc");

		if (text && strcmp(text, hash) == 0 && json_is_object(doc) &&
		    json_integer_value(json_object_get(one, "slot")) == (json_int_t)key->agent &&
		    json_integer_value(json_object_get(one, "id")) == (json_int_t)id)
			return doc;
	}
	return NULL;
}

static int remember_stranger(struct adoption *adoption, const struct pk_ask_key *key)
{
	struct pk_ask_key *grown =
		reallocarray(adoption->strangers, adoption->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	adoption->strangers = grown;
	grown[adoption->count++] = *key;
	return 0;
}

static int adopt_one(void *context, const struct pk_ask_key *key, const struct pk_grant *kernel)
{
	struct adoption *adoption = context;
	const struct grant wanted = {
		.key = *key,
		.kernel = *kernel,
		.doc = find_saved(adoption->saved, key, kernel->id),
	};

	if (kernel->id >= adoption->grants->next_id)
		adoption->grants->next_id = kernel->id + 1;
	if (!wanted.doc || !adoption->check(adoption->context, &wanted))
		return remember_stranger(adoption, key);
	return grants_add(adoption->grants, key, kernel, json_incref(wanted.doc)) ? 0 : -ENOMEM;
}

int grants_adopt(struct grants *grants, const json_t *saved, grants_check_fn check, void *context)
{
	struct adoption adoption = { grants, saved, check, context, NULL, 0 };
	int r = hub_grants(grants->hub, adopt_one, &adoption);

	for (size_t i = 0; i < adoption.count; i++)
		(void)hub_grant_delete(grants->hub, &adoption.strangers[i]);
	free(adoption.strangers);
	return r ? r : (int)adoption.count;
}

void grants_reset(struct grants *grants)
{
	while (grants->first) {
		struct grant *next = grants->first->next;

		free_grant(grants->first);
		grants->first = next;
	}
}
