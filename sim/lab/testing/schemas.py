#!/usr/bin/env python3
"""Files and schemas belong together: every scenario, and what wzp-sim writes.

Usage: schemas.py SOURCE-DIR WZP-SIM.  Exit status 77: the modules for it are not there."""
import glob
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import tomllib
except ImportError as missing:
    print(missing)
    sys.exit(77)

source, sim = sys.argv[1:]


def validator(name):
    with open(f"{source}/docs/schema/{name}.schema.json", encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def complaints(schema, name, document):
    return [f"{name}: {list(e.path)}: {e.message[:200]}" for e in schema.iter_errors(document)]


found = []
scenario = validator("scenario")
for path in sorted(glob.glob(f"{source}/sim/scenarios/*.toml")) + [
    f"{source}/fuzz/corpus/scenario/everything.toml"
]:
    with open(path, "rb") as file:
        found += complaints(scenario, path, tomllib.load(file))
if not complaints(scenario, "a bad one", {"name": "x", "host": {"x": {"acess": "lte"}}}):
    found.append("the schema accepts everything")
with tempfile.TemporaryDirectory() as work:
    for verb, arguments in (
        ("run", ["M09"]),
        ("campaign", ["N14", "N01", "L16", "--seeds", "15..16"]),
    ):
        path = os.path.join(work, verb)
        subprocess.run([sim, verb, *arguments, "--quiet", "--json", path], check=False)
        with open(path, encoding="utf-8") as file:
            found += complaints(validator(f"sim-{verb}"), verb, json.load(file))
print("\n".join(found))
sys.exit(1 if found else 0)
