/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options to variables, variables and text to a tested image. Decides what the built-in variables
 * are; what a policy may say is the front end's affair.
 */
#include "policy/policy_args.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "policy/policy_tests.h"
#include "policy/host_facts.h"
#include "sign/required.h"

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

#define ENTRY_SIZE (1U << 16)

/* The passwd entry of @user or, for NULL or a number, of @uid; its strings in *@ret_buffer. */
static int find_user(const char *user, uid_t uid, struct passwd *entry, char **ret_buffer)
{
	struct passwd *found = NULL;
	int r;

	*ret_buffer = malloc(ENTRY_SIZE);
	if (!*ret_buffer)
		return -ENOMEM;
	r = user ? getpwnam_r(user, entry, *ret_buffer, ENTRY_SIZE, &found) : 0;
	if (r == 0 && !found && (!user || parse_uid(user, &uid)))
		r = getpwuid_r(uid, entry, *ret_buffer, ENTRY_SIZE, &found);
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
	r = find_user(user, getuid(), &entry, &buffer);
	/* A container often runs under an id without an entry: then only ${USER} is unknown. */
	if (r < 0 && (user || r != -ENOENT))
		return r;
	if (!home)
		home = entry.pw_dir;
	args->identified = true;
	r = replace(&args->user, entry.pw_name);
	if (r == 0)
		r = replace(&args->home, home);
	if (r == 0)
		r = replace(&args->own_home, entry.pw_dir);
	if (r == 0)
		r = replace(&args->cwd, cwd);
	return r;
}

int policy_args_account(struct policy_args *args, uid_t uid, const char *cwd)
{
	CLEAN_FREE char *buffer = NULL;
	struct passwd entry = { 0 };
	int r = find_user(NULL, uid, &entry, &buffer);

	if (r < 0 && r != -ENOENT)
		return r;
	args->identified = true;
	r = replace(&args->user, entry.pw_name);
	if (r == 0)
		r = replace(&args->home, entry.pw_dir);
	if (r == 0)
		r = replace(&args->own_home, entry.pw_dir);
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
	free(args->own_home);
	*args = (struct policy_args){ 0 };
}

static char *resolve_path(const char *path)
{
	return realpath(path, NULL);
}

/* The variables that are known, and what is the same for all layers. */
struct world {
	struct policy_variable builtins[3];
	struct registries_scope registries;
	struct policy_context context;
};

static void add_builtin(struct world *world, const char *name, const char *value)
{
	if (value)
		world->builtins[world->context.builtin_count++] =
			(struct policy_variable){ name, value };
}

static void make_world(const struct policy_args *args, const struct policy_host *host,
		       struct world *ret_world)
{
	*ret_world = (struct world){
		.context = { .resolve = resolve_path, .host = host, .guarded = args->guarded },
		.registries = { .root = "" },
	};
	ret_world->context.registries = &ret_world->registries;
	ret_world->context.builtins = ret_world->builtins;
	add_builtin(ret_world, "USER", args->user);
}

/* Load @args->path with the variables that are known. */
static int load(const struct policy_args *args, const struct policy_host *host,
		struct policy **ret_policy, struct diag_list *diags)
{
	struct world world;

	make_world(args, host, &world);
	world.context.overrides = args->overrides;
	world.context.tests = args->tests;
	world.context.override_count = args->override_count;
	world.registries.home = args->home;
	world.registries.environment = true;
	add_builtin(&world, "HOME", args->home);
	add_builtin(&world, "CWD", args->cwd);
	return policy_load_file(args->path, &world.context, ret_policy, diags);
}

/*
 * Nothing of what a caller chooses reaches the layers above: neither --set, nor the working directory, nor
 * HOME of the environment. A folder that was asked for is somebody's draft.
 */
static int load_managed(const struct policy_args *args, const struct policy_host *host,
			struct managed *ret_managed, struct diag_list *diags)
{
	struct world world;

