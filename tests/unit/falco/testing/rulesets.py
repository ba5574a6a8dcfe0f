"""A small ruleset with what tests are about: macros, lists, exceptions, another source; and how tests are run on it."""

from __future__ import annotations

from ansible_collections.falconet.k8s.plugins.module_utils.falco.load.ruleset import Loader, RulesFile
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.format import read_tests
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.report import Report, judge
from ansible_collections.falconet.k8s.plugins.module_utils.falco.testing.run import Ruleset

LOADER = Loader()
RULES = """
- list: shells
  items: [sh, bash]
- macro: started
  condition: evt.type = execve
- rule: Shell
  desc: a shell
  condition: >
    started
    and proc.name in (shells) and proc.tty != 0
  output: Shell (command=%proc.cmdline
    user=%user.name)
  priority: NOTICE
  exceptions:
    - name: known
      fields: [user.name]
      comps: [=]
      values: [[admin]]
- rule: Program
  desc: any
  condition: started and proc.name exists
  output: Program %proc.name
  priority: INFO
- rule: Audit
  desc: audited
  condition: ka.verb = get and ka.target.namespace = prod
  output: Got by %ka.user.name
  priority: WARNING
  source: k8s_audit
"""
FIXTURES = """
rulesets: {own: [rules.yaml]}
fixtures:
  shell: {evt.type: execve, proc.name: bash, proc.tty: 1, proc.cmdline: bash -i, user.name: root}
  audit:
    kind: Event
    auditID: "1"
    verb: get
    stageTimestamp: "2026-03-01T10:00:01Z"
    user: {username: u}
    objectRef: {resource: pods, namespace: prod}
"""


def ruleset(rules: str = RULES) -> Ruleset:
    return Ruleset("own", LOADER.load([RulesFile("rules.yaml", rules)]))


def judged(cases: str, rules: str = RULES, top: str = FIXTURES, mutate: bool = False, jobs: int = 1) -> Report:
    """Run cases, which are written as the end of a test file."""
    tests, findings = read_tests("tests.yaml", top + cases, LOADER.tables)
    if findings:
        return Report(findings)
    return judge([tests], {("tests.yaml", "own"): ruleset(rules)}, mutate, jobs)
