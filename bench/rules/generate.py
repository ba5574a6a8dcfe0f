"""Rulesets of any size: a macro and a list for each ten rules, one exception with two values in each rule."""

from __future__ import annotations

from collections.abc import Iterator

RULE = """- rule: Generated rule {number}
  desc: Number {number} of a generated ruleset
  condition: >
    evt.type in (open, openat, openat2, execve) and generated_macro_{group}
    and not proc.pname in (generated_list_{group}) and proc.args contains "argument{number}"
  output: Generated event (user=%user.name command=%proc.cmdline file=%fd.name container=%container.id)
  priority: WARNING
  tags: [generated, host]
  exceptions:
    - name: known
      fields: [proc.name, fd.name]
      comps: [=, startswith]
      values:
        - [tool{number}, /tmp]
        - [other{number}, /var/tmp]
"""
GROUP = """- list: generated_list_{group}
  items: [cat{group}, bash{group}, zsh{group}]
- macro: generated_macro_{group}
  condition: (proc.name in (generated_list_{group}) or fd.name startswith /etc/generated{group})
"""


def ruleset(rules: int) -> str:
    """A ruleset of that many rules, which Falco accepts without a warning."""

    def entries() -> Iterator[str]:
        for number in range(rules):
            if number % 10 == 0:
                yield GROUP.format(group=number // 10)
            yield RULE.format(number=number, group=number // 10)

    return "".join(entries())
