"""Stand-ins for what package registries do not have: images, the chart ``falco``, an alert receiver. Each says that it is one."""
