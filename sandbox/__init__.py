"""A real Kubernetes of three Rocky-like nodes, built from package registries alone, on one Linux machine."""
