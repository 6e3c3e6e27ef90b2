/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names and numbers of users and groups: reading them, and asking the system who they are. Whatever
 * the system cannot answer (no such name, a name service that is away) is a no.
 */
#include "policy/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/schema.h"

/** The longest name that a user or group may have (LOGIN_NAME_MAX without the NUL). */
#define PRINCIPAL_MAX 255
/** Largest id that means somebody; the one above it means "unchanged" to the kernel. */
#define ID_MAX 4294967294UL

/** A list of the key while it is read. */
struct list {
	struct policy_principal **items;
	size_t *count;
	const char *what; /* "a user" */
};

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Names as useradd takes them, and those of directories: "ada", "svc$", "DOMAIN\user" is not one. */
static bool is_principal(const struct node *text)
{
	static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789._-@$";

	return text->length > 0 && text->length <= PRINCIPAL_MAX && !strchr("-@$", *text->text) &&
	       strspn(text->text, bytes) == text->length;
}

/* The id that @text is, or reported. */
static bool read_id(struct front *front, const struct node *text, const char *what, __u32 *ret_id)
{
	unsigned long id;

	errno = 0;
	id = strtoul(text->text, NULL, 10);
	if (!errno && id <= ID_MAX && (*text->text != '0' || text->length == 1)) {
		*ret_id = (__u32)id;
		return true;
	}
	diag_hint(node_error(text, front->diags, "'%s' is not the number of %s", text->text, what),
		  "a number is 0 to %lu, without zeros in front", ID_MAX);
	return false;
}

static bool is_listed(const struct list *list, const char *name)
{
	for (size_t i = 0; i < *list->count; i++) {
		if (strcmp((*list->items)[i].name, name) == 0)
			return true;
	}
	return false;
}

static int add_principal(struct front *front, const struct node *text, void *into)
{
	const struct list *list = into;
	struct policy_principal added = { .pos = node_pos(text) };
	int r;

	if (!front_line(front, text, "a name"))
		return 0;
	if (!is_principal(text)) {
		diag_hint(node_error(text, front->diags, "'%s' is not the name of %s", text->text,
				     list->what),
			  "write a name or a number; there are no patterns here");
		return 0;
	}
	if (is_listed(list, text->text)) {
		(void)node_error(text, front->diags, "'%s' is named twice", text->text);
		return 0;
	}
	added.numeric = is_number(text->text);
	if (added.numeric && !read_id(front, text, list->what, &added.id))
		return 0;
	added.name = strdup(text->text);
	if (!added.name)
		return -ENOMEM;
	r = front_append(list->items, list->count, &added, sizeof(added));
	if (r < 0)
		free(added.name);
	return r;
}

static int read_list(struct front *front, const struct node *value, struct list *list)
{
	if (value->kind == NODE_LIST && value->count == 0)
		diag_hint(node_error(value, front->diags, "the list is empty"),
			  "leave the key away: who is not named may not use the policy");
	return front_each_text(front, value, "a name or a number", add_principal, list);
}

static int read_users(struct front *front, const struct node *value, void *unused)
{
	struct policy_access *access = &front->policy->access;
	struct list list = { &access->users, &access->user_count, "a user" };

	(void)unused;
	return read_list(front, value, &list);
}

static int read_groups(struct front *front, const struct node *value, void *unused)
{
	struct policy_access *access = &front->policy->access;
	struct list list = { &access->groups, &access->group_count, "a group" };

	(void)unused;
	return read_list(front, value, &list);
}

static const struct schema_key access_keys[] = {
	{ .name = "users",
	  .expected = "the name or number of a user, or a list of them",
	  .read = read_users,
	  .shapes = SHAPE_TEXT | SHAPE_LIST },
	{ .name = "groups",
	  .expected = "the name or number of a group, or a list of them",
	  .read = read_groups,
	  .shapes = SHAPE_TEXT | SHAPE_LIST },
};

const struct schema access_schema = SCHEMA("'usable_by'", access_keys);

