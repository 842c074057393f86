/* bus.c - see bus.h. */
#include "engine/systemd/bus.h"

#include "lib/clock.h"
#include "lib/num.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#define BUS_NAME "org.freedesktop.systemd1"
#define BUS_PATH "/org/freedesktop/systemd1"
#define BUS_MANAGER BUS_NAME ".Manager"
#define BUS_CALL_US 25000000ull
#define BUS_MASK_BYTES 1024
#define BUS_RETRIES 10
#define BUS_RETRY_MS 20

struct bus {
	sd_bus *sd;
	unsigned int version; /* 0: not asked yet */
	char job[256];	      /* that is waited for */
	char result[32];      /* of it; "": none yet */
};

enum bus_type { BUS_NUMBER, BUS_MASK, BUS_TEXT, BUS_DEVICE };

/* All that an engine can set.  since: a manager that is older does not know
 * it; the engine writes the file of it in any case. */
static const struct bus_property {
	const char *name;
	enum bus_type type;
	unsigned int since;
} bus_properties[] = {
	{"AllowedCPUs", BUS_MASK, 244},
	{"AllowedMemoryNodes", BUS_MASK, 244},
	{"BlockIOWeight", BUS_NUMBER, 0},
	{"CPUQuotaPerSecUSec", BUS_NUMBER, 0},
	{"CPUQuotaPeriodUSec", BUS_NUMBER, 242},
	{"CPUShares", BUS_NUMBER, 0},
	{"CPUWeight", BUS_NUMBER, 0},
	{"DeviceAllow", BUS_DEVICE, 0},
	{"DevicePolicy", BUS_TEXT, 0},
	{"MemoryHigh", BUS_NUMBER, 0},
	{"MemoryLimit", BUS_NUMBER, 0},
	{"MemoryLow", BUS_NUMBER, 0},
	{"MemoryMax", BUS_NUMBER, 0},
	{"MemoryMin", BUS_NUMBER, 240},
	{"MemorySwapMax", BUS_NUMBER, 0},
	{"OOMPolicy", BUS_TEXT, 253},
	{"TasksMax", BUS_NUMBER, 0},
};

/* A weight of 0 stands for idle. */
#define BUS_IDLE_SINCE 252

static int bus_failed(struct err *err, int r, const sd_bus_error *e,
		      const char *what)
{
	const char *why =
		e != NULL && e->message != NULL ? e->message : strerror(-r);
	bool there = e != NULL &&
		     sd_bus_error_has_name(e, BUS_NAME ".UnitExists") > 0;

	return err_set(err, there ? ERR_CONFLICT : ERR_SYS, "systemd: %s: %s",
		       what, why);
}

int bus_new(const char *user, struct bus **out, struct err *err)
{
	struct bus *b = calloc(1, sizeof(*b));
	char address[512];
	int r;

	if (b == NULL)
		return err_set(err, ERR_NOMEM, "no memory");
	if (user != NULL && strpbrk(user, ",;=%") != NULL)
		user = "/nowhere";
	(void)snprintf(address, sizeof(address),
		       "unix:path=%.400s/systemd/private",
		       user != NULL ? user : "/run");
	r = sd_bus_new(&b->sd);
	if (r >= 0)
		r = sd_bus_set_address(b->sd, address);
	if (r >= 0)
		r = sd_bus_set_method_call_timeout(b->sd, BUS_CALL_US);
	if (r >= 0)
		r = sd_bus_start(b->sd);
	if (r < 0) {
		bus_free(b);
		return err_set(err,
			       r == -ENOENT || r == -ECONNREFUSED ? ERR_NOTFOUND
								  : ERR_SYS,
			       "systemd: connect to %s: %s", address,
			       strerror(-r));
	}
	*out = b;
	return 0;
}

void bus_free(struct bus *b)
{
	if (b == NULL)
		return;
	(void)sd_bus_flush_close_unref(b->sd);
	free(b);
}

