/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which keys are asked for, and the one verdict on a policy's signature. Whatever is in doubt (a key that
 * cannot be read, a record that is lost) is a no.
 */
#include "sign/required.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/guarded.h"

/** The public keys of a layer. */
struct keys {
	struct sign_key *items; /* owned */
	size_t count;
};

static void keys_reset(struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		sign_key_reset(&keys->items[i]);
	free(keys->items);
	*keys = (struct keys){ 0 };
}

static int add_key(struct front *front, const struct node *text, void *into)
{
	struct policy_signers *signers = into;
	CLEAN_FREE char *path = NULL;
	int r;

	if (*text->text != '/' || !front_line(front, text, "the path of a key")) {
		diag_hint(node_error(text, front->diags, "'%s' is not the path of a public key",
				     text->text),
			  "write an absolute path: /etc/picket/keys/NAME.pub");
		return 0;
	}
	for (size_t i = 0; i < signers->count; i++) {
		if (strcmp(signers->paths[i], text->text) == 0) {
			(void)node_error(text, front->diags, "'%s' is named twice", text->text);
			return 0;
		}
	}
	path = strdup(text->text);
	if (!path)
		return -ENOMEM;
	r = FRONT_APPEND(&signers->paths, &signers->count, &path);
	if (r == 0)
		TAKE_PTR(path);
	return r;
}

int required_read(struct front *front, const struct node *value, void *unused)
{
	struct policy_signers *signers = &front->policy->signers;

	(void)unused;
	signers->present = true;
	signers->pos = node_pos(value);
	if (value->kind == NODE_LIST && value->count == 0)
		diag_hint(node_error(value, front->diags, "the list is empty"),
			  "leave the key away: without it policies need no signature");
	return front_each_text(front, value, "the path of a public key", add_key, signers);
}

void policy_signers_reset(struct policy_signers *signers)
{
	for (size_t i = 0; i < signers->count; i++)
		free(signers->paths[i]);
	free(signers->paths);
	*signers = (struct policy_signers){ 0 };
}

static int read_key(const struct policy_signers *signers, size_t index, bool guarded,
		    struct keys *keys, struct diag_list *diags)
{
	CLEAN(guarded_fault_reset) struct guarded_fault fault = { 0 };
	const char *path = signers->paths[index];
	CLEAN_FREE char *why = NULL;
	struct diag *diag;

	if (guarded && guarded_check(path, GUARDED_FILE, 0, &fault) < 0) {
		diag = diag_add(diags, DIAG_ERROR, &signers->pos,
				"cannot read the key '%s' of 'require_signature': %s", path,
				fault.why ? fault.why : strerror(ENOMEM));
		if (fault.remedy)
			diag_hint(diag, "%s", fault.remedy);
		return -EPERM;
	}
	if (sign_key_read_public(path, &keys->items[keys->count], &why) < 0) {
		(void)diag_add(diags, DIAG_ERROR, &signers->pos, "'require_signature': %s",
			       why ? why : strerror(ENOMEM));
		return -EPERM;
	}
	keys->count++;
	return 0;
}

/* Of a list with a key that cannot be read, none is good: somebody meant something by it. */
static int read_keys(const struct policy_signers *signers, bool guarded, struct keys *ret_keys,
		     struct diag_list *diags)
{
	int r = 0;

	ret_keys->items = calloc(signers->count + 1, sizeof(*ret_keys->items));
	if (!ret_keys->items)
		return -ENOMEM;
	for (size_t i = 0; i < signers->count && r == 0; i++)
		r = read_key(signers, i, guarded, ret_keys, diags);
	return r;
}

static int refuse(const struct policy *layer, const char *path, const char *why, const char *hint,
		  struct diag_list *diags)
{
	const struct diag_pos pos = { .file = path };
	struct diag *diag = diag_add(diags, DIAG_ERROR, &pos, "'%s' takes signed policies only: %s",
				     layer->files[0], why ? why : strerror(ENOMEM));

	if (hint)
		diag_hint(diag, "%s", hint);
	return -EPERM;
}

/* NOLINTNEXTLINE(readability-function-size): a policy is what was read and where it was */
static int verify(const struct policy *layer, const struct policy *policy, const char *path,
		  const struct manifest *manifest, bool guarded, struct diag_list *diags)
{
	CLEAN(keys_reset) struct keys keys = { 0 };
	CLEAN_FREE char *why = NULL;
	int r = read_keys(&layer->signers, guarded, &keys, diags);

	if (r < 0)
		return r;
	r = manifest_verify(manifest, policy, keys.items, keys.count, &why);
	return r < 0 ? refuse(layer, path, why, NULL, diags) : 0;
}

static int check_serial(const struct policy *layer, const char *path,
			const struct manifest *manifest, const struct required_options *options,
			struct diag_list *diags)
{
	const struct diag_pos pos = { .file = path };
	CLEAN_FREE char *why = NULL;
	const char *hint = NULL;
	int r = serials_check(options->serials ? options->serials : SERIALS_FILE,
			      options->serials ? geteuid() : 0, options->use, manifest, &why,
			      &hint);

	if (r == 0)
		return 0;
	if (r != -EACCES || options->use != SERIALS_LOOK)
		return refuse(layer, path, why, hint, diags);
	(void)diag_add(diags, DIAG_WARNING, &pos,
		       "only root can tell whether its serial %llu is the newest",
		       (unsigned long long)manifest->serial);
	return 0;
}

int required_check(const struct managed *managed, const struct policy *policy, const char *path,
		   const struct required_options *options, struct diag_list *diags)
{
	CLEAN(manifest_reset) struct manifest manifest = { 0 };
	const struct policy *first = NULL;
	CLEAN_FREE char *signature = NULL;
	CLEAN_FREE char *why = NULL;
	int r = 0;

	for (size_t i = 0; i < managed->count && !first; i++)
		first = managed->layers[i]->signers.present ? managed->layers[i] : NULL;
	if (!first)
		return 0;
	if (asprintf(&signature, "%s.sig", path) < 0) {
		signature = NULL;
		return -ENOMEM;
	}
	if (manifest_read(signature, &manifest, &why) < 0)
		return refuse(first, path, why, "sign it: picket sign --key KEY POLICY", diags);
	for (size_t i = 0; i < managed->count && r == 0; i++) {
		if (managed->layers[i]->signers.present)
			r = verify(managed->layers[i], policy, path, &manifest, options->guarded,
				   diags);
	}
	return r < 0 ? r : check_serial(first, path, &manifest, options, diags);
}
