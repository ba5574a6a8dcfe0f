"""The command line of the stand-in for Falco's program."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from .config import Config, ConfigError, read_config
from .daemon import Daemon
from .log import NOTICE, log
from .rules import BrokenRulesError, LoadedRules, load, load_contents, read_files, verdicts
from .webserver import ENGINE_VERSION, VERSION

SENSOR = ("/usr/bin/falco-sensor",)
_ABOUT = """\
The events are real: BPF programs tell the system calls, the starts and the ends of processes of this node, and an API
server its audit events. It is a stand-in all the same: it knows the system calls and the fields that
sandbox/standins/README.md names, and no others."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(1, f"Error: {message} (the stand-in for Falco knows fewer options)\n{self.format_usage()}")


def _parser() -> _Parser:
    parser = _Parser(
        prog="falco",
        description=NOTICE,
        epilog=_ABOUT,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-c", "--config", metavar="FILE", default="/etc/falco/falco.yaml", help="configuration (default: %(default)s)")
    add("-o", "--option", metavar="KEY=VALUE", action="append", default=[], help="override a configuration key")
    add("-r", "--rules", metavar="FILE", action="append", default=[], help="rules file or folder, for rules_files")
    add("-V", "--validate", metavar="FILE", action="append", default=[], help="validate rules files; exit 0 or 1")
    add("-L", dest="names", action="store_true", help="print the names of all rules and exit")
    add("--disable-source", metavar="SOURCE", action="append", default=[], help="leave an event source closed")
    add("--version", action="store_true", help="print the version and exit")
    for ignored in (("-A",), ("-U", "--unbuffered"), ("-u", "--userspace"), ("-pk",), ("-pc",)):
        add(*ignored, action="store_true", help=argparse.SUPPRESS)
    for ignored in (("--enable-source",), ("-p", "--print"), ("-M",)):
        add(*ignored, help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str]) -> int:
    """Run the stand-in; returns its exit code."""
    options = _parser().parse_args(argv)
    if options.version:
        print(f"Falco version: {VERSION}\nEngine:        {ENGINE_VERSION}\n{NOTICE}")
        return 0
    if options.validate:
        sys.stderr.write(f"{NOTICE}\n")
    else:
        log(NOTICE)
    try:
        config = read_config(Path(options.config), options.option)
    except ConfigError as error:
        log(f"Error: {error}")
        return 1
    if options.validate:
        return validate(options.validate, config)
    if options.rules:
        config = config.with_rules_files(options.rules)
    log(f"Falco version: {VERSION}")
    rules = _loaded(config)
    if rules is None:
        return 1
    if options.names:
        print("\n".join(rule.name for rule in rules.active))
        return 0
    hostname = os.environ.get("FALCO_HOSTNAME") or socket.gethostname()
    return Daemon(config, hostname, rules).run(options.disable_source, SENSOR)


def _loaded(config: Config) -> LoadedRules | None:
    """The rules that are configured; None where they are broken, which the log tells."""
    try:
        rules = load(config)
    except BrokenRulesError as error:
        for verdict in error.verdicts:
            log(f"Loading rules from: {verdict}")
        log(f"Error: {error}")
        return None
    for verdict in rules.verdicts:
        log(f"Loading rules from: {verdict}")
    return rules


def validate(files: Sequence[str], config: Config) -> int:
    """`falco -V`: verdicts on files, loaded in order, in text or JSON; returns the exit code."""
    sys.stderr.write("Validating rules file(s):\n" + "".join(f"   {file}\n" for file in files))
    try:
        contents = read_files(map(Path, files))
    except BrokenRulesError:
        unreadable = next(file for file in files if not os.access(file, os.R_OK))
        sys.stderr.write(f"Error: could not open file {unreadable} for reading\n")
        return 1
    loaded = load_contents(contents, config.plugin_names)
    said = "\n".join(verdicts(loaded))
    if config.json_output:
        print(json.dumps({"falco_load_results": loaded.to_json()}))
    else:
        print(said)
    if not loaded.successful:
        sys.stderr.write(f"Error: {said}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
