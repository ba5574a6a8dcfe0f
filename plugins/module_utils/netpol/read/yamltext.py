# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the text of manifests to documents: YAML (several documents) or JSON, with the line of everything in them.

Scalars are read as the API server's YAML reader does, not as YAML 1.1 has it: C(2026-01-01) and C(8:30) are strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..errors import NetpolError
from .yamlfast import NotSimpleError, Reader

# Late imports: most manifests are simple and need neither library, each of which takes longer to import than a text to
# read.

_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]*)\]")


class Document(NamedTuple):
    """One document: its value, its 1-based number in the text, the 1-based line of its first line."""

    value: Any
    number: int
    line: int


class TextError(NetpolError):
    """A document that is not YAML or JSON.

    Attributes:
        number: 1-based number of the document.
        line: 1-based line of the mistake.
        column: 1-based column of the mistake.
        message: what the parser did not understand.
    """

    def __init__(self, number: int, line: int, column: int, message: str) -> None:
        super().__init__(f"line {line}, column {column}: {message}")
        self.number = number
        self.line = line
        self.column = column
        self.message = message


_LOADER: Any = None


def _loader() -> Any:
    """libyaml's safe loader where PyYAML has it, with Kubernetes' idea of scalars. Made once."""
    global _LOADER  # noqa: PLW0603 - PyYAML is imported only when YAML is read
    if _LOADER is None:
        import yaml

        base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        _LOADER = type("ManifestLoader", (base,), {})
        _LOADER.yaml_implicit_resolvers = {
            first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":int", ":value"))]
            for first, resolvers in base.yaml_implicit_resolvers.items()
        }
        _LOADER.add_implicit_resolver(
            "tag:yaml.org,2002:int",
            re.compile(r"^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$"),
            list("-+0123456789"),
        )
    return _LOADER


def _split(text: str) -> Iterator[tuple[int, int, str]]:
    """Documents as (number, first line, text); a separator at the start of a line always ends a document."""
    starts = [0] + [match.start() for match in _SEPARATOR.finditer(text)]
    line, number = 1, 0
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else len(text)
        piece = text[start:end]
        if index == 0 and not _has_content(piece):
            line += piece.count("\n")
            continue
        number += 1
        yield number, line, piece
        line += piece.count("\n")


def _has_content(piece: str) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in piece.splitlines())


def _first_line(piece: str) -> int:
    """0-based line of the first line that says anything."""
    start = number = 0
    while piece[start : start + 3] == "---" or piece[start : start + 1] in ("#", "\n"):
        end = piece.find("\n", start)
        if end < 0:
            break
        start = end + 1
        number += 1
    return number


def read(text: str) -> Iterator[Any]:
    """Documents of a text in order: L(Document), or L(TextError) for one that cannot be read (the rest follows).

    Empty documents are left out, but counted.
    """
    if text[:1] in "{[" or text.lstrip()[:1] in ("{", "["):
        import json

        try:
            yield Document(json.loads(text), 1, 1)
            return
        except (ValueError, RecursionError):
            pass  # flow style YAML begins the same way, and is refused with its place
    for number, line, piece in _split(text):
        try:
            value = _load(piece)
        except TextError as error:
            yield TextError(number, error.line + line - 1, error.column, error.message)
            continue
        if value is not None:
            yield Document(value, number, line + _first_line(piece))


_READER: Reader | None = None


def _resolve(text: str) -> Any:
    """A plain scalar as the whole parser reads it."""
    import yaml

    return yaml.load(text, Loader=_loader())  # noqa: S506 - _loader() derives from the safe loader


def _load(piece: str) -> Any:
    global _READER  # noqa: PLW0603 - one memory of lines for all texts of a run
    if _READER is None:
        _READER = Reader(_resolve)
    try:
        return _READER.read(piece)
    except NotSimpleError:
        return _load_whole(piece)


def _load_whole(piece: str) -> Any:
    """A document through libyaml."""
    import yaml

    try:
        return yaml.load(piece, Loader=_loader())  # noqa: S506 - _loader() derives from the safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = str(error.problem or error.context or "not YAML")
        if error.context and error.problem:
            message = f"{error.problem} ({error.context})"
        raise TextError(1, (mark.line if mark else 0) + 1, (mark.column if mark else 0) + 1, message) from None
    except yaml.YAMLError as error:
        raise TextError(1, 1, 1, str(error).splitlines()[0]) from None
    except RecursionError:
        raise TextError(1, 1, 1, "nested too deeply") from None
    except ValueError as error:
        raise TextError(1, 1, 1, str(error)) from None


def piece(text: str, number: int) -> str:
    """The text of one document, the whole text where it has no such document."""
    return next((part for found, _line, part in _split(text) if found == number), text)


def locate(text: str, number: int, path: str) -> int | None:
    """Line of the value at a path, for example C(spec.ingress[0].from), or of its nearest parent that exists.

    Args:
        text: the whole text that C(read) was given.
        number: the document's number.
        path: path in the document; keys with dots stand in brackets.

    Returns:
        1-based line, None when the document cannot be read.
    """
    import yaml

    for found, line, piece in _split(text):
        if found == number:
            try:
                node = yaml.compose(piece, Loader=_loader())
            except (yaml.YAMLError, RecursionError):
                return None
            return line + _walk(node, path)
    return None


def _walk(node: Any, path: str) -> int:
    """0-based line in the piece of the deepest node on the path."""
    line = int(node.start_mark.line) if node is not None else 0
    for key, index in _STEP.findall(path):
        children: list[tuple[str, Any, Any]] = []
        if node is None:
            break
        if node.id == "mapping":
            children = [(key_node.value, key_node, value) for key_node, value in node.value]
        elif node.id == "sequence":
            children = [(str(number), value, value) for number, value in enumerate(node.value)]
        step = key or index
        match = next(((mark, value) for name, mark, value in children if name == step), None)
        if match is None:
            break
        line, node = int(match[0].start_mark.line), match[1]
    return line