int access_read(struct front *front, const struct node *map, void *unused)
{
	(void)unused;
	front->policy->access.present = true;
	front->policy->access.pos = node_pos(map);
	if (map->count == 0)
		diag_hint(node_error(map, front->diags, "'usable_by' names nobody"),
			  "add 'users' or 'groups', or leave the key away");
	return schema_read_map(front, &access_schema, map, NULL);
}

/* Room for an entry of the user or group database; groups with many members need much. */
static int grow(char **buffer, size_t *size)
{
	const size_t most = 16U << 20;
	char *grown;

	if (*size >= most)
		return -E2BIG;
	*size = *size ? *size * 4 : 1U << 12;
	grown = realloc(*buffer, *size);
	if (!grown)
		return -ENOMEM;
	*buffer = grown;
	return 0;
}

/* True with the id of the user @name. */
static bool find_user(const char *name, __u32 *ret_id)
{
	CLEAN_FREE char *buffer = NULL;
	struct passwd entry;
	struct passwd *found = NULL;
	size_t size = 0;
	int r = ERANGE;

	while (r == ERANGE && grow(&buffer, &size) == 0)
		r = getpwnam_r(name, &entry, buffer, size, &found);
	if (r || !found)
		return false;
	*ret_id = found->pw_uid;
	return true;
}

/* True with the id of the group @name. */
static bool find_group(const char *name, __u32 *ret_id)
{
	CLEAN_FREE char *buffer = NULL;
	struct group entry;
	struct group *found = NULL;
	size_t size = 0;
	int r = ERANGE;

	while (r == ERANGE && grow(&buffer, &size) == 0)
		r = getgrnam_r(name, &entry, buffer, size, &found);
	if (r || !found)
		return false;
	*ret_id = found->gr_gid;
	return true;
}

/* True with the id that @principal means now. */
static bool id_of(const struct policy_principal *principal,
		  bool (*find)(const char *name, __u32 *ret_id), __u32 *ret_id)
{
	if (!principal->numeric)
		return find(principal->name, ret_id);
	*ret_id = principal->id;
	return true;
}

bool policy_access_allows(const struct policy *policy, uid_t uid, const gid_t *gids, size_t count)
{
	const struct policy_access *access = &policy->access;
	__u32 id;

	for (size_t i = 0; i < access->user_count; i++) {
		if (id_of(&access->users[i], find_user, &id) && id == uid)
			return true;
	}
	for (size_t i = 0; i < access->group_count; i++) {
		if (!id_of(&access->groups[i], find_group, &id))
			continue;
		for (size_t j = 0; j < count; j++) {
			if (gids[j] == id)
				return true;
		}
	}
	return false;
}

static void check_list(const struct policy_principal *items, size_t count, const char *what,
		       bool (*find)(const char *name, __u32 *ret_id), struct diag_list *diags)
{
	__u32 id;

	for (size_t i = 0; i < count; i++) {
		if (!id_of(&items[i], find, &id))
			diag_hint(diag_add(diags, DIAG_WARNING, &items[i].pos,
					   "this system has no %s '%s'", what, items[i].name),
				  "while it has none, this name allows nobody");
	}
}

void policy_access_check(const struct policy *policy, struct diag_list *diags)
{
	const struct policy_access *access = &policy->access;

	check_list(access->users, access->user_count, "user", find_user, diags);
	check_list(access->groups, access->group_count, "group", find_group, diags);
}

static void write_list(const char *what, const struct policy_principal *items, size_t count,
		       FILE *to)
{
	for (size_t i = 0; i < count; i++)
		(void)fprintf(to, "%s%s", i ? ", " : what, items[i].name);
}

void policy_access_write(const struct policy *policy, FILE *to)
{
	const struct policy_access *access = &policy->access;

	write_list("users ", access->users, access->user_count, to);
	if (access->user_count && access->group_count)
		(void)fputs("; ", to);
	write_list("groups ", access->groups, access->group_count, to);
}

void policy_access_reset(struct policy_access *access)
{
	for (size_t i = 0; i < access->user_count; i++)
		free(access->users[i].name);
	for (size_t i = 0; i < access->group_count; i++)
		free(access->groups[i].name);
	free(access->users);
	free(access->groups);
	*access = (struct policy_access){ 0 };
}
