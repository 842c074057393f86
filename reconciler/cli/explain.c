/* explain.c - `reconcile explain FIELD|CODE|RULE`. */
#include "reconciler/cli/cli.h"

#include "lib/text.h"
#include "manifest/manifest.h"
#include "reconciler/report/rule.h"

#include <ctype.h>
#include <string.h>

#define TEXT_MAX (1u << 20)

/* "P201", and not "Pod": a letter and digits. */
static bool is_code(const char *word)
{
	size_t n = strlen(word);

	if (n < 2 || !isalpha((unsigned char)word[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!isdigit((unsigned char)word[i]))
			return false;
	return true;
}

/* Neither a rule nor a kind: the nearest of all. */
static int say_unknown(struct cli *cli, const char *what, struct err *err)
{
	const char *near = rule_nearest(what, cli->arena);
	char safe[128];

	(void)text_safe(safe, sizeof(safe), what, strlen(what));
	return err_set(err, ERR_INPUT, "unknown %s '%s'%s%s%s",
		       is_code(what) ? "code" : "field, code or rule", safe,
		       near != NULL ? "; did you mean " : "",
		       near != NULL ? near : "", near != NULL ? "?" : "");
}

int explain_command(void *ctx, struct err *err)
{
	struct cli *cli = ctx;
	const char *what = cli_operand(cli, 0);
	struct rule rule;
	struct buf out;
	int r;

	buf_init(&out, TEXT_MAX);
	if (rule_find(what, cli->arena, &rule) == 0) {
		buf_puts(&out, rule_text(&rule, cli->arena));
		r = 0;
	} else if (is_code(what)) {
		r = say_unknown(cli, what, err);
	} else {
		r = manifest_explain(what, &out, err);
		if (r < 0 && strchr(what, '.') == NULL &&
		    strstr(err->msg, "did you mean") == NULL)
			r = say_unknown(cli, what, err);
	}
	if (r == 0)
		r = cli_print(&out, err);
	buf_release(&out);
	return r;
}
