"""The stand-in for Falco's program: configuration, rules, outputs and metrics around the collection's own evaluator.

It runs in the image `standin-falco`, beside `falco-sensor`, which tells it what the kernel sees. Its files:

- `__main__`: the command line
- `config`: falco.yaml
- `rules`: rules files loaded into an engine, and verdicts on them in Falco's words
- `needs`: which types of events, and which of their fields, the loaded rules ask for
- `daemon`: sources, reloads and the end
- `sensor`, `k8saudit`, `k8saudit_webhook`: the two sources of events
- `alerts`, `outputs`: what goes out, and where to
- `webserver`: /healthz, /versions and /metrics
- `listening`: what it and the webhook are made of
- `log`: what it says on standard error
"""
