"""`misaki schema`: prints the JSON Schema of a kind of file, for code editors and other tools."""

from __future__ import annotations

import argparse
import json

from engine.pipeline.schema.shape import schema_of
from engine.validation.file_kinds import KINDS


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS, help="the kind of file")


def run(arguments: argparse.Namespace) -> int:
    print(json.dumps(schema_of(arguments.kind), ensure_ascii=False, indent=2))
    return 0
