/* kind_volume.c - volumes of a pod (core/v1 Volume; manifests.md 5.3). */
#include "manifest/kind.h"

#include <string.h>

static const struct field item_fields[] = {
	FIELD_AT(FIELD_STR, "key", key_to_path, key, FIELD_REQ,
		 .check = check_config_key, .doc = "Key of the source."),
	FIELD_AT(FIELD_MODE, "mode", key_to_path, mode,
		 .doc = "Unset: defaultMode."),
	FIELD_AT(FIELD_STR, "path", key_to_path, path, FIELD_REQ,
		 .check = check_relative, .doc = "File in the volume."),
};
static const struct table item_table = {
	.name = "KeyToPath",
	.fields = item_fields,
	.n = FIELD_COUNT(item_fields),
	.size = sizeof(struct key_to_path),
};

#define VOLUME_MODE                                                            \
	FIELD_AT(FIELD_MODE, "defaultMode", volume, default_mode,              \
		 .fallback = "420", .doc = "Mode of the files; 420 is 0644.")
#define VOLUME_ITEMS                                                           \
	FIELD_LIST_AT(FIELD_OBJS, "items", volume, items, n_items,             \
		      .table = &item_table, .doc = "Unset: every key.")
#define VOLUME_OPTIONAL                                                        \
	FIELD_AT(FIELD_BOOL, "optional", volume, optional,                     \
		 .fallback = "false", .doc = "The source may be missing.")
#define VOLUME_REF(name_)                                                      \
	FIELD_AT(FIELD_STR, name_, volume, ref_name, FIELD_REQ,                \
		 .check = check_dns_subdomain, .doc = "Name of the source.")

static const struct field configmap_fields[] = {
	VOLUME_MODE,
	VOLUME_ITEMS,
	VOLUME_REF("name"),
	VOLUME_OPTIONAL,
};
static const struct table configmap_table = {
	.name = "configMap volume",
	.fields = configmap_fields,
	.n = FIELD_COUNT(configmap_fields),
};

static const struct field secret_fields[] = {
	VOLUME_MODE,
	VOLUME_ITEMS,
	VOLUME_OPTIONAL,
	VOLUME_REF("secretName"),
};
static const struct table secret_table = {
	.name = "secret volume",
	.fields = secret_fields,
	.n = FIELD_COUNT(secret_fields),
};

static const struct field emptydir_fields[] = {
	FIELD_AT(FIELD_STR, "medium", volume, medium, .fallback = "",
		 .values = FIELD_VALUES("", "Memory"),
		 .later = FIELD_VALUES("HugePages", "HugePages-2Mi",
				       "HugePages-1Gi"),
		 .since = "1.2", .hint = "use Memory or leave it out",
		 .doc = "Memory: a tmpfs."),
	FIELD_AT(FIELD_BYTES, "sizeLimit", volume, size_limit,
		 .doc = "Upper bound."),
};
static const struct table emptydir_table = {
	.name = "emptyDir volume",
	.fields = emptydir_fields,
	.n = FIELD_COUNT(emptydir_fields),
};

static const struct field hostpath_fields[] = {
	FIELD_AT(FIELD_STR, "path", volume, host_path, FIELD_REQ,
		 .check = check_absolute,
		 .doc = "Below one of the policy's hostPathPrefixes."),
	FIELD_AT(FIELD_STR, "type", volume, host_path_type, .fallback = "",
		 .values = FIELD_VALUES("", "DirectoryOrCreate", "Directory",
					"FileOrCreate", "File", "Socket",
					"CharDevice", "BlockDevice"),
		 .doc = "What must be there."),
};
static const struct table hostpath_table = {
	.name = "hostPath volume",
	.fields = hostpath_fields,
	.n = FIELD_COUNT(hostpath_fields),
};

