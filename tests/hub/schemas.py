# SPDX-License-Identifier: LGPL-2.1-or-later
"""What docs/mqtt promises of each topic, as something to hold messages against.

    contract = Contract()
    contract.judge("lockhub/status", "online")      # None, or what is wrong with it
"""

import json
import re

from rig import Skipped, source_root

PLACES = {"lock": "[0-9a-f]{8}", "user": "[0-9a-f]{8}", "name": "[a-z_]+", "door": "[^/]+",
          "setting": "[A-Za-z]+(?:_on)?", "adapter": "[0-9a-f]{12}"}
EXAMPLE = re.compile(r"<!-- schema: (\S+) -->\n+```json\n(.*?)```", re.S)
BLOCK = re.compile(r"^```json\n", re.M)


def _validator():
    try:
        # pylint: disable=import-outside-toplevel
        from jsonschema import Draft202012Validator
    except ImportError:
        raise Skipped("python3-jsonschema is not installed") from None
    return Draft202012Validator


def _pattern(topic):
    """'lockhub/{lock}/door' as an expression that fits the whole topic."""
    parts = re.split(r"\{([a-z]+)\}", topic)
    return re.compile("".join(
        PLACES[part] if i % 2 else re.escape(part) for i, part in enumerate(parts)))


class Contract:
    """docs/mqtt: topics.json and the schemas that it names."""

    def __init__(self):
        self.folder = source_root() / "docs" / "mqtt"
        self.validator = _validator()
        self.files = {path.name: json.loads(path.read_text())
                      for path in sorted(self.folder.glob("*.schema.json"))}
        self.rows = json.loads((self.folder / "topics.json").read_text())["topics"]
        self.patterns = [(_pattern(row["topic"]), row) for row in self.rows]
        self.made = {}

    def check_files(self):
        """Whether every file is a schema of the draft that it names."""
        for name, schema in self.files.items():
            if schema["$schema"] != "https://json-schema.org/draft/2020-12/schema":
                return f"{name} names another draft"
            self.validator.check_schema(schema)
        return None

    def names(self):
        """All schemas as rows and examples may name them."""
        for name, schema in self.files.items():
            if schema.keys() & {"type", "anyOf", "$ref", "enum"}:
                yield name
            else:
                for part in schema["$defs"]:
                    yield f"{name}#/$defs/{part}"

    def of(self, name):
        """The validator for 'requests.schema.json#/$defs/pairing'."""
        if name not in self.made:
            file, _, part = name.partition("#")
            schema = self.files[file]
            if part:
                schema = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": "#" + part}
                if part.rsplit("/", 1)[1] not in schema["$defs"]:
                    raise KeyError(name)
            self.made[name] = self.validator(schema)
        return self.made[name]

    def rows_of(self, topic):
        return [row for pattern, row in self.patterns if pattern.fullmatch(topic)]

    def judge(self, topic, payload, is_retained=False):
        """None, or one line about what is wrong."""
        rows = self.rows_of(topic)
        if not rows:
            return f"{topic}: no schema in docs/mqtt/topics.json (payload {payload[:200]})"
        if payload == "":
            return None  # takes a retained message away, or asks without a word
        if is_retained and not any(row["retained"] for row in rows):
            return f"{topic}: retained, and must not be"
        found = []
        for row in rows:
            fault = self.misfit(row["schema"], payload, row["form"])
            if fault is None:
                return None
            found.append(f"{row['schema']}: {fault}")
        return f"{topic}: {payload[:300]}: " + "; or ".join(found)

    def misfit(self, name, payload, form="json"):
        """None, or the first thing that does not fit."""
        value = payload
        if form == "json":
            try:
                value = json.loads(payload)
            except ValueError as error:
                return f"no JSON: {error}"
        errors = sorted(self.of(name).iter_errors(value), key=lambda error: list(error.path))
        if not errors:
            return None
        error = errors[0]
        while error.context:
            error = max(error.context, key=lambda one: len(one.path))
        return f"{'/'.join(map(str, error.path))}: {error.message[:300]}"


def examples(path):
    """(schema, text) of each JSON example of a page, and how many blocks name no schema."""
    text = path.read_text()
    found = EXAMPLE.findall(text)
    return found, len(BLOCK.findall(text)) - len(found)
