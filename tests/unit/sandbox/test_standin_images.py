"""Images of the stand-ins and the receiver's manifest: they say what they are and fit together."""

from __future__ import annotations

from pathlib import Path

import yaml

from sandbox import images
from sandbox.standins import images as standins
from sandbox.standins.falco.__main__ import SENSOR

HERE = Path(standins.__file__).parent


def test_names_and_labels_say_that_they_are_stand_ins() -> None:
    for spec in standins.IMAGES:
        assert spec.name.startswith("sandbox.local/standin-")
        assert spec.labels["falconet.sandbox/stand-in"] == "true"


def test_sources_are_builds_that_exist() -> None:
    builds = {build.name: build for build in images.all_builds()}
    for spec in standins.IMAGES:
        for source in spec.files.values():
            assert source.startswith("/")
        assert {source.split("/")[0] for source in spec.files} <= {*builds, "busybox", "falco", "sensor"}
        assert {source.split("/")[0] for source in spec.trees} <= {"python"}


def test_the_charts_default_images_are_the_ones_built() -> None:
    names = {spec.name for spec in images.all_images()}
    top = yaml.safe_load((HERE / "charts" / "falco" / "values.yaml").read_text())
    meta = yaml.safe_load((HERE / "charts" / "falco" / "Chart.yaml").read_text())
    sub = yaml.safe_load((HERE / "charts" / "falco" / "charts" / "falcosidekick" / "values.yaml").read_text())
    wanted = [
        sub["image"],
        sub["webui"]["image"],
        sub["webui"]["initContainer"]["image"],
        sub["webui"]["redis"]["image"],
    ]
    wanted.append({**top["image"], "tag": top["image"]["tag"] or meta["appVersion"]})
    for image in wanted:
        assert f"{image['registry']}/{image['repository']}:{image['tag']}" in names


def test_falcos_image_has_rules_a_configuration_and_the_program() -> None:
    falco = next(spec for spec in standins.IMAGES if spec.name == standins.FALCO_IMAGE)
    assert {"/etc/falco/falco.yaml", "/etc/falco/falco_rules.yaml", "/etc/falco/falco_rules.local.yaml"} <= set(
        falco.texts
    )
    assert falco.files["falco/falco"] == "/usr/bin/falco"
    assert falco.links["/usr/bin/falco-sensor"] == "standins"
    assert SENSOR == ("/usr/bin/falco-sensor",)
    assert falco.trees == {"python/root": "/"}
    assert falco.files["sensor/sensor.o"] == "/usr/share/falco/sensor.o"
    assert falco.links["/bin/sh"] == "busybox"
    assert falco.entrypoint == ()


def test_the_receiver_listens_where_telegram_messages_go() -> None:
    documents = list(yaml.safe_load_all((HERE / "manifests" / "alert-receiver.yaml").read_text()))
    by_kind = {thing["kind"]: thing for thing in documents}
    service = by_kind["Service"]
    host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.cluster.local"
    assert f"http://{host}:{service['spec']['ports'][0]['port']}" == standins.TELEGRAM_URL
    pod = by_kind["Deployment"]["spec"]["template"]
    assert pod["spec"]["containers"][0]["image"] == standins.ALERT_RECEIVER_IMAGE
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