	if (args->no_managed)
		return 0;
	make_world(args, host, &world);
	world.context.guarded = !args->managed_draft;
	world.registries.home = args->own_home ? args->own_home : args->home;
	add_builtin(&world, "HOME", world.registries.home);
	return managed_load(args->managed ? args->managed : MANAGED_FOLDER, &world.context,
			    ret_managed, diags);
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
	int r = args->identified ? 0 : policy_args_identity(args, NULL);

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

/* The layers of agents around, from the outermost: @args->around is the innermost. */
static int load_around(const struct policy_args *args, const struct policy_host *host,
		       struct cli_policy *policy, struct diag_list *diags)
{
	const struct policy_args *chain[PK_LAYERS_MAX];
	size_t count = 0;
	int r = 0;

	for (const struct policy_args *at = args->around; at; at = at->around) {
		if (policy->managed.count + count + 1 == PK_LAYERS_MAX) {
			(void)diag_add(
				diags, DIAG_ERROR, NULL,
				"the policy would be one of more than %d layers: managed ones, "
				"those of the agents around it, and its own",
				PK_LAYERS_MAX);
			return -EINVAL;
		}
		chain[count++] = at;
	}
	while (count-- > 0 && r == 0) {
		r = load(chain[count], host, &policy->around[policy->around_count], diags);
		if (r == 0)
			policy->around_count++;
	}
	return r;
}

/* A layer of an agent around that enforces, or NULL. */
static const struct policy *enforcing_around(const struct policy_args *args,
					     const struct cli_policy *policy)
{
	size_t at = policy->around_count;

	for (const struct policy_args *around = args->around; around; around = around->around) {
		if (!around->audit && !policy->around[--at]->audit)
			return policy->around[at];
	}
	return NULL;
}

/* In mode audit all layers report only: it is for those above to allow it. */
static int check_audit(const struct policy_args *args, const struct cli_policy *policy,
		       struct diag_list *diags)
{
	const struct policy *above = managed_enforcing(&policy->managed);

	if (!above)
		above = enforcing_around(args, policy);
	if (!above || !(args->audit || policy->policy->audit))
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR, NULL,
			   "%s would block nothing, and the layer '%s' above it enforces",
			   args->audit ? "--audit" : "a policy with 'mode: audit'",
			   above->files[0]),
		  "a layer that lets policies be tried out has 'mode: audit' too");
	return -EINVAL;
}

/* Only those who look after the machine can ask for signatures. */
static int check_signers(const struct policy *policy, struct diag_list *diags)
{
	if (!policy->signers.present)
		return 0;
	diag_hint(diag_add(diags, DIAG_ERROR, &policy->signers.pos,
			   "only a managed layer may have 'require_signature'"),
		  "to look at a layer: picket check --managed FOLDER POLICY");
	return -EINVAL;
}

/* The policy and those around it, by the signatures that the layers above ask for. */
static int check_signatures(const struct policy_args *args, const struct cli_policy *policy,
			    enum serials_use use, struct diag_list *diags)
{
	const struct required_options options = {
		.guarded = !args->managed_draft,
		.use = use,
		.serials = args->serials,
	};
	size_t at = policy->around_count;
	int r = check_signers(policy->policy, diags);

	if (r == 0)
		r = required_check(&policy->managed, policy->policy, args->path, &options, diags);
	for (const struct policy_args *around = args->around; around && r == 0;
	     around = around->around)
		r = required_check(&policy->managed, policy->around[--at], around->path, &options,
				   diags);
	return r;
}

/* All layers, the policy's own last. Returns how many. */
static size_t layers_of(const struct cli_policy *policy,
			const struct policy *ret_layers[PK_LAYERS_MAX])
{
	size_t count = managed_above(&policy->managed, policy->policy, ret_layers) - 1;

	for (size_t i = 0; i < policy->around_count; i++)
		ret_layers[count++] = policy->around[i];
	ret_layers[count++] = policy->policy;
	return count;
}

static int list_files(struct cli_policy *policy)
{
	const struct policy *layers[PK_LAYERS_MAX];
	size_t count = layers_of(policy, layers);
	size_t files = 0;

	for (size_t i = 0; i < count; i++)
		files += layers[i]->file_count;
	policy->files = reallocarray(NULL, files + 1, sizeof(*policy->files));
	if (!policy->files)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		memcpy(policy->files + policy->file_count, layers[i]->files,
		       layers[i]->file_count * sizeof(*policy->files));
		policy->file_count += layers[i]->file_count;
	}
	return 0;
}

