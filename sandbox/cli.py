"""The command line of the sandbox: arguments, and which function serves each command."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox import kind
from sandbox.e2e import add_arguments as add_e2e_arguments
from sandbox.errors import SandboxError
from sandbox.instance import MOST_CONTROL_PLANES, Instance, check_name, find_node, load
from sandbox.process import say

# Late imports: a command reads what serves it, so that help and mistakes of the command line are told at once.


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m sandbox", description="A real Kubernetes of three Rocky-like nodes on this machine."
    )
    top.add_argument(
        "--name", default=os.environ.get("SANDBOX_NAME", "falconet"), help="which sandbox (default: %(default)s)"
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="build what is missing, start what does not run, wait until it is usable")
    up.add_argument(
        "--control-planes",
        type=int,
        choices=range(1, MOST_CONTROL_PLANES + 1),
        help="how many nodes are control planes when the sandbox is made (default: 1)",
    )
    down = commands.add_parser("down", help="remove every process, mount, interface and control group of it")
    down.add_argument("--purge", action="store_true", help="forget its state too: etcd, the nodes' disks, keys, logs")
    commands.add_parser("status", help="what runs; exit code 1 if something is not as it should be")
    versions = commands.add_parser("versions", help="versions of the Debian packages that it is made of")
    versions.add_argument("--write", action="store_true", help="these were tried: what comes is compared with them")
    inventory = commands.add_parser("inventory", help="write inventory/sandbox/ for Ansible")
    inventory.add_argument("--output", metavar="FOLDER", type=Path, help="another folder than inventory/sandbox")
    e2e = commands.add_parser("e2e", help="run Kubernetes' own NetworkPolicy tests against it")
    add_e2e_arguments(e2e)
    image = commands.add_parser("import-image", help="import an image archive (docker save) into all nodes")
    image.add_argument("archive", metavar="TAR", type=Path)
    enforcement = commands.add_parser("enforcement", help="turn the enforcement of NetworkPolicies on or off")
    enforcement.add_argument("state", choices=("on", "off"))
    execute = commands.add_parser("exec", help="run a command inside a node: exec NODE -- COMMAND...")
    execute.add_argument("node", metavar="NODE")
    execute.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    return top


def running(name: str) -> Instance:
    """The instance, if it was ever made."""
    sandbox = load(name)
    if sandbox is None:
        raise SandboxError(f"there is no sandbox {name!r}", f"python -m sandbox --name {name} up")
    return sandbox


def _exec(name: str, node_name: str, argv: Sequence[str]) -> int:
    from sandbox import image_import, machines

    sandbox = running(name)
    member = find_node(node_name, sandbox.nodes)
    command = list(argv[1:] if argv[:1] == ["--"] else argv) or ["/bin/bash", "-l"]
    found = machines.find(sandbox, member.name)
    if found is None:
        raise SandboxError(f"{member.name} does not run", f"python -m sandbox --name {name} up")
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
    }
    environment |= {"TERM": os.environ.get("TERM", "dumb"), "KUBECONFIG": "/etc/kubernetes/admin.conf"}
    return subprocess.run([*image_import.enter(found[0]), *command], env=environment, check=False).returncode


def _enforcement(name: str, state: str) -> int:
    from sandbox import machines

    sandbox = running(name)
    verb = "start" if state == "on" else "stop"
    for member in sandbox.nodes:
        found = machines.find(sandbox, member.name)
        if found is None:
            raise SandboxError(f"{member.name} does not run", f"python -m sandbox --name {name} up")
        answer = machines.order(found[0], {"do": verb, "service": "netpol-agent"})
        say(f"{member.name}: NetworkPolicy agent {answer['state']}")
    return 0


def _execute_with_kind(name: str, options: argparse.Namespace) -> int:
    if options.command == "status":
        return kind.status(name)
    served = {
        "up": lambda: kind.up(name),
        "down": lambda: kind.down(name),
        "inventory": lambda: kind.inventory(name, options.output) if options.output else kind.inventory(name),
        "import-image": lambda: kind.import_image(name, options.archive),
    }
    if options.command not in served:
        raise SandboxError(
            f"`{options.command}` is not for kind clusters", f"with SANDBOX=kind: {', '.join(served)}, status"
        )
    if options.command == "up" and options.control_planes not in (None, 1):
        raise SandboxError("kind clusters have one control plane here", "without --control-planes")
    served[options.command]()
    return 0


def execute(options: argparse.Namespace) -> int:
    """Run the command; returns the exit code."""
    name = check_name(options.name)
    if kind.selected():
        return _execute_with_kind(name, options)
    if options.command == "up":
        from sandbox.up import up

        up(name, options.control_planes)
    elif options.command == "down":
        from sandbox.down import down

        down(name, purge=options.purge)
    elif options.command == "status":
        from sandbox.status import status

        return status(running(name))
    elif options.command == "versions":
        from sandbox.debian_versions import record
        from sandbox.rootfs import debian_programs, root_file_system, what_came

        root = root_file_system()
        print("\n".join(record(*what_came(root, debian_programs(root)["redis"]), write=options.write)))
    elif options.command == "inventory":
        from sandbox.inventory import DEFAULT, write_inventory

        write_inventory(running(name), options.output or DEFAULT)
    elif options.command == "e2e":
        from sandbox.e2e import main as e2e

        return e2e(running(name), options)
    elif options.command == "import-image":
        from sandbox.image_import import import_everywhere

        print(json.dumps(import_everywhere(running(name), options.archive), indent=2))
    elif options.command == "enforcement":
        return _enforcement(name, options.state)
    elif options.command == "exec":
        return _exec(name, options.node, options.argv)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the command, with errors as sentences."""
    options = parser().parse_args(arguments)
    try:
        return execute(options)
    except SandboxError as error:
        print(f"sandbox: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"    try: {error.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("sandbox: interrupted; the same command goes on where this one stopped", file=sys.stderr)
        return 130
