"""Small repositories in the form of the two analysers': what agrees, what differs, and what the exit code is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tools.agreement.__main__ import main

MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: x, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec:
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: x}]}
"""
POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {matchLabels: {role: monitoring}}}]
    ports: [{port: 8080}]
  - from: [{podSelector: {matchLabels: {app: db}}}]
    ports: [{port: http}]
"""
LIST = """\
0.0.0.0-255.255.255.255[External] => shop/db[Deployment] : All Connections
shop/db[Deployment] => 0.0.0.0-255.255.255.255[External] : All Connections
shop/db[Deployment] => shop/web[Deployment] : TCP 8080
"""
EXPOSED = """\

Exposure Analysis Result:
Egress Exposure:
shop/db[Deployment]  \t=> \tentire-cluster : All Connections

Ingress Exposure:
shop/db[Deployment]  \t<= \tentire-cluster : All Connections
shop/web[Deployment] \t<= \tshop/[pod with {role=monitoring}] : TCP 8080
"""
DIFFERENCE = """\
Connectivity diff:
diff-type: removed, source: 0.0.0.0-255.255.255.255[External], destination: shop/web[Deployment], ref1: All Connections, ref2: No Connections
diff-type: removed, source: shop/web[Deployment], destination: 0.0.0.0-255.255.255.255[External], ref1: All Connections, ref2: No Connections
diff-type: removed, source: shop/web[Deployment], destination: shop/db[Deployment], ref1: All Connections, ref2: No Connections
diff-type: changed, source: shop/db[Deployment], destination: shop/web[Deployment], ref1: All Connections, ref2: TCP 8080
"""  # noqa: E501 - their lines
EXPLAINED = """\
----
Connections between shop/web[Deployment] => shop/db[Deployment]:

Denied connections:
\tDenied TCP, UDP, SCTP due to the following policies and rules:

Connections between shop/db[Deployment] => shop/web[Deployment]:

Allowed connections:
\tAllowed TCP:[8080] due to the following policies and rules:

# All Connections due to the system default (Allow all) #
shop/db[Deployment] => 0.0.0.0-255.255.255.255[External]
"""
CASES = """\
	cases := []struct { dir string }{
		{
			dir: "shop", sourceNs: "shop", sourceWorkload: "db", destWorkload: "web", destNs: "shop",
			protocol: "tcp", port: "8080", evalResult: true,
		},
		{
			dir:            "shop",
			sourceNs:       "shop",
			sourceWorkload: "web",
			destWorkload:   "db",
			destNs:         "shop",
			port:           "80",
			evalResult:     false,
		},
	}