static void finish_volume(struct decode *d, const struct node *n, void *obj)
{
	const struct volume *v = obj;
	const char *key = v->kind == VOLUME_SECRET ? "secret" : "configMap";
	const struct node *source = node_get(n, key);

	for (size_t i = 0; i < v->n_items; i++)
		for (size_t j = 0; j < i; j++) {
			if (!v->items[i].path || !v->items[j].path ||
			    strcmp(v->items[i].path, v->items[j].path) != 0)
				continue;
			decode_say_item(d, CODE_DUPLICATE_ITEM, DIAG_ERROR,
					source ? source : n, "items", i, "path",
					NULL, "two items have the same path");
			break;
		}
}

#define VOLUME_CLOUD "volumes come from emptyDir, configMap, secret or hostPath"

static const struct field volume_fields[] = {
	FIELD_NEVER("awsElasticBlockStore", VOLUME_CLOUD),
	FIELD_NEVER("azureDisk", VOLUME_CLOUD),
	FIELD_NEVER("azureFile", VOLUME_CLOUD),
	FIELD_NEVER("cephfs", VOLUME_CLOUD),
	FIELD_NEVER("cinder", VOLUME_CLOUD),
	FIELD_INTO("configMap", &configmap_table,
		   .variant = 1 + VOLUME_CONFIGMAP,
		   .doc = "Files from a ConfigMap; updated atomically."),
	FIELD_NEVER("csi", VOLUME_CLOUD),
	FIELD_LATER("downwardAPI", "1.1", "use env with fieldRef"),
	FIELD_INTO("emptyDir", &emptydir_table, .variant = 1 + VOLUME_EMPTYDIR,
		   .doc = "Empty, lives as long as the pod; also when no "
			  "source is given."),
	FIELD_LATER("ephemeral", "1.1", "use emptyDir"),
	FIELD_NEVER("fc", VOLUME_CLOUD),
	FIELD_NEVER("flexVolume", VOLUME_CLOUD),
	FIELD_NEVER("flocker", VOLUME_CLOUD),
	FIELD_NEVER("gcePersistentDisk", VOLUME_CLOUD),
	FIELD_NEVER("gitRepo", VOLUME_CLOUD),
	FIELD_NEVER("glusterfs", VOLUME_CLOUD),
	FIELD_INTO("hostPath", &hostpath_table, .class = FIELD_GATED,
		   .variant = 1 + VOLUME_HOSTPATH,
		   .doc = "A path of the host; gated by hostPathPrefixes."),
	FIELD_LATER("image", "1.2", "copy the files in an init container"),
	FIELD_NEVER("iscsi", VOLUME_CLOUD),
	FIELD_AT(FIELD_STR, "name", volume, name, FIELD_REQ,
		 .check = check_dns_label, .doc = "Unique in the pod."),
	FIELD_LATER("nfs", "1.2", "mount it on the host and use hostPath"),
	FIELD_LATER("persistentVolumeClaim", "1.0",
		    "use emptyDir or a gated hostPath until then"),
	FIELD_NEVER("photonPersistentDisk", VOLUME_CLOUD),
	FIELD_NEVER("portworxVolume", VOLUME_CLOUD),
	FIELD_LATER("projected", "1.1", "use several volumes"),
	FIELD_NEVER("quobyte", VOLUME_CLOUD),
	FIELD_NEVER("rbd", VOLUME_CLOUD),
	FIELD_NEVER("scaleIO", VOLUME_CLOUD),
	FIELD_INTO("secret", &secret_table, .variant = 1 + VOLUME_SECRET,
		   .doc = "Files from a Secret, in memory."),
	FIELD_NEVER("storageos", VOLUME_CLOUD),
	FIELD_NEVER("vsphereVolume", VOLUME_CLOUD),
};
const struct table kind_volume_table = {
	.name = "Volume",
	.fields = volume_fields,
	.n = FIELD_COUNT(volume_fields),
	.size = sizeof(struct volume),
	.pos = 1 + offsetof(struct volume, pos),
	.variant = 1 + offsetof(struct volume, kind),
	.finish = finish_volume,
};
