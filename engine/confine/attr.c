/* attr.c - see attr.h. */
#include "engine/confine/attr.h"

#include "engine/confine/ident.h"
#include "engine/sys/esys.h"
#include "lib/num.h"
#include "lib/text.h"

#include <errno.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/personality.h>

#define ATTR_WORD_BITS (8 * sizeof(unsigned long))
#define ATTR_RT_PRIORITY_MAX 99
#define ATTR_NICE_MIN (-20)
#define ATTR_NICE_MAX 19
#define ATTR_IO_PRIORITY_MAX 7
#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Linux 6.9; Debian 12's headers are older. */
#define ATTR_MPOL_WEIGHTED_INTERLEAVE 6

struct attr_name {
	const char *name;
	unsigned int value;
};

static const struct attr_name attr_policies[] = {
	{"SCHED_OTHER", SCHED_NORMAL},
	{"SCHED_FIFO", SCHED_FIFO},
	{"SCHED_RR", SCHED_RR},
	{"SCHED_BATCH", SCHED_BATCH},
	{"SCHED_ISO", 4},
	{"SCHED_IDLE", SCHED_IDLE},
	{"SCHED_DEADLINE", SCHED_DEADLINE},
};

static const struct attr_name attr_sched_flags[] = {
	{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
	{"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
};

static const struct attr_name attr_personas[] = {
	{"LINUX", PER_LINUX},
	{"LINUX32", PER_LINUX32},
};

static const struct attr_name attr_io_classes[] = {
	{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
	{"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
	{"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
};

enum attr_nodes { ATTR_NODES_NONE, ATTR_NODES_SOME, ATTR_NODES_ANY };

static const struct {
	struct attr_name n;
	enum attr_nodes nodes;
} attr_modes[] = {
	{{"MPOL_DEFAULT", MPOL_DEFAULT}, ATTR_NODES_NONE},
	{{"MPOL_BIND", MPOL_BIND}, ATTR_NODES_SOME},
	{{"MPOL_INTERLEAVE", MPOL_INTERLEAVE}, ATTR_NODES_SOME},
	{{"MPOL_WEIGHTED_INTERLEAVE", ATTR_MPOL_WEIGHTED_INTERLEAVE},
	 ATTR_NODES_SOME},
	{{"MPOL_PREFERRED", MPOL_PREFERRED}, ATTR_NODES_ANY},
	{{"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY}, ATTR_NODES_SOME},
	{{"MPOL_LOCAL", MPOL_LOCAL}, ATTR_NODES_NONE},
};

static const struct attr_name attr_memory_flags[] = {
	{"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
	{"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
	{"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
};

const char *attr_memory_mode(size_t i)
{
	return i < COUNT(attr_modes) ? attr_modes[i].n.name : NULL;
}

const char *attr_memory_flag(size_t i)
{
	return i < COUNT(attr_memory_flags) ? attr_memory_flags[i].name : NULL;
}

static int attr_unknown(const char *where, const char *name, struct err *err)
{
	char safe[64];

	return err_set(err, ERR_INPUT, "config: %s: unknown value \"%s\"",
		       where,
		       text_safe(safe, sizeof(safe), name, strlen(name)));
}

static int attr_find(const struct attr_name *table, size_t n, const char *name,
		     const char *where, unsigned int *out, struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(name, table[i].name) == 0) {
			*out = table[i].value;
			return 0;
		}
	return attr_unknown(where, name, err);
}

static int attr_flags(const struct attr_name *table, size_t n,
		      const struct decode_strv *names, const char *where,
		      unsigned int *out, struct err *err)
{
	unsigned int all = 0, one = 0;
	size_t i;
	int r = 0;

	for (i = 0; i < names->n && r == 0; i++) {
		r = attr_find(table, n, names->v[i], where, &one, err);
		all |= one;
	}
	*out = all;
	return r;
}

/* --- masks --------------------------------------------------------------- */

/* One of "3" and "0-3", of len bytes. */
static bool attr_range(const char *text, size_t len, struct attr_mask *m)
{
	const char *dash = memchr(text, '-', len);
	size_t n = dash != NULL ? (size_t)(dash - text) : len;
	uint64_t first = 0, last = 0;

	if (!num_parse_u64(text, n, ATTR_MASK_BITS - 1, &first))
		return false;
	last = first;
	if (dash != NULL &&
	    !num_parse_u64(dash + 1, len - n - 1, ATTR_MASK_BITS - 1, &last))
		return false;
	for (; first <= last; first++) {
		m->word[first / ATTR_WORD_BITS] |= 1UL
						   << first % ATTR_WORD_BITS;
		m->any = true;
	}
	return first == last + 1;
}

int attr_mask_read(const char *list, const char *where, struct attr_mask *out,
		   struct err *err)
{
	const char *at = list;
	char safe[64];

	memset(out, 0, sizeof(*out));
	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, ",");
		bool more = at[len] == ',';

		if (!attr_range(at, len, out) || (more && at[len + 1] == '\0'))
			return err_set(err, ERR_INPUT,
				       "config: %s: want a list like 0-3,7 "
				       "below %d, have \"%s\"",
				       where, ATTR_MASK_BITS,
				       text_safe(safe, sizeof(safe), list,
						 strlen(list)));
		at += len + more;
	}
	return 0;
}

/* --- scheduler, io priority ---------------------------------------------- */

static int attr_wrong(const char *text, struct err *err)
{
	return err_set(err, ERR_INPUT, "config: process.scheduler.%s", text);
}

static int attr_check_sched(const struct spec_scheduler *s, unsigned int policy,
			    struct err *err)
{
	bool rt = policy == SCHED_FIFO || policy == SCHED_RR;

	if (s->nice.v < ATTR_NICE_MIN || s->nice.v > ATTR_NICE_MAX)
		return attr_wrong("nice: want -20 to 19", err);
	if (!rt && s->priority.v != 0)
		return attr_wrong("priority goes only with SCHED_FIFO and "
				  "SCHED_RR",
				  err);
	if (rt && (s->priority.v < 1 || s->priority.v > ATTR_RT_PRIORITY_MAX))
		return attr_wrong("priority: want 1 to 99", err);
	if (policy != SCHED_DEADLINE &&
	    (s->runtime.v != 0 || s->deadline.v != 0 || s->period.v != 0))
		return attr_wrong("runtime, deadline and period go only with "
				  "SCHED_DEADLINE",
				  err);
	return 0;
}

static int attr_sched(const struct spec_scheduler *s, struct esys_sched *out,
		      struct err *err)
{
	unsigned int policy = 0, flags = 0;
	int r = attr_find(attr_policies, COUNT(attr_policies), s->policy,
			  "process.scheduler.policy", &policy, err);

	if (r == 0)
		r = attr_flags(attr_sched_flags, COUNT(attr_sched_flags),
			       &s->flags, "process.scheduler.flags", &flags,
			       err);
	if (r == 0)
		r = attr_check_sched(s, policy, err);
	if (r == 0)
		*out = (struct esys_sched){.size = sizeof(*out),
					   .policy = policy,
					   .flags = flags,
					   .nice = (int32_t)s->nice.v,
					   .priority = (uint32_t)s->priority.v,
					   .runtime = s->runtime.v,
					   .deadline = s->deadline.v,
					   .period = s->period.v};
	return r;
}

static int attr_ioprio(const struct spec_ioprio *p, int *out, struct err *err)
{
	unsigned int class_ = 0;
	int r = attr_find(attr_io_classes, COUNT(attr_io_classes), p->class_,
			  "process.ioPriority.class", &class_, err);

	if (r < 0)
		return r;
	if (p->priority.v < 0 || p->priority.v > ATTR_IO_PRIORITY_MAX)
		return err_set(err, ERR_INPUT,
			       "config: process.ioPriority.priority: want 0 "
			       "to 7");
	*out = (int)(class_ << IOPRIO_CLASS_SHIFT) | (int)p->priority.v;
	return 0;
}

/* --- limits -------------------------------------------------------------- */

static int attr_check_limits(const struct spec_process *p, struct err *err)
{
	size_t i;

	for (i = 0; i < p->n_rlimits; i++) {
		const struct spec_rlimit *l = &p->rlimits[i];

		if (ident_rlimit(l->type) < 0)
			return attr_unknown("process.rlimits", l->type, err);
		if (l->soft.v > l->hard.v)
			return err_set(err, ERR_INPUT,
				       "config: process.rlimits[%zu]: soft is "
				       "above hard",
				       i);
	}
	return 0;
}

/* Only what is above: the rest is done by the process itself, as late as
 * possible, so that its own set-up is not cut short. */
static int attr_raise(pid_t pid, const struct spec_rlimit *l, struct err *err)
{
	int which = ident_rlimit(l->type);
	struct rlimit now;

	if (esys_prlimit(pid, which, NULL, &now) < 0)
		return err_sys(err, errno, "process.rlimits: %s", l->type);
	if (l->hard.v <= now.rlim_max)
		return 0;
	now.rlim_max = l->hard.v;
	if (esys_prlimit(pid, which, &now, NULL) < 0)
		return err_sys(err, errno, "process.rlimits: raise %s",
			       l->type);
	return 0;
}

/* --- memory -------------------------------------------------------------- */

static int attr_mempolicy(const struct spec_mempolicy *m, int *out_mode,
			  struct attr_mask *out_nodes, struct err *err)
{
	unsigned int flags = 0;
	size_t i;
	int r;

	for (i = 0; i < COUNT(attr_modes); i++)
		if (strcmp(m->mode, attr_modes[i].n.name) == 0)
			break;
	if (i == COUNT(attr_modes))
		return attr_unknown("linux.memoryPolicy.mode", m->mode, err);
	r = attr_flags(attr_memory_flags, COUNT(attr_memory_flags), &m->flags,
		       "linux.memoryPolicy.flags", &flags, err);
	if (r == 0)
		r = attr_mask_read(m->nodes, "linux.memoryPolicy.nodes",
				   out_nodes, err);
	if (r < 0)
		return r;
	if (attr_modes[i].nodes != ATTR_NODES_ANY &&
	    out_nodes->any != (attr_modes[i].nodes == ATTR_NODES_SOME))
		return err_set(err, ERR_INPUT,
			       "config: linux.memoryPolicy.nodes: %s wants %s",
			       attr_modes[i].n.name,
			       out_nodes->any ? "none" : "at least one");
	*out_mode = (int)(attr_modes[i].n.value | flags);
	return 0;
}

static int attr_memory(const struct spec_mempolicy *m, struct err *err)
{
	struct attr_mask nodes;
	int mode = 0, r;

	if (m == NULL)
		return 0;
	r = attr_mempolicy(m, &mode, &nodes, err);
	if (r < 0)
		return r;
	/* The kernel takes one bit less than it is told. */
	if (esys_set_mempolicy(mode, nodes.any ? nodes.word : NULL,
			       nodes.any ? ATTR_MASK_BITS + 1 : 0) < 0)
		return err_sys(err, errno, "linux.memoryPolicy %s", m->mode);
	return 0;
}

/* --- personality --------------------------------------------------------- */

static int attr_persona(const struct spec_personality *p, unsigned int *out,
			struct err *err)
{
	if (p->flags.n > 0)
		return err_set(err, ERR_INPUT,
			       "config: linux.personality.flags: the "
			       "specification has none; leave them out");
	return attr_find(attr_personas, COUNT(attr_personas), p->domain,
			 "linux.personality.domain", out, err);
}

static int attr_personality(const struct spec_personality *p, struct err *err)
{
	unsigned int persona = 0;
	int r;

	if (p == NULL)
		return 0;
	r = attr_persona(p, &persona, err);
	if (r == 0 && esys_personality(persona) < 0)
		r = err_sys(err, errno, "linux.personality");
	return r;
}

int attr_self(const struct spec_linux *linux_, struct err *err)
{
	int r = attr_personality(linux_->personality, err);

	return r < 0 ? r : attr_memory(linux_->mempolicy, err);
}

/* --- all ----------------------------------------------------------------- */

int attr_affinity(pid_t pid, const char *list, struct err *err)
{
	struct attr_mask m;
	int r = attr_mask_read(list, "process.execCPUAffinity", &m, err);

	if (r < 0 || !m.any)
		return r;
	if (esys_setaffinity(pid, m.word, sizeof(m.word)) < 0)
		return err_sys(err, errno, "process.execCPUAffinity %s", list);
	return 0;
}

int attr_check(const struct spec_process *p, const struct spec_linux *linux_,
	       struct err *err)
{
	struct esys_sched sched;
	struct attr_mask mask;
	unsigned int persona;
	int ignored, r;

	r = attr_check_limits(p, err);
	if (r == 0 && p->scheduler != NULL)
		r = attr_sched(p->scheduler, &sched, err);
	if (r == 0 && p->io_priority != NULL)
		r = attr_ioprio(p->io_priority, &ignored, err);
	if (r == 0 && p->affinity != NULL)
		r = attr_mask_read(p->affinity->initial,
				   "process.execCPUAffinity.initial", &mask,
				   err);
	if (r == 0 && p->affinity != NULL)
		r = attr_mask_read(p->affinity->final,
				   "process.execCPUAffinity.final", &mask, err);
	if (r == 0 && linux_->personality != NULL)
		r = attr_persona(linux_->personality, &persona, err);
	if (r == 0 && linux_->mempolicy != NULL)
		r = attr_mempolicy(linux_->mempolicy, &ignored, &mask, err);
	return r;
}

int attr_apply(pid_t pid, const struct spec_process *p, struct err *err)
{
	struct esys_sched sched = {.size = 0};
	int ioprio = 0, r = 0;
	size_t i;

	for (i = 0; i < p->n_rlimits && r == 0; i++)
		r = attr_raise(pid, &p->rlimits[i], err);
	if (r == 0 && p->io_priority != NULL) {
		r = attr_ioprio(p->io_priority, &ioprio, err);
		if (r == 0 && esys_ioprio(pid, ioprio) < 0)
			r = err_sys(err, errno, "process.ioPriority %s",
				    p->io_priority->class_);
	}
	if (r == 0 && p->scheduler != NULL) {
		r = attr_sched(p->scheduler, &sched, err);
		if (r == 0 && esys_setattr(pid, &sched) < 0)
			r = err_sys(err, errno, "process.scheduler %s",
				    p->scheduler->policy);
	}
	return r;
}
