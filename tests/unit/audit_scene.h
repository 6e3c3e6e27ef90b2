/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trail in a folder of its own, for tests of what writes and of what verifies it.
 */
#ifndef PICKET_TESTS_AUDIT_SCENE_H
#define PICKET_TESTS_AUDIT_SCENE_H

#include "audit/trail.h"
#include "audit/verify.h"

/** Most faults that are remembered. */
#define SCENE_FAULTS_MAX 16

/** A fault that was told. */
struct scene_fault {
	char file[AUDIT_NAME_SIZE]; /* without the folder; "" for the folder */
	size_t line;
	__u64 seq;
	char what[256];
};

/** All of it. */
struct audit_scene {
	char lib[48];
	char folder[64];
	struct trail trail;
	struct sign_key keys[2]; /* that verify */
	size_t key_count;
	struct anchors anchors; /* of the checkpoints that were made */
	struct verify_summary summary;
	struct scene_fault faults[SCENE_FAULTS_MAX];
	size_t fault_count;
	char said[512]; /* the last line for the log */
};

/** Make the folder. 0 or -1. */
int scene_open(struct audit_scene *scene);
/** Remove it with all that is in it. */
void scene_close(struct audit_scene *scene);
/** Give it a key, by which it is signed and verified from now on. */
void scene_key(struct audit_scene *scene);
/** Write a record with a text of @size bytes. */
int scene_write(struct audit_scene *scene, const char *what, size_t size, enum trail_when when);
/** Verify it (@anchored: with the anchors); returns how many faults, or -errno. */
int scene_verify(struct audit_scene *scene, bool anchored);
/** Path of a file in the folder. */
void scene_path(const struct audit_scene *scene, const char *name, char ret_path[96]);

#endif
