# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading YAML: the common case with libyaml, the rest as Falco does.

Falco reads rules with yaml-cpp, which differs from libyaml and PyYAML in what it accepts. So `read_documents`
takes the fast way only for text without anything on which the two are known to differ, and gives everything
else, and everything that libyaml refuses, to `cpp`, which follows yaml-cpp's scanner.
"""

from __future__ import annotations

import re
from typing import Any

from . import cpp
from .nesting import deep_nesting
from .nodes import MAP, MAX_BYTES, MAX_DEPTH, NULL, NULL_TEXTS, SCALAR, SEQUENCE, Yaml, YamlError

# Characters and constructs on which libyaml and yaml-cpp differ, or may: control characters, tabs, carriage
# returns, line separators that YAML 1.1 knows, a byte order mark, lone surrogates, directives.
_UNUSUAL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]|^%|^ *[?,]|[^ -~\n]{1000}", re.M
)


def read_documents(text: str) -> list[Yaml]:
    """Read every document of a YAML text.

    Args:
        text: the file, bytes that are not UTF-8 as lone surrogates (`surrogateescape`).

    Raises:
        YamlError: yaml-cpp would refuse it, or it is over a bound.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"the file has more than {MAX_BYTES} characters")
    if not _UNUSUAL.search(text):
        documents = _read_fast(text)
        if documents is not None:
            return documents
    with deep_nesting():
        return cpp.read_documents(text)


def _read_fast(text: str) -> list[Yaml] | None:  # noqa: C901 - the inner loop of reading, kept in one frame
    """Read with libyaml; None when it is not there, refuses the text, or meets what must be read the other way."""
    try:
        # PyYAML may be built without libyaml, or not be there at all: then the reader of this room does it
        from yaml._yaml import CParser
        from yaml.events import (
            AliasEvent,
            DocumentEndEvent,
            MappingEndEvent,
            MappingStartEvent,
            ScalarEvent,
            SequenceEndEvent,
            SequenceStartEvent,
            StreamEndEvent,
        )
    except ImportError:
        return None
    documents: list[Yaml] = []
    # The stack holds the lists under construction; a map's list alternates keys and values until it closes.
    stack: list[list[Any]] = []
    kinds: list[bool] = []
    flows = 0
    top: list[Any] = documents
    try:
        parser = CParser(text)
        # PyYAML's stubs know one type for all events.
        get: Any = parser.get_event
        event = get()
        while True:
            kind = type(event)
            if kind is ScalarEvent:
                if event.anchor is not None or event.tag is not None:
                    return None
                value = event.value
                style = event.style or ""
                if not style and value in NULL_TEXTS:
                    node = Yaml(NULL, None, event.start_mark)
                    top.append(node)
                    if not value:
                        # yaml-cpp places what is not there at the next token
                        event = get()
                        node.mark = event.start_mark
                        continue
                else:
                    if value[-2:] in ("\n\n", "\n") and style in ("'", '"'):
                        # of the line breaks at the end of a quoted scalar yaml-cpp keeps one, if any
                        return None
                    if "?" in value and not style and flows:
                        # in a flow list, yaml-cpp ends a plain scalar at a question mark
                        return None
                    top.append(Yaml(SCALAR, value, event.start_mark, style))
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if event.anchor is not None or event.tag is not None or len(stack) > MAX_DEPTH - 100:
                    return None
                is_map = kind is MappingStartEvent
                if is_map and event.flow_style:
                    return None
                items: list[Any] = []
                top.append(Yaml(MAP if is_map else SEQUENCE, items, event.start_mark))
                stack.append(top)
                kinds.append(is_map)
                flows += bool(event.flow_style)
                top = items
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                items = top
                top = stack.pop()
                if kinds.pop():
                    top[-1].value = list(zip(items[::2], items[1::2]))
                elif flows:
                    # only lists are flows here, and what is in a flow is a flow
                    flows -= 1
            elif kind is AliasEvent:
                return None
            elif kind is DocumentEndEvent:
                if documents[-1].kind == NULL:
                    # yaml-cpp takes a null document for the end and does not look further
                    return documents[:-1] if isinstance(get(), StreamEndEvent) else None
            elif kind is StreamEndEvent:
                return documents
            event = get()
    except Exception:  # any refusal of libyaml is for the other reader to judge
        return None