static int bus_text(struct bus *b, const char *path, const char *interface,
		    const char *property, char *out, size_t len,
		    struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	char *text = NULL;
	int r = sd_bus_get_property_string(b->sd, BUS_NAME, path, interface,
					   property, &e, &text);

	if (r < 0)
		r = bus_failed(err, r, &e, property);
	else if (snprintf(out, len, "%s", text) >= (int)len)
		r = err_set(err, ERR_LIMIT, "systemd: %s: too long", property);
	else
		r = 0;
	free(text);
	sd_bus_error_free(&e);
	return r;
}

/* "252.39-1~deb12u2", "v239-2" */
static int bus_version(struct bus *b, struct err *err)
{
	char text[128];
	const char *at = text;
	uint64_t n = 0;
	int r;

	if (b->version != 0)
		return 0;
	r = bus_text(b, BUS_PATH, BUS_MANAGER, "Version", text, sizeof(text),
		     err);
	if (r < 0)
		return r;
	at += strcspn(at, "0123456789");
	if (!num_parse_u64(at, strspn(at, "0123456789"), 100000, &n))
		return err_set(err, ERR_SYS, "systemd: version \"%.40s\"",
			       text);
	b->version = (unsigned int)n;
	return 0;
}

static int bus_hex(const char *text, size_t len, unsigned char *out,
		   size_t *out_n)
{
	size_t i;

	if (len == 0 || len % 2 != 0 || len > 2 * (size_t)BUS_MASK_BYTES)
		return -EINVAL;
	for (i = 0; i < len / 2; i++) {
		const char digits[] = {text[2 * i], text[2 * i + 1], '\0'};
		char *end;

		out[i] = (unsigned char)strtoul(digits, &end, 16);
		if (*end != '\0')
			return -EINVAL;
	}
	*out_n = len / 2;
	return 0;
}

static int bus_put_number(sd_bus_message *m, const char *name, const char *text,
			  size_t len)
{
	uint64_t n = UINT64_MAX;

	if ((len != 8 || memcmp(text, "infinity", 8) != 0) &&
	    !num_parse_u64(text, len, UINT64_MAX, &n))
		return -EINVAL;
	return sd_bus_message_append(m, "(sv)", name, "t", n);
}

static int bus_put_mask(sd_bus_message *m, const char *name, const char *text,
			size_t len)
{
	unsigned char bytes[BUS_MASK_BYTES];
	size_t n = 0;
	int r = bus_hex(text, len, bytes, &n);

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", name);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', bytes, n);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* An empty list takes all away, one with members adds them. */
static int bus_put_device(sd_bus_message *m, const char *name, char *text)
{
	char *access = strchr(text, ' ');

	if (strcmp(text, "-") == 0)
		return sd_bus_message_append(m, "(sv)", name, "a(ss)", 0);
	if (access == NULL)
		return -EINVAL;
	*access++ = '\0';
	return sd_bus_message_append(m, "(sv)", name, "a(ss)", 1, text, access);
}

static int bus_put(struct bus *b, sd_bus_message *m,
		   const struct bus_property *p, char *text)
{
	size_t len = strlen(text);

	if (p->since > b->version)
		return 0;
	switch (p->type) {
	case BUS_NUMBER:
		if (strcmp(p->name, "CPUWeight") == 0 &&
		    strcmp(text, "0") == 0 && b->version < BUS_IDLE_SINCE)
			return 0;
		return bus_put_number(m, p->name, text, len);
	case BUS_MASK:
		return bus_put_mask(m, p->name, text, len);
	case BUS_TEXT:
		return sd_bus_message_append(m, "(sv)", p->name, "s", text);
	case BUS_DEVICE:
		return bus_put_device(m, p->name, text);
	}
	return -EINVAL;
}

static int bus_put_line(struct bus *b, sd_bus_message *m, const char *line,
			size_t len, struct err *err)
{
	char text[4096];
	char *value;
	size_t i;
	int r = -EINVAL;

	if (len >= sizeof(text))
		return err_set(err, ERR_LIMIT, "request: line too long");
	memcpy(text, line, len);
	text[len] = '\0';
	value = strchr(text, ' ');
	if (value != NULL)
		*value++ = '\0';
	for (i = 0; i < sizeof(bus_properties) / sizeof(bus_properties[0]); i++)
		if (value != NULL && strcmp(bus_properties[i].name, text) == 0)
			r = bus_put(b, m, &bus_properties[i], value);
	if (r < 0)
		return err_set(err, ERR_PROTO, "request: property \"%.64s\"",
			       text);
	return 0;
}

static int bus_put_all(struct bus *b, sd_bus_message *m, const char *at,
		       struct err *err)
{
	size_t len;
	int r = bus_version(b, err);

	for (; r == 0 && *at != '\0'; at += len + (at[len] == '\n')) {
		len = strcspn(at, "\n");
		r = bus_put_line(b, m, at, len, err);
	}
	return r;
}

static int bus_removed(sd_bus_message *m, void *userdata, sd_bus_error *e)
{
	struct bus *b = userdata;
	const char *job, *unit, *result;
	uint32_t id;

	(void)e;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) >= 0 &&
	    strcmp(job, b->job) == 0)
		(void)snprintf(b->result, sizeof(b->result), "%s", result);
	return 0;
}

