/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options to variables, variables and text to a tested image. Decides what the built-in variables
 * are; what a policy may say is the front end's affair.
 */
#include "cli/policy_args.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/policy_tests.h"
#include "engine/host_facts.h"

/* True for NAME of `${NAME}`: letters, digits and '_', not a digit first. */
static bool is_name(const char *text, size_t length)
{
	if (length == 0 || isdigit((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && text[i] != '_')
			return false;
	}
	return true;
}

int policy_args_set(struct policy_args *args, const char *assignment)
{
	const char *equals = strchr(assignment, '=');
	CLEAN_FREE char *name = NULL;
	CLEAN_FREE char *value = NULL;
	struct policy_variable *grown;

	if (!equals || !is_name(assignment, (size_t)(equals - assignment)))
		return -EINVAL;
	name = strndup(assignment, (size_t)(equals - assignment));
	value = strdup(equals + 1);
	grown = reallocarray(args->overrides, args->override_count + 1, sizeof(*grown));
	if (grown)
		args->overrides = grown;
	if (!name || !value || !grown)
		return -ENOMEM;
	grown[args->override_count++] = (struct policy_variable){
		.name = TAKE_PTR(name),
		.value = TAKE_PTR(value),
	};
	return 0;
}

/* The whole of @text as a user id. */
static bool parse_uid(const char *text, uid_t *ret_uid)
{
	char *end = NULL;
	unsigned long number;

	if (!isdigit((unsigned char)text[0]))
		return false;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno || *end || number >= (uid_t)-1)
		return false;
	*ret_uid = (uid_t)number;
	return true;
}

/* The passwd entry of @user (NULL: who runs us), its strings in *@ret_buffer. */
static int find_user(const char *user, struct passwd *entry, char **ret_buffer)
{
	const size_t size = 1U << 16;
	struct passwd *found = NULL;
	uid_t uid = getuid();
	int r;

	*ret_buffer = malloc(size);
	if (!*ret_buffer)
		return -ENOMEM;
	r = user ? getpwnam_r(user, entry, *ret_buffer, size, &found) : 0;
	if (r == 0 && !found && (!user || parse_uid(user, &uid)))
		r = getpwuid_r(uid, entry, *ret_buffer, size, &found);
	if (found)
		return 0;
	/* Which of these a missing entry gives depends on the name service. */
	return r == 0 || r == ENOENT || r == ESRCH || r == EBADF || r == EPERM ? -ENOENT : -r;
}

/* Replace the owned string *@target by a copy of @value (NULL: none). */
static int replace(char **target, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		return -ENOMEM;
	free(*target);
	*target = copy;
	return 0;
}

int policy_args_identity(struct policy_args *args, const char *user)
{
	CLEAN_FREE char *buffer = NULL;
	CLEAN_FREE char *cwd = getcwd(NULL, 0);
	const char *environment = user ? NULL : getenv("HOME");
	const char *home = environment && environment[0] == '/' ? environment : NULL;
	struct passwd entry = { 0 };
	int r;

	/* A removed working directory leaves ${CWD} unknown; a policy that needs it says where. */
	if (!cwd && errno != ENOENT)
		return -errno;
	r = find_user(user, &entry, &buffer);
	/* A container often runs under an id without an entry: then only ${USER} is unknown. */
	if (r < 0 && (user || r != -ENOENT))
		return r;
	if (!home)
		home = entry.pw_dir;
	r = replace(&args->user, entry.pw_name);
	if (r == 0)
		r = replace(&args->home, home);
	if (r == 0)
		r = replace(&args->cwd, cwd);
	return r;
}

void policy_args_reset(struct policy_args *args)
{
	for (size_t i = 0; i < args->override_count; i++) {
		free((char *)args->overrides[i].name);
		free((char *)args->overrides[i].value);
	}
	free(args->overrides);
	free(args->user);
	free(args->home);
	free(args->cwd);
	*args = (struct policy_args){ 0 };
}

static char *resolve_path(const char *path)
{
	return realpath(path, NULL);
}

/* Load @args->path with the variables that are known. */
static int load(const struct policy_args *args, const struct policy_host *host,
		struct policy **ret_policy, struct diag_list *diags)
{
	struct policy_variable builtins[3];
	struct policy_context context = {
		.builtins = builtins,
		.overrides = args->overrides,
		.override_count = args->override_count,
		.resolve = resolve_path,
		.host = host,
	};

	if (args->home)
		builtins[context.builtin_count++] = (struct policy_variable){ "HOME", args->home };
	if (args->user)
		builtins[context.builtin_count++] = (struct policy_variable){ "USER", args->user };
	if (args->cwd)
		builtins[context.builtin_count++] = (struct policy_variable){ "CWD", args->cwd };
	return policy_load_file(args->path, &context, ret_policy, diags);
}

/* An image that our own validation refuses must not reach the kernel. */
static int validate(const struct policy_args *args, const struct policy_image *image,
		    struct diag_list *diags)
{
	const struct diag_pos whole = { .file = args->path };
	const char *why = NULL;
	int r = image_validate(image->bytes, image->size, &why);

	if (r < 0)
		(void)diag_add(diags, DIAG_ERROR, &whole, "the compiled image is not valid: %s",
			       why ? why : "unknown reason");
	return r;
}

/* What the policy depends on of who asks and of the machine. */
static int find_facts(struct policy_args *args, struct policy_host *ret_host,
		      struct diag_list *diags)
{
	int r = args->cwd ? 0 : policy_args_identity(args, NULL);

	if (r < 0) {
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "cannot tell user and working directory: %s", strerror(-r));
		return r;
	}
	r = host_facts_read(HOST_FACTS_RESOLV_CONF, ret_host);
	if (r < 0)
		(void)diag_add(diags, DIAG_ERROR, NULL,
			       "cannot tell this machine's addresses and resolvers: %s",
			       strerror(-r));
	return r;
}

int policy_args_compile(struct policy_args *args, struct cli_policy *ret_policy,
			struct diag_list *diags)
{
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	const struct compile_options options = { .audit = args->audit, .host = &host };
	const struct policy *layers[1];
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	int r = find_facts(args, &host, diags);

	if (r == 0)
		r = load(args, &host, &policy.policy, diags);
	if (r < 0)
		return r;
	layers[0] = policy.policy;
	r = policy_compile(layers, 1, &options, &policy.image, diags);
	if (r == 0)
		r = validate(args, &policy.image, diags);
	if (r == 0)
		r = policy_tests_run(policy.policy, &policy.image, &policy.tests_passed, diags);
	if (r < 0)
		return r;
	*ret_policy = policy;
	policy = (struct cli_policy){ 0 };
	return 0;
}

void cli_policy_reset(struct cli_policy *policy)
{
	policy_free(&policy->policy);
	image_reset(&policy->image);
	policy->tests_passed = 0;
}

void cli_policy_digest(const struct policy_image *image, char ret_text[static 65])
{
	const __u8 *digest = image_head(image)->digest;

	for (size_t i = 0; i < 32; i++)
		(void)snprintf(ret_text + i * 2, 3, "%02x", digest[i]);
}
