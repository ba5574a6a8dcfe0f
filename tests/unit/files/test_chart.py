"""A chart that cannot be read is refused by its path and reason, packed or not."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from ansible_collections.falconet.k8s.plugins.module_utils.files.chart import read_chart
from ansible_collections.falconet.k8s.plugins.module_utils.kube.errors import KubeError

META = "{name: falco, version: 1.0.0, dependencies: [{name: sidekick, alias: s}]}"


def directory(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_a_directory_is_read(tmp_path: Path) -> None:
    chart = read_chart(str(directory(tmp_path, Chart=META, values="a: 1")))
    assert (chart.name, chart.version, chart.defaults, chart.missing) == ("falco", "1.0.0", {"a": 1}, ("s",))
    (tmp_path / "values.yaml").write_text("# nothing")
    assert read_chart(str(tmp_path)).defaults == {}


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"Chart": "", "values": ""}, "name"),
        ({"Chart": "[a]", "values": ""}, "Chart.yaml is no mapping"),
        ({"Chart": "text", "values": ""}, "Chart.yaml is no mapping"),
        ({"Chart": META, "values": "- a"}, "values.yaml is no mapping"),
        ({"Chart": META.replace("{name: sidekick, alias: s}", "sidekick")}, "dependencies of Chart.yaml"),
        ({"Chart": META.replace("[{name: sidekick, alias: s}]", "sidekick")}, "dependencies of Chart.yaml"),
        ({"Chart": "a: ["}, "Chart"),
    ],
)
def test_files_of_another_form_are_told(tmp_path: Path, files: dict[str, str], told: str) -> None:
    with pytest.raises(KubeError, match=told):
        read_chart(str(directory(tmp_path, **files)))


def test_a_damaged_archive_is_told_wherever_it_is_damaged(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in (("Chart.yaml", META), ("values.yaml", "a: 1\n" * 50)):
            entry = tarfile.TarInfo(f"falco/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    path, whole = tmp_path / "falco.tgz", packed.getvalue()
    path.write_bytes(whole)
    assert read_chart(str(path)).name == "falco"
    told = 0
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            read_chart(str(path))
        except KubeError as error:
            assert str(path) in str(error)
            told += 1
    assert told > len(whole) / 2
