"""A compact NetworkPolicy enforcer for one node; standard library only, because it runs inside the node."""
