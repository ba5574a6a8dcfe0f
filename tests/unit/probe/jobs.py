"""A fake API server whose Jobs get a running pod at once, for methods that start pods of their own."""

from __future__ import annotations

from typing import Any

from ..kube.fake_api import Answer, FakeApi


class JobsApi(FakeApi):
    """Makes the pod of each Job that is applied, and removes it with the Job.

    Attributes:
        address: of the pods that are made; several of them share it.
    """

    def __init__(self, address: str = "127.0.0.40") -> None:
        super().__init__()
        self.address = address

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> Answer:
        answer = super().answer(method, path, query, body)
        if method == "PATCH" and "/jobs/" in path and answer[0] == 200:
            self._start(body)
        if method == "PATCH" and path.startswith("/api/v1/namespaces/") and path.count("/") == 4:
            account = {"metadata": {"name": "default"}}
            self.collections[f"{path}/serviceaccounts"] = [account]
        return answer

    def pods(self, namespace: str) -> list[dict[str, Any]]:
        """The list of a namespace, which may be changed."""
        return self.collections.setdefault(f"/api/v1/namespaces/{namespace}/pods", [])

    def _start(self, job: dict[str, Any]) -> None:
        metadata, template = job["metadata"], job["spec"]["template"]
        item = {
            "metadata": {
                "name": f"{metadata['name']}-x",
                "namespace": metadata["namespace"],
                "uid": f"uid-{metadata['name']}",
                "labels": template["metadata"]["labels"],
            },
            "spec": template["spec"],
            "status": {"phase": "Running", "podIP": self.address},
        }
        self.pods(metadata["namespace"]).append(item)
