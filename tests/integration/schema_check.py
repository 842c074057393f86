#!/usr/bin/env python3
"""schema_check.py - the golden manifests against the schemas of `reconcile
schema`: what decodes must validate, what was refused for its shape must not.

    schema_check.py SCHEMA-DIR GOLDEN-DIR TOP

Prints TAP lines without a plan.  YAML is read as version 1.1, like Kubernetes'
tools do, without dates.
"""
import glob
import json
import os
import re
import sys

import jsonschema
import yaml

# Codes of which a schema can always say what they say.
SHAPE = {"M101", "M102", "M103", "M104", "M106", "M201", "M202", "M203",
         "M205", "M206", "M207", "M208", "M209", "M212", "M213"}
# Cases whose shape is right for a schema, and why.
SILENT = {
    "A54-bool-words": "for YAML 1.1 yes is true",
    "A55-int-float": "for JSON Schema 3.0 is an integer",
    "deployment-restart-policy": "Always in a Deployment's template only",
    "deployment-selector-empty": "one of two maps must name something",
    "namespace-label-level": "one label has values of its own",
    "pod-capabilities": "names are known to the engine",
    "pod-seccomp": "localhostProfile with type Localhost only",
}


class Loader(yaml.SafeLoader):
    """Scalars of the API: no dates, no binary, no sets."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, rx) for tag, rx in rules
            if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()}


def documents(path):
    with open(path, encoding="utf-8", newline="") as f:
        return [d for d in yaml.load_all(f, Loader) if d is not None]


def errors_of(case):
    with open(os.path.join(case, "expect.err"), encoding="utf-8") as f:
        return [m for m in (re.match(r"\S+: error (M\d+): (.*)", line)
                            for line in f) if m]


def main():
    schemas, golden = sys.argv[1], sys.argv[2]
    with open(os.path.join(schemas, "all.json"), encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    counts = {"valid": 0, "refused": 0, "silent": 0, "unread": 0}
    for name in sorted(os.listdir(golden)):
        case = os.path.join(golden, name)
        with open(os.path.join(case, "cmd"), encoding="utf-8") as f:
            cmd = f.read().replace('"$GOLDEN_TOP"', sys.argv[3]).replace(
                "$GOLDEN_TOP", sys.argv[3])
        files = [path for word in re.findall(r"\S+\.ya?ml", cmd)
                 for path in glob.glob(os.path.join(case, "in", word))]
        if not re.match(r"manifest-dump ", cmd):
            continue
        with open(os.path.join(case, "expect.status"), encoding="utf-8") as f:
            good = f.read().strip() == "0"
        try:
            docs = [d for f in files
                    for d in documents(f)]
        except (yaml.YAMLError, UnicodeDecodeError, ValueError,
                RecursionError, FileNotFoundError):
            if good:
                print("not ok - %s: Python does not read it" % name)
            counts["unread"] += 1
            continue
        found = []
        try:
            for d in docs:
                found += list(validator.iter_errors(d))
        except (RecursionError, TypeError):
            counts["unread"] += 1
            continue
        if good and found:
            e = found[0]
            print("not ok - %s decodes, but: /%s: %s" % (
                name, "/".join(map(str, e.absolute_path)), e.message[:300]))
        elif good:
            counts["valid"] += 1
        elif found:
            counts["refused"] += 1
        else:
            said = errors_of(case)
            must = [m for m in said if m.group(1) in SHAPE]
            if must and name not in SILENT:
                print("not ok - %s is refused, and its schema is silent: %s"
                      % (name, must[0].group(0)[:300]))
            else:
                counts["silent"] += 1
    print("# %(valid)d valid, %(refused)d refused by the schema too, "
          "%(silent)d that a schema cannot refuse, %(unread)d unreadable"
          % counts)
    print("counts %d %d" % (counts["valid"], counts["refused"]))


main()
