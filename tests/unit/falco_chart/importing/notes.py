"""What an import tells its reader."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco_chart.importing import Imported


def told(result: Imported) -> dict[str, str]:
    """The notes, by their path."""
    return {note.path: f"{note.message} {note.hint}".strip() for note in result.notes}
