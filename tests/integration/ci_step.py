"""ci_step.py - the shell of a CI file, as its service would run it.

  ci_step.py github FILE JOB STEP NAME=VALUE...  a script with the environment
      of the step in front; NAME is what stands in ${{ NAME }}
  ci_step.py gitlab FILE JOB    the lines of script, each on its own
  ci_step.py audit FILE         what in a workflow of GitHub is not safe
"""
import re
import shlex
import sys

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def load(path):
    with open(path, encoding="utf-8") as f:
        return yaml.load(f, Loader=yaml.BaseLoader)


def github(path, job, name, values):
    doc = load(path)
    step = next(s for s in doc["jobs"][job]["steps"] if s["name"] == name)
    env = {**doc.get("env", {}), **step.get("env", {})}
    for key, value in env.items():
        value = EXPRESSION.sub(lambda m: values[m.group(1)], value)
        print("export %s=%s" % (key, shlex.quote(value)))
    print("set -eo pipefail")
    print(step["run"])


def gitlab(path, job):
    print("set -eo pipefail")
    for line in load(path)[job]["script"]:
        print(line)


def audit(path):
    doc = load(path)
    if list(doc["on"]) != ["pull_request"]:
        print("runs on", list(doc["on"]))
    if doc["permissions"] != {}:
        print("permissions of the workflow:", doc["permissions"])
    for name, job in doc["jobs"].items():
        for key, value in job.get("permissions", {}).items():
            if value != "read" and (name, key) != ("code-scanning",
                                                   "security-events"):
                print(name, "may", value, key)
        for step in job["steps"]:
            if "uses" in step:
                print(name, "uses", step["uses"])
            if "${{" in step["run"]:
                print(name, "has an expression in its shell")
    with open(path, encoding="utf-8") as f:
        if re.search(r"\bsecrets\.", f.read()):
            print("uses a secret")


def main():
    what, *rest = sys.argv[1:]
    if what == "github":
        github(rest[0], rest[1], rest[2], dict(v.split("=", 1) for v in rest[3:]))
    elif what == "gitlab":
        gitlab(*rest)
    else:
        audit(*rest)


main()
