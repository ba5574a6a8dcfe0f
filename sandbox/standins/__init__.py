"""Stand-ins for what package registries do not have; each says that it is one."""
