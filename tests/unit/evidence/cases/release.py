"""What Helm's records and workloads tell, and the checks of charts and images that stage falco makes of it."""

from __future__ import annotations

from typing import Any

FALCO, SIDE = "DaemonSet/falco", "Deployment/side"
IMAGES = {FALCO: {"falco": "reg.example/falco:1"}, SIDE: {"side": "reg.example/side:2"}}


def record(name: str = "falco", chart: str = "falco-9.1.0", **more: Any) -> dict[str, Any]:
    release = {"chart": chart, "app_version": "0.44.0", "revision": 3, "images": IMAGES}
    return {"name": name, "release": release, "unfinished": [], "beside": False, **more}


def work(kind: str, name: str, images: dict[str, str]) -> dict[str, Any]:
    running = {container: [f"{image}@sha256:1"] for container, image in images.items()}
    return {
        "kind": kind, "name": name, "wanted": 1, "ready": 1, "missing": [], "images": images, "running": running,
    }  # fmt: skip


def asked(*records: dict[str, Any], falco: str = "reg.example/falco:1", **more: Any) -> dict[str, Any]:
    """What is asked of a release whose DaemonSet runs this image."""
    workloads = [work("DaemonSet", "falco", {"falco": falco}), work("Deployment", "side", IMAGES[SIDE])]
    return {
        "kind": "Deployment",
        "claim": {"skipped": True},
        "releases": {"releases": list(records) or [record()]},
        "charts": {"falco": {"name": "falco", "version": "9.1.0"}},
        "images": {"falco": {"registry": "reg.example", "repository": "falco", "tag": "1"}},
        "image_of": {"falco": [FALCO, "falco"], "falcosidekick": [SIDE, "side"], "redis": ["StatefulSet/r", "redis"]},
        "rollout": {"pods": [], "workloads": workloads, "missing": []},
        **more,
    }


READY = (("workloads", "passed"), ("workloads", "passed"))
FINE = (("release", "passed"), ("images", "passed"), *READY)
CHART = (("release", "failed"), *FINE[1:])
IMAGE = (FINE[0], ("images", "failed"), *READY)
PINNED = {"falco": {"repository": "falco", "tag": "1", "digest": "sha256:2"}}
TWO = {"falco": {"name": "falco", "version": "9.1.0"}, "falcosidekick": {"name": "falcosidekick", "version": "1"}}
#: Name, what is asked, verdicts, words.
RELEASES: list[tuple[str, dict[str, Any], tuple[tuple[str, str], ...], tuple[str, ...]]] = [
    ("charts and images are as declared", asked(), FINE, ("declared: falco-9.1.0\n", "reg.example/side:2")),
    (
        "Helm's records cannot be read",
        asked(releases={"failed": True, "msg": "403"}),
        (("release", "skipped"), *FINE[1:]),
        ("403",),
    ),
    (
        "another version of the chart",
        asked(record(chart="falco-9.0.0")),
        CHART,
        ("falco is of chart falco-9.0.0, declared is falco-9.1.0 (falco_chart_version)",),
    ),
    ("another chart", asked(record(chart="own-1.0.0")), CHART, ("falco is of chart own-1.0.0",)),
    (
        "a second chart of its own version",
        asked(record(), record("more", "falcosidekick-1"), charts=TWO),
        FINE,
        ("falco-9.1.0; falcosidekick-1\n",),
    ),
    (
        "a chart of which nothing is declared here",
        asked(record(chart="own-1.0.0"), charts=TWO),
        FINE,
        ("own-1.0.0 (what is declared is not known here)",),
    ),
    ("no deployed release", asked(record(release=None)), CHART, ("Helm has no deployed release falco",)),
    ("an unfinished revision", asked(record(unfinished=[{}])), CHART, ("that Helm did not finish",)),
    (
        "an image that somebody changed",
        asked(falco="reg.example/falco:evil"),
        IMAGE,
        (
            "DaemonSet/falco runs reg.example/falco:evil in container falco, not reg.example/falco:1 as Helm installed "
            "it: somebody changed it since\n",
        ),
    ),
    *(
        (
            f"an image that is not declared: {image}",
            asked(record(release={"chart": "falco-9.1.0"}), falco=image, images=images),
            IMAGE if words else FINE,
            (words,),
        )
        for image, images, words in (
            ("reg.example/falco:2", None, "declared is tag 1 (falco_images.falco)"),
            ("other.example/falco:1", None, "declared is registry reg.example (falco_images.falco)"),
            ("reg.example/hawk:1", None, "declared is repository falco (falco_images.falco)"),
            ("reg.example:5000/falco", {"falco": {"tag": "1"}}, "declared is tag 1"),
            ("falco:1@sha256:1", PINNED, "declared is digest sha256:2"),
            ("falco:1@sha256:2", PINNED, ""),
            ("falco@sha256:2", PINNED, ""),
            ("falco:1", {"falco": {"repository": "falco"}}, ""),
            ("anything", {}, ""),
        )
        for images in [
            {"falco": {"registry": "reg.example", "repository": "falco", "tag": "1"}} if images is None else images
        ]
    ),
]
