"""What stands around pods and policies: read where it is served and may be read, and told where it may not."""

from __future__ import annotations

from typing import Any

from ansible_collections.falconet.k8s.plugins.module_utils.kube.client import Client
from ansible_collections.falconet.k8s.plugins.module_utils.kube.surroundings import take_policies, take_surroundings

from .fake_api import Answer, FakeApi

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
OWN: dict[str, list[dict[str, Any]]] = {
    "/api/v1/nodes": [{"metadata": {"name": "n", "managedFields": [{"manager": "x"}]}}],
    "/apis/networking.k8s.io/v1/ingresses": [{"metadata": {"name": "shop", "namespace": "a"}}],
    f"{ADMISSION}/validatingwebhookconfigurations": [{"metadata": {"name": "guard"}}],
    f"{ADMISSION}/mutatingwebhookconfigurations": [],
}
HTTP_ROUTES = "/apis/gateway.networking.k8s.io/v1/httproutes"


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": name, "namespace": "a"}, "spec": spec}


def discovery(_method: str, path: str, _query: object) -> Answer | None:
    """A cluster with the Gateway API in two versions, and with cert-manager, which is of no interest."""
    group = "gateway.networking.k8s.io"
    if path == "/apis":
        versions = [{"groupVersion": f"{group}/{version}"} for version in ("v1", "v1beta1")]
        foreign = {"name": "cert-manager.io", "versions": [{"groupVersion": "cert-manager.io/v1"}]}
        return 200, {"groups": [{"name": group, "versions": versions}, foreign]}
    if path in (f"/apis/{group}/v1", f"/apis/{group}/v1beta1"):
        kinds = [("httproutes", "HTTPRoute"), ("gateways", "Gateway")]
        return 200, {"resources": [{"name": name, "kind": kind, "namespaced": True} for name, kind in kinds]}
    return None


def test_kinds_of_kubernetes_and_of_other_apis(api: FakeApi, client: Client) -> None:
    api.collections.update(OWN)
    api.collections[HTTP_ROUTES] = [{"metadata": {"name": "web", "namespace": "a"}}]
    api.faults = discovery
    found = take_surroundings(client, [])
    assert [(o["apiVersion"], o["kind"], o["metadata"]["name"]) for o in found.objects] == [
        ("v1", "Node", "n"),
        ("networking.k8s.io/v1", "Ingress", "shop"),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "guard"),
        ("gateway.networking.k8s.io/v1", "HTTPRoute", "web"),
    ]
    assert found.forbidden == []
    assert "managedFields" not in found.objects[0]["metadata"]
    assert not any("cert-manager" in path for _m, path, _q, _b in api.requests)


def test_endpoints_of_services_without_a_selector_alone(api: FakeApi, client: Client) -> None:
    api.collections.update(OWN)
    slices = "/apis/discovery.k8s.io/v1/namespaces/a/endpointslices"
    api.collections[slices] = [{"metadata": {"name": "db-1", "namespace": "a"}}]
    services = [service("web", selector={"app": "web"}), service("mail", type="ExternalName"), service("db")]
    found = take_surroundings(client, services)
    assert [o["metadata"]["name"] for o in found.objects if o["kind"] == "EndpointSlice"] == ["db-1"]
    asked = [query["labelSelector"] for _m, path, query, _b in api.requests if path == slices]
    assert asked == [["kubernetes.io/service-name in (db)"]]


def test_a_missing_right_leaves_a_kind_out_and_is_told(api: FakeApi, client: Client) -> None:
    api.collections.update(OWN)
    api.faults = lambda _m, path, _q: (403, {"reason": "Forbidden"}) if "ingresses" in path or path == "/apis" else None
    found = take_surroundings(client, [])
    assert found.forbidden == ["APIGroup", "Ingress"]
    assert [o["kind"] for o in found.objects] == ["Node", "ValidatingWebhookConfiguration"]


def test_policies_of_other_apis_alone(api: FakeApi, client: Client) -> None:
    group = "security.istio.io"

    def served(method: str, path: str, query: object) -> Answer | None:
        if path == "/apis":
            _status, found = discovery(method, path, query) or (200, {"groups": []})
            mesh = {"name": group, "versions": [{"groupVersion": f"{group}/v1"}]}
            return 200, {"groups": [*found["groups"], mesh]}
        if path == f"/apis/{group}/v1":
            kind = {"name": "authorizationpolicies", "kind": "AuthorizationPolicy", "namespaced": True}
            return 200, {"resources": [kind]}
        return discovery(method, path, query)

    api.collections[f"/apis/{group}/v1/authorizationpolicies"] = [{"metadata": {"name": "mesh", "namespace": "a"}}]
    api.faults = served
    found = take_policies(client)
    assert [(o["kind"], o["metadata"]["name"]) for o in found.objects] == [("AuthorizationPolicy", "mesh")]
    assert found.forbidden == []
    assert not any("route" in path or "nodes" in path for _m, path, _q, _b in api.requests)
