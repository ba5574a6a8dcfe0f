"""Alerts through a Falcosidekick and ansible-rulebook to respond.yml: one action each, and what happens when not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from .cluster import Cluster, wait_for
from .playbook import Site
from .probing import OURS, apply, running_system
from .rulebook import TOKEN, Rulebook, rulebook, sidekick
from .test_netpol_quarantine import ALLOW_ALL, LABEL, backends, quarantine

pytestmark = pytest.mark.cluster

HOSTILE = "{{ lookup('pipe', 'touch PLANTED') }}"
LADDER = [{"name": "shells", "rules": ["Shell"], "steps": ["note", "collect", "quarantine"]}]
#: A playbook has started and ended by then, on a machine that has other work beside.
RUN_SECONDS = 120.0


def alert(pod: str, rule: str = "Shell", namespace: str = OURS) -> dict[str, Any]:
    at = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    fields = {"k8s.ns.name": namespace, "k8s.pod.name": pod, "proc.cmdline": HOSTILE}
    return {"rule": rule, "priority": "Warning", "time": at, "output": HOSTILE, "output_fields": fields}


def responses(directory: Path) -> list[dict[str, Any]]:
    """All that was noted, of all incidents."""
    files = (directory / "incidents").glob("*/timeline.json")
    return [one for file in sorted(files) for one in json.loads(file.read_text())]


def channel(book: Rulebook) -> dict[str, str]:
    """What the Secret of falco_rulebook holds for this rulebook."""
    return {
        "WEBHOOK_ADDRESS": book.address,
        "WEBHOOK_CUSTOMHEADERS": f"Authorization:Bearer {TOKEN}",
        "TLSCLIENT_CACERTFILE": str(book.cert),
    }


@pytest.fixture(scope="module")
def watching(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rulebook, Path]]:
    """A rulebook whose responses are dry runs."""
    directory = tmp_path_factory.mktemp("watching")
    with rulebook(directory, site) as book:
        yield book, directory


def test_who_has_no_token_or_a_wrong_one_starts_nothing(watching: tuple[Rulebook, Path]) -> None:
    book, directory = watching
    assert [book.post(alert("a"), token=""), book.post(alert("a"), token="wrong")] == [401, 401]
    assert (book.runs(), responses(directory)) == (0, [])


def test_an_alert_goes_through_the_channel_of_falco_rulebook_and_duplicates_do_not(
    watching: tuple[Rulebook, Path],
) -> None:
    book, directory = watching
    with sidekick(directory, channel(book)) as sender:
        for _number in range(5):
            assert sender.post(alert("nobody")) == 200
        wait_for(lambda: sender.sent("ok") == 5, RUN_SECONDS, "five alerts to be taken")
        wait_for(lambda: len(responses(directory)) == 1, RUN_SECONDS, "the response")
    (noted,) = responses(directory)
    assert noted["plan"]["steps"][1]["why"] == f"pod {OURS}/nobody is gone"
    assert not (directory / "PLANTED").exists()
    assert TOKEN not in book.told()


def test_an_alert_is_told_as_lost_where_nobody_listens(tmp_path: Path) -> None:
    environment = {
        "WEBHOOK_ADDRESS": "https://127.0.0.1:1/alerts",
        "WEBHOOK_CUSTOMHEADERS": f"Authorization:Bearer {TOKEN}",
    }
    with sidekick(tmp_path, environment) as sender:
        sender.post(alert("nobody"))
        wait_for(lambda: sender.sent("error") == 1, 30, "the loss to be counted")
        assert TOKEN not in (tmp_path / "sidekick.log").read_text()


def test_a_client_certificate_takes_the_place_of_a_token(site: Site, tmp_path: Path) -> None:
    with rulebook(tmp_path, site, name="respond_mutual_tls") as book:
        assert book.post(alert("nobody")) == 0, "a token does not replace a certificate"
        # The rulebook's own certificate signs itself, so it is the CA of its clients, and one of these.
        mutual = {
            "WEBHOOK_ADDRESS": book.address,
            "WEBHOOK_MUTUALTLS": "true",
            "MUTUALTLSCLIENT_CERTFILE": str(book.cert),
            "MUTUALTLSCLIENT_KEYFILE": str(book.key),
            "MUTUALTLSCLIENT_CACERTFILE": str(book.cert),
        }
        with sidekick(tmp_path, mutual) as sender:
            sender.post(alert("nobody"))
            wait_for(lambda: len(responses(tmp_path)) == 1, RUN_SECONDS, "the response")
            assert (sender.sent("ok"), sender.sent("error")) == (1, 0)


@pytest.mark.parametrize("seconds", [5, pytest.param(60, marks=pytest.mark.long)])
def test_a_storm_costs_one_action_and_no_memory(watching: tuple[Rulebook, Path], seconds: int) -> None:
    book, directory = watching
    rule = f"Storm of {seconds} s"
    before, runs = book.resident_bytes(), len(responses(directory))
    sent = storm(book, rule, seconds)
    wait_for(lambda: len(responses(directory)) > runs, RUN_SECONDS, "the response")
    grown = book.resident_bytes() - before
    print(f"{sent} alerts in {seconds} s, {grown / 2**20:.0f} MiB more")
    assert sent > 20 * seconds
    assert grown < 200 * 2**20
    assert [one["plan"]["rule"] for one in responses(directory)].count(rule) == 1


def storm(book: Rulebook, rule: str, seconds: float, a_second: int = 1000, senders: int = 8) -> int:
    """Alerts as fast as is asked, or as the rulebook takes them; gives how many it took."""
    end, taken = time.monotonic() + seconds, threading.Semaphore(0)

    def send(_number: int) -> int:
        count = 0
        with book.connection() as line:
            while time.monotonic() < end:
                count += line.post(alert("nobody", rule)) == 200
                taken.acquire(timeout=senders / a_second)
        return count

    with ThreadPoolExecutor(senders) as pool:
        return sum(pool.map(send, range(senders)))


def test_a_pod_is_collected_held_and_proven_without_a_hand(site: Site, cluster: Cluster, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"respond_dry_run": False, "respond_ladder": LADDER, "respond_share_up": 0.5}
    with running_system(cluster), rulebook(tmp_path, site, **settings) as book:
        apply(cluster, ALLOW_ALL)
        pod = backends(cluster)[0]
        with sidekick(tmp_path, channel(book)) as sender:
            sender.post(alert(pod))
            wait_for(lambda: len(responses(tmp_path)) == 1, RUN_SECONDS, "the response")
        (noted,) = responses(tmp_path)
        assert noted["problems"] == []
        assert [one["what"] for one in noted["timeline"]][2:] == [
            "collected",
            "held, proven by analysis",
            "held, proven on the live network",
        ]
        print(noted["timeline"])
        assert noted["shown"]["open"] == []
        assert LABEL in cluster.get("pod", pod, "-n", OURS)["metadata"]["labels"]
        wait_for(lambda: len(backends(cluster)) == 2 and pod not in backends(cluster), 60, "a replacement")

        # A policy operator that puts the labels back is told by the next alert's response, which takes them again.
        cluster.kubectl("-n", OURS, "label", "pod", pod, "app=backend")
        assert quarantine(pod=pod)["changed"] is True
        assert "app" not in cluster.get("pod", pod, "-n", OURS)["metadata"]["labels"]
        assert quarantine(pod=pod, state="released")["changed"] is True
    assert list((tmp_path / "incidents").iterdir()) != []
