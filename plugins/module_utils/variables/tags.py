# Copyright (c) 2026, falconet.k8s contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: any release may change it. Do not import it from elsewhere.

"""Tags of a command line: those that no play has, with which Ansible runs nothing and ends well; what they leave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ..common.words import nearest

#: What Ansible understands itself.
#: Source: https://docs.ansible.com/ansible/latest/playbook_guide/playbooks_tags.html#special-tags
SPECIAL = ("all", "always", "never", "tagged", "untagged")
#: What Molecule has every playbook skip, whether a task has such a tag or not.
#: Source: https://docs.ansible.com/projects/molecule/configuration/ (provisioner)
MOLECULE = ("molecule-notest", "notest", "molecule-idempotence-notest")


def problems_of_tags(run: Iterable[str], skip: Iterable[str], known: Sequence[str]) -> list[str]:
    """What is wrong with the tags of a command line, a sentence for each that there is not.

    Args:
      run: those of C(--tags), as Ansible's C(ansible_run_tags).
      skip: those of C(--skip-tags), as Ansible's C(ansible_skip_tags).
      known: the tags that plays have.
    """
    return [
        *_problems("--tags", run, known),
        *_problems("--skip-tags", (tag for tag in skip if tag not in MOLECULE), known),
    ]


def stages_to_come(run: Sequence[str], skip: Sequence[str], stages: Iterable[str]) -> list[str]:
    """The stages that a run comes to, in their order; preflight is for all of them.

    Args:
      run, skip: as for problems_of_tags.
      stages: all, each of which is a tag, too.
    """
    every = not {"all", "always", "tagged", "preflight"}.isdisjoint(run)
    return [stage for stage in stages if stage not in skip and (every or stage in run)]


def _problems(option: str, given: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for tag in given:
        if tag not in known and tag not in SPECIAL:
            close = nearest(tag, known)
            yield f"{option}: there is no tag {tag}" + (
                f"; did you mean {close}?" if close else f"; there are {', '.join(known)}."
            )
