#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes a C file of the numbered SQL files given: embed-migrations.py OUT.c NNNN-NAME.sql ..."""

import pathlib
import re
import sys


def literal(text):
    lines = []
    for line in text.splitlines():
        code = line.split("--", 1)[0]
        if code.count("'") % 2:  # the '--' is part of a string: leave the line as it is
            code = line
        line = code.replace("\\", "\\\\").replace('"', '\\"')
        if line.strip():
            lines.append('\t\t"' + line.strip() + '\\n"')
    return "\n".join(lines)


def main():
    out, *paths = sys.argv[1:]
    rows = []
    for number, path in enumerate(sorted(map(pathlib.Path, paths), key=lambda p: p.name), 1):
        if not re.fullmatch(r"%04d-[a-z0-9-]+\.sql" % number, path.name):
            sys.exit(f"{path}: expected the name {number:04d}-NAME.sql")
        rows.append(f'\t{{ .name = "{path.stem}", .sql =\n{literal(path.read_text())} }},')
    pathlib.Path(out).write_text(
        "/* Made by embed-migrations.py from src/store/migrations; do not edit. */\n"
        '#include "migrate.h"\n\n'
        "const struct migration store_migrations[] = {\n"
        + "\n".join(rows)
        + "\n};\nconst size_t store_migrations_n =\n"
        "\tsizeof(store_migrations) / sizeof(store_migrations[0]);\n"
    )


main()