/* Run the tests of one layer of several by an image of it alone. */
static int test_alone(const struct policy *layer, const struct compile_options *options,
		      size_t *ret_passed, struct diag_list *diags)
{
	/* What there is to say about the layer has been said when all were compiled. */
	CLEAN(diag_list_reset) struct diag_list said = { 0 };
	CLEAN(image_reset) struct policy_image image = { 0 };
	int r;

	if (!layer->test_count)
		return 0;
	r = policy_compile(&layer, 1, options, &image, &said);
	return r < 0 ? r : policy_tests_run(layer, &image, ret_passed, diags);
}

static int run_tests(struct cli_policy *policy, const struct compile_options *options,
		     struct diag_list *diags)
{
	const struct managed *managed = &policy->managed;
	size_t passed;
	int r = 0;

	if (!managed->count && !policy->around_count)
		return policy_tests_run(policy->policy, &policy->image, &policy->tests_passed,
					diags);
	for (size_t i = 0; i < managed->count && r == 0; i++)
		r = test_alone(managed->layers[i], options, &passed, diags);
	return r < 0 ? r : test_alone(policy->policy, options, &policy->tests_passed, diags);
}

static int compile(const struct policy_args *args, const struct policy_host *host,
		   struct cli_policy *policy, struct diag_list *diags)
{
	const struct compile_options options = {
		.audit = args->audit || policy->policy->audit,
		.host = host,
	};
	const struct policy *layers[PK_LAYERS_MAX];
	size_t count = layers_of(policy, layers);
	int r = policy_compile(layers, count, &options, &policy->image, diags);

	if (r == 0)
		r = validate(args, &policy->image, diags);
	return r < 0 || args->untested ? r : run_tests(policy, &options, diags);
}

int policy_args_compile(struct policy_args *args, struct cli_policy *ret_policy,
			struct diag_list *diags)
{
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	CLEAN(cli_policy_reset) struct cli_policy policy = { 0 };
	int r = find_facts(args, &host, diags);

	if (r == 0)
		r = load(args, &host, &policy.policy, diags);
	if (r == 0)
		r = load_managed(args, &host, &policy.managed, diags);
	if (r == 0)
		r = load_around(args, &host, &policy, diags);
	if (r == 0)
		r = check_audit(args, &policy, diags);
	if (r == 0)
		r = check_signatures(args, &policy, SERIALS_LOOK, diags);
	if (r == 0)
		r = list_files(&policy);
	if (r == 0)
		r = compile(args, &host, &policy, diags);
	/* A policy that fails its tests has not been accepted. */
	if (r == 0 && args->accept)
		r = check_signatures(args, &policy, SERIALS_ACCEPT, diags);
	if (r < 0)
		return r;
	*ret_policy = policy;
	policy = (struct cli_policy){ 0 };
	return 0;
}

int policy_args_load(struct policy_args *args, struct policy **ret_policy, struct diag_list *diags)
{
	CLEAN(host_facts_reset) struct policy_host host = { 0 };
	int r = find_facts(args, &host, diags);
	struct policy_args plain = *args;

	plain.overrides = NULL;
	plain.override_count = 0;
	return r < 0 ? r : load(&plain, &host, ret_policy, diags);
}

void cli_policy_reset(struct cli_policy *policy)
{
	free(policy->files);
	managed_reset(&policy->managed);
	for (size_t i = 0; i < policy->around_count; i++)
		policy_free(&policy->around[i]);
	policy_free(&policy->policy);
	image_reset(&policy->image);
	*policy = (struct cli_policy){ 0 };
}

void cli_policy_digest(const struct policy_image *image, char ret_text[static 65])
{
	const __u8 *digest = image_head(image)->digest;

	for (size_t i = 0; i < 32; i++)
		(void)snprintf(ret_text + i * 2, 3, "%02x", digest[i]);
}