"""


@pytest.fixture
def analyzer(tmp_path: Path) -> Path:
    """A repository in the form of netpol-analyzer's."""
    for name, text in {
        "tests/shop/all.yaml": f"{MANIFESTS}---\n{POLICY}",
        "tests/open/all.yaml": MANIFESTS,
        "test_outputs/connlist/shop_connlist_output.txt": LIST,
        "test_outputs/connlist/shop_focus_workload_web_connlist_output.txt": LIST.splitlines()[2],
        "test_outputs/connlist/shop_tcp-8080_connlist_output.txt": "shop/db[Deployment] => shop/web[Deployment]\n"
        "0.0.0.0-255.255.255.255[External] => shop/db[Deployment]\n"
        "shop/db[Deployment] => 0.0.0.0-255.255.255.255[External]\n",
        "test_outputs/connlist/shop_exposure_output.txt": LIST + EXPOSED,
        "test_outputs/connlist/shop_explain_output.txt": EXPLAINED,
        "test_outputs/diff/diff_between_shop_and_open.txt": DIFFERENCE,
        "pkg/netpol/eval/eval_test.go": CASES,
        "pkg/cli/command_test.go": "",
    }.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_what_agrees(analyzer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--netpol-analyzer", str(analyzer)]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("netpol-analyzer")]
    assert [(" ".join(row[:-4]), [int(number) for number in row[-4:]]) for row in rows] == [
        ("netpol-analyzer: connection lists", [4, 10, 4, 0]),
        ("netpol-analyzer: verdicts of explain", [1, 3, 1, 0]),
        ("netpol-analyzer: exposure", [1, 3, 1, 0]),
        ("netpol-analyzer: differences", [1, 4, 1, 0]),
        ("netpol-analyzer: verdicts of eval", [2, 2, 2, 0]),
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("connlist/shop_connlist_output.txt", "TCP 8080", "TCP 80", "theirs TCP 80, ours TCP 8080"),
        ("connlist/shop_explain_output.txt", "Allowed TCP:[8080]", "Allowed TCP", "theirs allowed TCP 1-65535"),
        ("connlist/shop_explain_output.txt", "Denied TCP, UDP, SCTP", "Allowed TCP", "theirs allowed TCP 1-65535"),
        ("connlist/shop_exposure_output.txt", "{role=monitoring}] : TCP 8080", "{role=other}] : TCP 8080", "'other'"),
        (
            "connlist/shop_exposure_output.txt",
            "=> \tentire-cluster : All",
            "=> \tentire-cluster : No",
            "theirs nothing",
        ),
        ("diff/diff_between_shop_and_open.txt", "ref2: TCP 8080", "ref2: UDP 8080", "after: shop/db[Deployment]"),
        ("../pkg/netpol/eval/eval_test.go", "evalResult: true", "evalResult: false", "theirs false, ours True"),
    ],
)
def test_what_differs_is_told(
    file: str, old: str, new: str, said: str, analyzer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = analyzer / "test_outputs" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert main(["--netpol-analyzer", str(analyzer)]) == 1
    assert said in capsys.readouterr().out


def test_what_differs_because_of_a_refused_object_is_explained(
    analyzer: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = POLICY.replace("policyTypes: [Ingress, Egress]", "policyTypes: [Sideways]").replace(
        "name: web", "name: x"
    )
    (analyzer / "tests" / "shop" / "refused.yaml").write_text(refused)
    listed = analyzer / "test_outputs" / "connlist" / "shop_connlist_output.txt"
    listed.write_text(LIST.replace("TCP 8080", "TCP 80"))
    assert main(["--netpol-analyzer", str(analyzer)]) == 0
    assert "1 explained: an object that the API server refuses is left out here" in capsys.readouterr().out


SCHEME = """\
namespaceList: ns.yaml
podList: all.yaml
networkConfigList:
- name: none
  networkPolicyList: []
- name: web
  networkPolicyList: [policy.yaml]
queries:
- {name: a, equivalence: [none, web], expected: 1}
- {name: b, containment: [none, web], expected: 1}
- {name: c, twoWayContainment: [web, none], expected: 2}
- {name: d, permits: [web, web/shop/web], expected: 0}
- {name: e, forbids: [none, web], expected: 1}
- {name: f, allCaptured: [web], expected: 2}
- {name: g, vacuity: [none, web], expected: 1}
- {name: h, semanticDiff: [none, web], expected: 2}
- {name: i, redundancy: [web], expected: 0}
- name: j
  connectivityMap: [web]
  outputConfiguration: {outputFormat: txt_no_fw_rules}
  expectedOutput: list.txt
"""


@pytest.fixture
def config_analyzer(tmp_path: Path) -> Path:
    """A repository in the form of network-config-analyzer's."""
    folder = tmp_path / "tests" / "k8s_testcases" / "example_policies"
    folder.mkdir(parents=True)
    (folder / "shop-scheme.yaml").write_text(SCHEME)
    (folder / "all.yaml").write_text(MANIFESTS)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    (folder / "list.txt").write_text(
        textwrap.dedent("""\
        0.0.0.0-255.255.255.255 => shop/db[Deployment] : All connections
        shop/db[Deployment] => 0.0.0.0-255.255.255.255 : All connections
        shop/db[Deployment] => shop/web[Deployment] : {protocols:TCP,dst_ports:8080}
        """)
    )
    return folder


def test_sets_of_policies(config_analyzer: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = config_analyzer.parents[2]
    assert main(["--network-config-analyzer", str(root)]) == 0, capsys.readouterr().out
    out = capsys.readouterr().out
    assert out.count("of sets") == 8
    assert "redundancy" not in out
    scheme = config_analyzer / "shop-scheme.yaml"
    row = "semanticDiff: [none, web], expected: "
    scheme.write_text(SCHEME.replace(f"{row}2", f"{row}3"))
    assert main(["--network-config-analyzer", str(root)]) == 1
    assert "theirs 3, ours 2" in capsys.readouterr().out


def test_it_needs_something_to_compare(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "nothing to compare" in capsys.readouterr().err
