/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scene of the tests of the audit trail; what is right there, the tests say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "audit_scene.h"
#include "base/mem.h"

static void keep_head(void *context, const struct audit_head *head, const char *signature)
{
	struct audit_scene *scene = context;
	struct anchors *anchors = &scene->anchors;

	assert_int_equal(signature != NULL, scene->trail.key.pair != NULL);
	anchors->items = reallocarray(anchors->items, anchors->count + 1, sizeof(*anchors->items));
	assert_non_null(anchors->items);
	anchors->items[anchors->count++] = *head;
}

static void keep_words(void *context, const char *text)
{
	struct audit_scene *scene = context;

	(void)snprintf(scene->said, sizeof(scene->said), "%s", text);
}

int scene_open(struct audit_scene *scene)
{
	*scene = (struct audit_scene){ .trail = TRAIL_NONE };
	strcpy(scene->lib, "/dev/shm/picket-audit-XXXXXX");
	if (!mkdtemp(scene->lib))
		return -1;
	(void)snprintf(scene->folder, sizeof(scene->folder), "%s/" AUDIT_FOLDER, scene->lib);
	scene->trail.lib = scene->lib;
	scene->trail.headed = keep_head;
	scene->trail.say = keep_words;
	scene->trail.context = scene;
	return 0;
}

void scene_close(struct audit_scene *scene)
{
	char command[96];

	trail_close(&scene->trail);
	for (size_t i = 0; i < scene->key_count; i++)
		sign_key_reset(&scene->keys[i]);
	anchors_reset(&scene->anchors);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", scene->lib);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a path of ours */
}

void scene_key(struct audit_scene *scene)
{
	struct sign_key *key = &scene->keys[scene->key_count++];
	char path[96];
	char *why = NULL;

	(void)snprintf(path, sizeof(path), "%s/key-%zu", scene->lib, scene->key_count);
	assert_int_equal(sign_key_make(key), 0);
	assert_int_equal(sign_key_write(key, path, &why), 0);
	sign_key_reset(&scene->trail.key);
	assert_int_equal(sign_key_read_private(path, &scene->trail.key, &why), 0);
}

int scene_write(struct audit_scene *scene, const char *what, size_t size, enum trail_when when)
{
	CLEAN_FREE char *text = calloc(1, size + 1);
	json_t *details;
	int r;

	assert_non_null(text);
	memset(text, 'x', size);
	details = json_pack("{s:s}", "text", text);
	r = trail_write(&scene->trail, what, details, when);
	json_decref(details);
	return r;
}

static void take_fault(void *context, const struct verify_fault *fault)
{
	struct audit_scene *scene = context;
	struct scene_fault *kept = &scene->faults[scene->fault_count];
	const char *slash = strrchr(fault->file, '/');

	assert_non_null(fault->remedy);
	if (scene->fault_count == SCENE_FAULTS_MAX)
		return;
	scene->fault_count++;
	*kept = (struct scene_fault){ .line = fault->line, .seq = fault->seq };
	if (strcmp(fault->file, scene->folder) != 0)
		(void)snprintf(kept->file, sizeof(kept->file), "%s", slash + 1);
	(void)snprintf(kept->what, sizeof(kept->what), "%s", fault->what);
}

int scene_verify(struct audit_scene *scene, bool anchored)
{
	const struct verify_options options = {
		.keys = scene->keys,
		.key_count = scene->key_count,
		.anchors = anchored ? &scene->anchors : NULL,
		.fault = take_fault,
		.context = scene,
	};
	int r;

	scene->fault_count = 0;
	anchors_sort(&scene->anchors);
	r = verify_trail(scene->folder, &options, &scene->summary);
	return r ? r : (int)scene->summary.faults;
}

void scene_path(const struct audit_scene *scene, const char *name, char ret_path[96])
{
	(void)snprintf(ret_path, 96, "%s/%s", scene->folder, name);
}
