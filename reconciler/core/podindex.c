/* podindex.c - see podindex.h. */
#include "reconciler/core/podindex.h"

#include <stdlib.h>
#include <string.h>

static int by_pod_uid(const void *a, const void *b)
{
	const struct world_pod *x = *(const struct world_pod *const *)a;
	const struct world_pod *y = *(const struct world_pod *const *)b;

	return strcmp(x->uid, y->uid);
}

const struct world_pod **podindex_new(const struct world *w)
{
	const struct world_pod **list =
		calloc(w->n_pods + 1, sizeof(const struct world_pod *));

	for (size_t i = 0; list != NULL && i < w->n_pods; i++)
		list[i] = &w->pods[i];
	if (list != NULL)
		qsort(list, w->n_pods, sizeof(const struct world_pod *),
		      by_pod_uid);
	return list;
}

const struct world_pod *podindex_find(const struct world_pod *const *index,
				      size_t n, const char *uid,
				      const char *host)
{
	size_t low = 0;
	size_t high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(index[mid]->uid, uid) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < n && strcmp(index[low]->uid, uid) == 0; low++)
		if (strcmp(index[low]->host, host) == 0)
			return index[low];
	return NULL;
}