/* Calls what makes a job, and waits for its end. */
static int bus_job(struct bus *b, sd_bus_message *call, const char *what,
		   struct err *err)
{
	int64_t deadline = clock_boot_ms() + SYSTEMD_JOB_MS;
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *job = NULL;
	int r = sd_bus_call(b->sd, call, 0, &e, &reply);

	b->result[0] = '\0';
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job);
	if (r >= 0)
		(void)snprintf(b->job, sizeof(b->job), "%s", job);
	while (r >= 0 && b->result[0] == '\0' && clock_boot_ms() < deadline) {
		r = sd_bus_process(b->sd, NULL);
		if (r == 0)
			r = sd_bus_wait(b->sd, 1000000);
	}
	if (r < 0)
		r = bus_failed(err, r, &e, what);
	else if (strcmp(b->result, "done") != 0)
		r = err_set(err, ERR_SYS, "systemd: %s: %s", what,
			    b->result[0] != '\0' ? b->result
						 : "no end of its job");
	else
		r = 0;
	(void)sd_bus_message_unref(reply);
	sd_bus_error_free(&e);
	return r;
}

static int bus_listen(struct bus *b, struct err *err)
{
	int r = sd_bus_match_signal(b->sd, NULL, NULL, BUS_PATH, BUS_MANAGER,
				    "JobRemoved", bus_removed, b);

	return r < 0 ? bus_failed(err, r, NULL, "listen for jobs") : 0;
}

static int bus_call(struct bus *b, const char *method, sd_bus_message **out,
		    struct err *err)
{
	int r = sd_bus_message_new_method_call(b->sd, out, BUS_NAME, BUS_PATH,
					       BUS_MANAGER, method);

	return r < 0 ? bus_failed(err, r, NULL, method) : 0;
}

static void bus_reset(struct bus *b, const char *unit)
{
	(void)sd_bus_call_method(b->sd, BUS_NAME, BUS_PATH, BUS_MANAGER,
				 "ResetFailedUnit", NULL, NULL, "s", unit);
}

/* As runc has them; the process in it is we. */
static int bus_scope_properties(sd_bus_message *m, const char *slice,
				const char *description)
{
	static const char *const on[] = {"Delegate", "MemoryAccounting",
					 "CPUAccounting", "TasksAccounting",
					 "IOAccounting"};
	int r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)(sv)", "Description",
				      "s", description, "Slice", "s", slice,
				      "PIDs", "au", 1, (uint32_t)getpid(),
				      "DefaultDependencies", "b", 0,
				      "CollectMode", "s", "inactive-or-failed");
	size_t i;

	for (i = 0; i < sizeof(on) / sizeof(on[0]) && r >= 0; i++)
		r = sd_bus_message_append(m, "(sv)", on[i], "b", 1);
	return r;
}

