"""A Falco that runs: events of its sources against its rules, reloads, and the end."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence

from ansible_collections.falconet.k8s.plugins.module_utils.falco.evaluate.events import K8S_AUDIT, SYSCALL, Event

from . import needs
from .alerts import alert_line, internal_line
from .config import K8SAUDIT, Config, ConfigError
from .k8saudit import AuditError, AuditSource
from .log import log
from .outputs import Outputs
from .rules import BrokenRulesError, LoadedRules, load, read_files, state_of
from .sensor import Sensor, SensorError, Wanted
from .webserver import serve

_CHANGE_SECONDS = 0.25
"""How often the rules files are looked at."""
_NO_METRICS_SECONDS = 0.3
"""After a reload."""


class Daemon:
    """What the parts share.

    Attributes:
        config: falco.yaml.
        hostname: of the node.
        rules: those that events are tried on.
        outputs: where alerts go.
        sensor: tells of system calls; None where they are no source.
        started_ns: when, in nanoseconds since 1970.
    """

    def __init__(self, config: Config, hostname: str, rules: LoadedRules) -> None:
        self.config = config
        self.hostname = hostname
        self.rules = rules
        self.outputs = Outputs(config)
        self.sensor: Sensor | None = None
        self.started_ns = time.time_ns()
        self._coming: dict[int, tuple[LoadedRules, Wanted]] = {}
        self._tried = rules.state
        self._dropped = 0
        self._no_metrics_until = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._code = 0

    @property
    def reloading(self) -> bool:
        """Whether rules were loaded anew just now."""
        return time.monotonic() < self._no_metrics_until

    def run(self, disabled: Sequence[str], sensor: Sequence[str]) -> int:
        """Open the sources and serve until a signal or an error; returns the exit code.

        Args:
            disabled: names of sources that stay closed.
            sensor: argv of the program that tells of system calls.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _frame: self._end(0, f"{signal.Signals(received).name}: end"))
        again = threading.Event()
        signal.signal(signal.SIGHUP, lambda _number, _frame: again.set())
        audit = None
        try:
            if SYSCALL not in disabled:
                self.sensor = Sensor(sensor, self.hostname)
                self._expect(self.rules)
                self._start(self._watch_system_calls)
            plugins = {plugin.name: plugin for plugin in self.config.plugins}
            if K8SAUDIT in plugins and K8S_AUDIT not in disabled:
                audit = AuditSource(plugins[K8SAUDIT], self._handle)
                audit.open()
                self._start(lambda: self._read_audit_events(audit))
            if self.config.webserver is not None:
                settings = self.config.webserver
                log(f"Starting health webserver, listening on {settings.address}:{settings.port}")
                self._start(serve(self, settings).serve_forever)
        except (SensorError, ConfigError, AuditError, OSError) as error:
            log(f"Error: {error}")
            return 1
        self._announce()
        passed = 0
        while not self._ended.wait(_CHANGE_SECONDS):
            if again.is_set() or self._changed():
                again.clear()
                self.reload()
            passed += 1
            if passed % 4 == 0:
                self._tell_drops()
        if audit is not None:
            audit.close()
        if self.sensor is not None:
            self.sensor.close()
        return self._code

    def _announce(self) -> None:
        sources = [SYSCALL] if self.sensor is not None else []
        if K8SAUDIT in self.config.plugin_names:
            sources.append(K8S_AUDIT)
        log(f"{len(self.rules.active)} rules are active; sources: {', '.join(sources) or 'none'}")
        if self.sensor is not None:
            kind = self.config.engine_kind
            log(f"driver '{kind}' is not used: a sensor of the sandbox sees the system calls of this node")

    def _start(self, target: Callable[[], None]) -> None:
        threading.Thread(target=target, daemon=True).start()

    def _end(self, code: int, why: str) -> None:
        if not self._ended.is_set():
            log(why)
            self._code = code
            self._ended.set()

    def _watch_system_calls(self) -> None:
        assert self.sensor is not None
        self.sensor.events(self._arrived, self._handle)
        self._end(1, "Error: the sensor ended")

    def _read_audit_events(self, audit: AuditSource) -> None:
        try:
            audit.run()
        except AuditError as error:
            self._end(1, f"Error: {error}")
        else:
            if self.sensor is None:
                self._end(0, "k8saudit: no more events: end")

    def _handle(self, event: Event) -> None:
        """Try the rules on an event; sources may call it at the same time."""
        rules = self.rules
        for rule in rules.engine.matches(event):
            with self._lock:
                rules.matches[rule.name] += 1
            self.outputs.send(alert_line(rule.alert(event), self.config, self.hostname))

    def _expect(self, rules: LoadedRules) -> None:
        """Ask the sensor for what these rules need; they are used from the first event on that has it."""
        assert self.sensor is not None
        wanted = needs.wanted(rules.engine, self.sensor.types)
        with self._lock:
            self._coming[self.sensor.want(wanted)] = (rules, wanted)

    def _arrived(self, number: int) -> Wanted:
        with self._lock:
            rules, wanted = self._coming.pop(number)
        self._use(rules)
        return wanted

    def _use(self, rules: LoadedRules) -> None:
        if rules is not self.rules:
            for name, count in self.rules.matches.items():
                if name in rules.matches:
                    rules.matches[name] = count
            self._no_metrics_until = time.monotonic() + _NO_METRICS_SECONDS
            self.rules = rules
            log(f"{len(rules.active)} rules are active after the reload")

    def _changed(self) -> bool:
        if not self.config.watch_config_files:
            return False
        try:
            return state_of(read_files(self.config.files())) != self._tried
        except BrokenRulesError:
            return False  # amid the change of a volume

    def reload(self) -> None:
        """Try the files as they are now; of broken ones only the log and an alert tell: the old rules stay."""
        log("Rules files changed: restarting with a dry run first")
        try:
            self._tried = state_of(read_files(self.config.files()))  # the same broken files are not tried again
            rules = load(self.config)
        except BrokenRulesError as error:
            for verdict in error.verdicts:
                log(f"Loading rules from: {verdict}")
            log(f"Error: hot restart failure: {error}; the old rules stay")
            rule = "Falco internal: hot restart failure"
            self.outputs.send(internal_line(rule, "Critical", f"{rule}: {error}", {}, self.config, self.hostname))
            return
        if self.sensor is not None:
            self._expect(rules)
        else:
            self._use(rules)

    def _tell_drops(self) -> None:
        """Alert where the kernel could not give events away since it was asked last."""
        if self.sensor is None or self.sensor.dropped == self._dropped:
            return
        lost = self.sensor.dropped - self._dropped
        rule = "Falco internal: syscall event drop"
        figures = {"n_drops": lost, "n_drops_buffer_total": self.sensor.dropped, "n_evts": self.sensor.seen}
        text = f"{rule}. {lost} system calls dropped in last second."
        fields = {**figures, "evt.time": time.time_ns()}
        self.outputs.send(internal_line(rule, "Debug", text, fields, self.config, self.hostname))
        self._dropped = self.sensor.dropped
