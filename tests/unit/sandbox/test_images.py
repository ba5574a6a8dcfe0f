"""Images: what the archive holds is what the specification says, byte for byte the same each time."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import images, oci
from sandbox.errors import SandboxError
from sandbox.image_import import parse_images
from sandbox.image_spec import ImageSpec
from sandbox.standins import images as standins

PATHS = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=3).map(
    lambda parts: "/" + "/".join(parts) + ".f"
)


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.setenv("FALCONET_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "tool-1234"
    (folder / "root/usr/bin").mkdir(parents=True)
    (folder / "big").write_bytes(b"x" * images.OWN_LAYER_BYTES)
    (folder / "small").write_bytes(b"small")
    (folder / "root/usr/bin/program").write_bytes(b"program")
    return {"tool": folder}


def read(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]  # a regular file always has content


def archive_of(*made: oci.Image) -> bytes:
    stream = io.BytesIO()
    oci.write_archive(made, stream)
    return stream.getvalue()


@given(st.dictionaries(PATHS, st.text(max_size=20), max_size=5))
def test_layer_holds_texts_and_their_parents(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]) -> None:
    one, other = (tmp_path_factory.mktemp("layer") / "layer.tar" for _ in range(2))
    oci.write_layer(one, texts=texts)
    oci.write_layer(other, texts=dict(reversed(texts.items())))
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as tar:
        members = tar.getmembers()
        seen: set[str] = set()
        for member in members:
            assert Path(member.name).parent.as_posix() in seen | {"."}
            assert (member.uid, member.mtime, member.uname) == (0, 0, "")
            if member.isdir():
                seen.add(member.name)
        found = {f"/{one.name}": tar.extractfile(one).read().decode() for one in members if one.isfile()}  # type: ignore[union-attr]  # a regular file always has content
    assert found == texts


def test_image_is_an_oci_archive_whose_digests_are_true(outputs: dict[str, Path]) -> None:
    spec = ImageSpec(
        "sandbox.local/thing:7",
        files={"tool/small": "/bin/small"},
        trees={"tool/root": "/"},
        links={"/bin/link": "small"},
        directories={"/tmp": 0o1777},
        entrypoint=("/bin/small",),
        user="1:1",
        env={"KEY": "value"},
        labels={"stand-in": "true"},
    )
    made = images.make_image(spec, outputs)
    blobs = read(archive_of(made))
    for name, data in blobs.items():
        if name.startswith("blobs/"):
            assert oci.sha256(data) == "sha256:" + name.rpartition("/")[2]
    index = json.loads(blobs["index.json"])
    annotation = index["manifests"][0]["annotations"]
    assert annotation == {"io.containerd.image.name": spec.name, "org.opencontainers.image.ref.name": "7"}
    manifest = json.loads(blobs["blobs/" + made.digest.replace(":", "/")])
    config = json.loads(blobs["blobs/" + manifest["config"]["digest"].replace(":", "/")])
    assert config["config"]["Entrypoint"] == ["/bin/small"]
    assert config["config"]["User"] == "1:1"
    assert config["config"]["Env"] == [f"PATH={images.DEFAULT_PATH}", "KEY=value"]
    assert config["config"]["Labels"] == {"stand-in": "true"}
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    layer = blobs["blobs/" + manifest["layers"][0]["digest"].replace(":", "/")]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        modes = {member.name: member.mode for member in tar.getmembers()}
        assert tar.getmember("bin/link").linkname == "small"
    assert modes["usr/bin/program"] == 0o755
    assert modes["tmp"] == 0o1777


def test_images_with_the_same_big_file_share_its_layer(outputs: dict[str, Path]) -> None:
    specs = [ImageSpec(f"local/{name}:1", {"tool/big": "/big"}, links={f"/{name}": "big"}) for name in ("a", "b")]
    (_, one), (_, other) = images.make_images(specs, outputs)
    assert one.layers[0] == other.layers[0]
    assert one.digest != other.digest
    blobs = [name for name in read(archive_of(one, other)) if name.startswith("blobs/")]
    assert len(blobs) == len(set(blobs)) == 1 + 2 + 2 + 2


def test_image_says_which_source_is_missing(outputs: dict[str, Path]) -> None:
    with pytest.raises(SandboxError, match=r"image local/a:1: there is no tool/absent") as caught:
        images.make_image(ImageSpec("local/a:1", {"tool/absent": "/x"}), outputs)
    assert "tool" in caught.value.hint


def test_two_images_of_one_name_are_refused(outputs: dict[str, Path]) -> None:
    with pytest.raises(SandboxError, match="two images are named local/a:1"):
        images.make_images([ImageSpec("local/a:1"), ImageSpec("local/a:1")], outputs)


def test_every_image_has_a_name_of_its_own_and_sources_that_are_built() -> None:
    specs = images.all_images()
    assert len({spec.name for spec in specs}) == len(specs)
    builds = {build.name: build.files for build in images.all_builds()}
    for spec in specs:
        for source in (*spec.files, *spec.trees):
            build, _, file = source.partition("/")
            assert build in ("bash", "busybox", "falco", "python", "redis", "sensor") or file in builds[build], source


def test_stand_ins_say_that_they_are() -> None:
    for spec in standins.IMAGES:
        assert "standin" in spec.name
        assert spec.labels, spec.name


def test_listing_of_ctr_is_understood() -> None:
    listing = "REF TYPE DIGEST SIZE PLATFORMS LABELS\nlocal/a:1 application/x sha256:12 3.0 MiB linux/amd64 -\n"
    assert parse_images(listing) == {"local/a:1": "sha256:12"}
    assert parse_images("") == {}