static int bus_try_start(struct bus *b, const char *unit, const char *slice,
			 const char *description, const char *properties,
			 struct err *err)
{
	sd_bus_message *m = NULL;
	int r = bus_call(b, "StartTransientUnit", &m, err);

	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "ss", unit, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = bus_scope_properties(m, slice, description);
	r = r < 0 ? bus_failed(err, r, NULL, unit)
		  : bus_put_all(b, m, properties, err);
	if (r == 0 && (sd_bus_message_close_container(m) < 0 ||
		       sd_bus_message_append(m, "a(sa(sv))", 0) < 0))
		r = err_set(err, ERR_SYS, "systemd: %s: message", unit);
	if (r == 0)
		r = bus_job(b, m, unit, err);
	(void)sd_bus_message_unref(m);
	return r;
}

/* A unit that is there and has failed keeps its name until it is reset. */
int bus_start(struct bus *b, const char *unit, const char *slice,
	      const char *description, const char *properties,
	      char cgroup[SYSTEMD_PATH_BYTES], struct err *err)
{
	const struct timespec pause = {.tv_nsec = BUS_RETRY_MS * 1000000L};
	char *path = NULL;
	int i, r = bus_listen(b, err);

	if (r == 0)
		r = bus_try_start(b, unit, slice, description, properties, err);
	for (i = 0; i < BUS_RETRIES && r == ERR_CONFLICT; i++) {
		bus_reset(b, unit);
		(void)nanosleep(&pause, NULL); /* it is forgotten soon after */
		r = bus_try_start(b, unit, slice, description, properties, err);
	}
	if (r < 0)
		return r;
	if (sd_bus_path_encode(BUS_PATH "/unit", unit, &path) < 0)
		return err_set(err, ERR_NOMEM, "no memory");
	r = bus_text(b, path, BUS_NAME ".Scope", "ControlGroup", cgroup,
		     SYSTEMD_PATH_BYTES, err);
	free(path);
	return r;
}

int bus_set(struct bus *b, const char *unit, const char *properties,
	    struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = bus_call(b, "SetUnitProperties", &m, err);

	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "sb", unit, 1);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	r = r < 0 ? bus_failed(err, r, NULL, unit)
		  : bus_put_all(b, m, properties, err);
	if (r == 0) {
		r = sd_bus_message_close_container(m);
		if (r >= 0)
			r = sd_bus_call(b->sd, m, 0, &e, NULL);
		r = r < 0 ? bus_failed(err, r, &e, unit) : 0;
	}
	(void)sd_bus_message_unref(m);
	sd_bus_error_free(&e);
	return r;
}

static bool bus_knows(struct bus *b, const char *unit)
{
	return sd_bus_call_method(b->sd, BUS_NAME, BUS_PATH, BUS_MANAGER,
				  "GetUnit", NULL, NULL, "s", unit) >= 0;
}

int bus_stop(struct bus *b, const char *unit, struct err *err)
{
	sd_bus_message *m = NULL;
	int r = bus_listen(b, err);

	if (r < 0 || !bus_knows(b, unit))
		return r;
	r = bus_call(b, "StopUnit", &m, err);
	if (r == 0 && sd_bus_message_append(m, "ss", unit, "replace") < 0)
		r = err_set(err, ERR_SYS, "systemd: %s: message", unit);
	if (r == 0)
		r = bus_job(b, m, unit, err);
	(void)sd_bus_message_unref(m);
	bus_reset(b, unit);
	/* Gone by itself in between, as a scope that is empty goes. */
	return r < 0 && !bus_knows(b, unit) ? 0 : r;
}

int bus_where(struct bus *b, char cgroup[SYSTEMD_PATH_BYTES], struct err *err)
{
	return bus_text(b, BUS_PATH, BUS_MANAGER, "ControlGroup", cgroup,
			SYSTEMD_PATH_BYTES, err);
}
