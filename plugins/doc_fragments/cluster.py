# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say which cluster a module talks to, shared by all modules that do."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file; several are separated by colons, as in the environment variable E(KUBECONFIG).
      - Without it and without O(host), the file that kubectl would use is taken, and inside a pod its service account.
      - If not set, the value of the environment variable E(K8S_AUTH_KUBECONFIG) is used.
    type: path
  context:
    description:
      - Name of a context in the kubeconfig file; its current context by default.
      - If not set, the value of the environment variable E(K8S_AUTH_CONTEXT) is used.
    type: str
  host:
    description:
      - URL of the API server, for connections without a kubeconfig file or to override the one in it.
      - If not set, the value of the environment variable E(K8S_AUTH_HOST) is used.
    type: str
  api_key:
    description:
      - Bearer token.
      - On OpenShift this is the token of a login, as M(community.okd.openshift_auth) returns it.
      - If not set, the value of the environment variable E(K8S_AUTH_API_KEY) is used.
    type: str
  ca_cert:
    description:
      - Path of the certificate of the authority that signed the API server's certificate.
      - If not set, the value of the environment variable E(K8S_AUTH_SSL_CA_CERT) is used.
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description:
      - Path of a client certificate.
      - If not set, the value of the environment variable E(K8S_AUTH_CERT_FILE) is used.
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the key of O(client_cert).
      - If not set, the value of the environment variable E(K8S_AUTH_KEY_FILE) is used.
    type: path
    aliases: [key_file]
  validate_certs:
    description:
      - Whether the API server's certificate is verified. What the kubeconfig file says holds if this is not set.
      - If not set, the value of the environment variable E(K8S_AUTH_VERIFY_SSL) is used.
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP proxy on the way to the API server.
      - If not set, the value of the environment variable E(K8S_AUTH_PROXY) is used.
    type: str
requirements:
  - kubernetes >= 24.2.0 (Python library, on the machine that runs the module)
"""
