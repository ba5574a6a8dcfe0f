"""Routes from outside whose backends policies cut off: as finding, as question, and in the reason of a denied query."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.analysis import answer
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.ask.request import Request
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.decide.reference import Decider
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.lint import lint
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.lint.routes import is_controller, leads
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.objects import Options
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.model.routes import Route
from ansible_collections.falconet.k8s.plugins.module_utils.netpol.read.manifests import Input, load

from .test_lint import findings, pod, policy

WEB = pod("web", ports=[{"name": "http", "containerPort": 8080}])
NGINX = pod("nginx", "ingress", {"app.kubernetes.io/name": "ingress-nginx"})
ROUTER = pod(
    "router", "openshift-ingress", {"ingresscontroller.operator.openshift.io/deployment-ingresscontroller": "x"}
)
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "prod"},
    "spec": {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
}


def route(version: str, kind: str, spec: dict[str, Any], namespace: str = "prod") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "r", "namespace": namespace}, "spec": spec}


def ingress(**port: Any) -> dict[str, Any]:
    path = {"path": "/", "backend": {"service": {"name": "web", "port": port}}}
    return route("networking.k8s.io/v1", "Ingress", {"rules": [{"http": {"paths": [path]}}]})


ROUTES = {
    "Ingress": ingress(number=80),
    "Ingress by name": ingress(name="http"),
    "Ingress by default": route(
        "networking.k8s.io/v1", "Ingress", {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
    ),
    "Ingress of old": route("extensions/v1beta1", "Ingress", {"backend": {"serviceName": "web", "servicePort": 80}}),
    "HTTPRoute": route(
        "gateway.networking.k8s.io/v1", "HTTPRoute", {"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}
    ),
    "HTTPRoute of another namespace": route(
        "gateway.networking.k8s.io/v1",
        "HTTPRoute",
        {"rules": [{"backendRefs": [{"name": "web", "namespace": "prod", "port": 80}]}]},
        "edge",
    ),
    "Route": route("route.openshift.io/v1", "Route", {"to": {"kind": "Service", "name": "web"}}),
    "Route by the pod's port": route(
        "route.openshift.io/v1", "Route", {"to": {"name": "web"}, "port": {"targetPort": "http"}}
    ),
}
DENY = policy("{podSelector: {}}", "deny")


def cut(*manifests: dict[str, Any]) -> list[str]:
    return [finding.message for finding in findings(*manifests) if finding.code == "cuts-route"]


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_whose_backend_is_cut_off_is_found(name: str) -> None:
    (message,) = cut(WEB, SERVICE, ROUTES[name], DENY)
    assert "prod/Pod/web does not let in any controller that is not in the input on TCP 8080" in message
    assert cut(WEB, SERVICE, ROUTES[name]) == []
    assert cut(WEB, SERVICE, ROUTES[name], DENY, policy("{podSelector: {}, ingress: [{ports: [{port: 8080}]}]}")) == []


@pytest.mark.parametrize(
    ("ingress_rule", "open_"),
    [
        ("{from: [{namespaceSelector: {}}]}", True),
        ("{from: [{namespaceSelector: {}}], ports: [{port: 80}]}", False),
        ("{from: [{ipBlock: {cidr: 192.0.2.0/24}}]}", True),
        ("{from: [{podSelector: {matchLabels: {app: proxy}}}]}", True),
        ("{from: [{podSelector: {matchLabels: {app: web}}}]}", False),
    ],
)
def test_a_controller_that_is_not_in_the_input_may_be_anybody_who_is_not(ingress_rule: str, open_: bool) -> None:
    opened = policy(f"{{podSelector: {{}}, ingress: [{ingress_rule}]}}")
    assert (cut(WEB, SERVICE, ROUTES["Ingress"], opened) == []) is open_


def test_a_controller_of_the_input_must_come_in() -> None:
    others = policy("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]}")
    (message,) = cut(WEB, SERVICE, ROUTES["Ingress"], NGINX, others)
    assert "does not let in ingress/nginx on TCP 8080" in message
    its = policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector:"
        " {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}]}"
    )
    assert cut(WEB, SERVICE, ROUTES["Ingress"], NGINX, its) == []
    # OpenShift's routes come by its router, whatever other controllers there are.
    (message,) = cut(WEB, SERVICE, ROUTES["Route"], NGINX, ROUTER, its)
    assert "openshift-ingress/router" in message


@pytest.mark.parametrize("namespace", ["another", "zz-another"])
def test_of_several_controllers_one_that_comes_in_will_do(namespace: str) -> None:
    """Whether it stands before or behind those that do not."""
    other = pod("traefik", namespace, {"app.kubernetes.io/name": "traefik"})
    its = policy(
        "{podSelector: {}, ingress: [{from: [{namespaceSelector:"
        " {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}]}"
    )
    for controllers in ([other, NGINX], [NGINX, other]):
        assert cut(WEB, SERVICE, ROUTES["Ingress"], *controllers, its) == []
        (found,) = ask("routes", WEB, SERVICE, ROUTES["Ingress"], *controllers, its)["routes"]
        assert (found["allowed"], found["from"], found["policy"]) == (True, "ingress/nginx", "")
        assert len(cut(WEB, SERVICE, ROUTES["Ingress"], *controllers, DENY)) == 1


@pytest.mark.parametrize(
    ("labels", "kind", "known"),
    [
        ({"app.kubernetes.io/name": "traefik"}, "Ingress", True),
        ({"app.kubernetes.io/name": "web"}, "Ingress", False),
        ({"istio": "ingressgateway"}, "HTTPRoute", True),
        ({"istio": "pilot"}, "HTTPRoute", False),
        ({"gateway.networking.k8s.io/gateway-name": "edge"}, "HTTPRoute", True),
        ({"gateway.envoyproxy.io/owning-gateway-name": "edge"}, "HTTPRoute", True),
        (ROUTER["metadata"]["labels"], "Ingress", True),
        (ROUTER["metadata"]["labels"], "Route", True),
        ({"app.kubernetes.io/name": "traefik"}, "Route", False),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else None,
)
def test_a_controller_is_known_by_its_labels(labels: dict[str, str], kind: str, known: bool) -> None:
    (found,) = load([Input("test", objects=[pod("proxy", "edge", labels)])]).pods
    assert is_controller(found, Route(kind, "prod", "r", ())) is known


def test_a_controller_whose_address_is_not_known_may_come_in() -> None:
    opened = policy("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}")
    assert cut(WEB, SERVICE, ROUTES["Ingress"], NGINX, opened) == []
    placed = pod("nginx", "ingress", NGINX["metadata"]["labels"], ip="192.0.2.1")
    assert len(cut(WEB, SERVICE, ROUTES["Ingress"], placed, opened)) == 1


@pytest.mark.parametrize(("more", "verb"), [([], "isolates"), ([policy("{podSelector: {}}", "other")], "isolate")])
def test_who_cuts_a_route_off_is_told_with_its_place(more: list[dict[str, Any]], verb: str) -> None:
    text = yaml.safe_dump_all([WEB, SERVICE, ROUTES["Ingress"], DENY, *more])
    model = load([Input("all.yaml", text=text)])
    (found,) = [one for one in lint(model, model.policies, Options()) if one.code == "cuts-route"]
    assert (found.item, found.file, found.line) == (
        "NetworkPolicy prod/deny",
        "all.yaml",
        model.policies[0].origin.line,
    )
    (lead,) = leads(Decider(model, model.policies))
    assert f" {verb} prod/web for ingress, and no rule lets in anybody from outside its namespace on TCP 8080" in str(
        lead
    )


def ask(question: str, *manifests: dict[str, Any], **more: Any) -> dict[str, Any]:
    return answer(Request(question, **more), load([Input("test", objects=list(manifests))]))


def test_routes_are_a_question() -> None:
    result = ask("routes", WEB, SERVICE, ROUTES["Ingress"], NGINX, DENY)
    reason = "NetworkPolicy prod/deny isolates prod/web for ingress and no rule allows it"
    assert result["routes"] == [
        {
            "route": "Ingress prod/r",
            "service": "prod/web",
            "from": "ingress/nginx",
            "to": "prod/Pod/web",
            "protocol": "TCP",
            "ports": "8080",
            "allowed": False,
            "policy": "NetworkPolicy prod/deny",
            "reason": reason,
        }
    ]
    assert result["text"] == [f"Ingress prod/r -> prod/Pod/web on TCP 8080: cut: {reason}"]
    assert (result["summary"]["routes"], result["summary"]["cut"]) == (1, 1)
    assert ask("routes", WEB, SERVICE, ROUTES["Ingress"], NGINX)["text"][0].endswith(": open")
    assert ask("routes", WEB, SERVICE, ROUTES["Ingress"], namespaces=("dev",))["routes"] == []


@pytest.mark.parametrize("source", [{"pod": "nginx"}, {"ip": "203.0.113.7"}])
def test_a_denied_query_of_a_backend_tells_the_route(source: dict[str, str]) -> None:
    manifests = [WEB, SERVICE, ROUTES["Ingress"], NGINX, DENY]
    (verdict,) = ask("query", *manifests, source=source, destination={"pod": "web"}, ports=[8080])["verdicts"]
    assert [hint["code"] for hint in verdict["hints"]] == ["cuts-route"]
    assert "Ingress prod/r leads to Service prod/web" in verdict["reason"]


def test_a_denied_query_of_a_pod_beside_a_backend_tells_no_route() -> None:
    other = {
        **SERVICE,
        "metadata": {"name": "db", "namespace": "prod"},
        "spec": {"selector": {"app": "db"}, "ports": []},
    }
    manifests = [WEB, pod("db"), SERVICE, other, ROUTES["Ingress"], NGINX, DENY]
    (verdict,) = ask("query", *manifests, source={"pod": "nginx"}, destination={"pod": "db"}, ports=[8080])["verdicts"]
    assert verdict["hints"] == []


def test_a_route_to_what_is_not_in_the_input_is_no_finding() -> None:
    assert cut(WEB, ROUTES["Ingress"], DENY) == []
    other = route("networking.internal.knative.dev/v1alpha1", "Ingress", {"rules": []})
    assert load([Input("test", objects=[other])]).routes == []
