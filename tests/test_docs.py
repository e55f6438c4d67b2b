"""What the documents tell people to do can be done: links, files, variables, AWS's own commands."""

from __future__ import annotations

import difflib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore import xform_name
from botocore.validate import ParamValidator

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("samples/*.md")])
SESSION = botocore.session.get_session()
NO_SERVICE = {"s3"}
"""Parts of the AWS command line that are no operation of a service."""

RECORDER = """
aws() {
  python3 -c 'import json, sys; print(json.dumps(sys.argv[1:]), file=open("calls", "a"))' "$@"
  echo some-id
}
sed() { :; }
openssl() { echo AAAA; }
"""


def blocks(path: Path, language: str = "") -> list[str]:
    """Return a document's fenced blocks of a language."""
    fences = re.split(r"^```(.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [text for name, text in zip(fences[1::4], fences[2::4], strict=True) if name == language]


def aws_commands(path: Path, folder: Path) -> list[list[str]]:
    """Run a document's AWS commands in a shell that only notes them; return their words."""
    chosen = [block for block in blocks(path) if re.search(r"^\s*aws |\$\(aws ", block, re.M)]
    script = RECORDER + "\n".join(chosen)
    done = subprocess.run(["bash", "-euc", script], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = (folder / "calls").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def options(words: list[str]) -> dict[str, str]:
    """Return a command's options: name in snake case to its value."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name = word[2:].replace("-", "_")
            found[name] = ""
        elif name:
            found[name] = f"{found[name]} {word}".strip()
    return found


def wrong_parts(words: list[str]) -> Iterator[str]:
    """Yield what a service's model does not know of a command."""
    service, command = words[0].replace("s3api", "s3"), words[1]
    model = SESSION.get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if command not in operations:
        yield f"aws {service} has no {command}"
        return
    shape = model.operation_model(operations[command]).input_shape
    members = {xform_name(name): (name, member) for name, member in shape.members.items()}
    given = options(words[2:])
    for option in given.keys() - members.keys() - {"query", "output"}:
        yield f"aws {service} {command} has no --{option.replace('_', '-')}"
    for option, value in given.items():
        if option in members and value.startswith(("{", "[")):
            shape_of_it = members[option][1]
            read = json.loads(value)
            if shape_of_it.type_name in ("structure", "list") and "document" not in (
                shape_of_it.serialization
            ):
                yield from problems(read, shape_of_it, f"aws {service} {command} --{option}")
    for name in shape.required_members:
        if xform_name(name) not in given:
            yield f"aws {service} {command} needs --{xform_name(name, '-')}"


def problems(value: Any, shape: Any, place: str) -> Iterator[str]:
    """Yield what botocore says against a value."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        yield f"{place}: {report.generate_report()}"


def test_links_lead_somewhere() -> None:
    missing = [
        (path.name, target)
        for path in DOCUMENTS
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert missing == []


def test_make_targets_that_are_spoken_of_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    said = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert said - known == set()


def test_aws_commands_are_ones_that_the_services_know(tmp_path: Path) -> None:
    commands = [
        words
        for words in aws_commands(ROOT / "docs" / "aws.md", tmp_path)
        if words[0] not in NO_SERVICE
    ]
    assert len(commands) > 8
    assert [wrong for words in commands for wrong in wrong_parts(words)] == []


def test_the_documents_guardrail_is_the_samples_own(tmp_path: Path) -> None:
    from samples.aws.account import GUARDRAIL

    (words,) = [
        words
        for words in aws_commands(ROOT / "docs" / "aws.md", tmp_path)
        if words[1] == "create-guardrail"
    ]
    said = options(words[2:])
    assert json.loads(said["word_policy_config"]) == GUARDRAIL["wordPolicyConfig"]
    assert (
        json.loads(said["sensitive_information_policy_config"])
        == GUARDRAIL["sensitiveInformationPolicyConfig"]
    )


def test_the_shown_difference_is_that_of_the_two_corpus_files() -> None:
    before, after = ("corpora/handbook.yaml", "samples/aws/handbook.yaml")
    lines = [(ROOT / name).read_text(encoding="utf-8").splitlines()[1:] for name in (before, after)]
    made = list(difflib.unified_diff(*lines, before, after, n=99, lineterm=""))
    (shown,) = blocks(ROOT / "docs" / "aws.md", "diff")
    assert shown.splitlines() == [line for line in made if not line.startswith("@@")]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_yaml_in_documents_is_yaml(path: Path) -> None:
    for block in blocks(path, "yaml"):
        yaml.safe_load(block)


def test_the_examples_of_the_python_page_print_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In order and in one process, as the page promises; a name is a secret of the key's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path / "home"))
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", page, re.M | re.S)
    assert len(examples) > 10
    names: dict[str, Any] = {"__name__": "page"}
    for code, printed in examples:
        exec(code, names)
        assert capsys.readouterr().out == printed


def test_variables_that_documents_speak_of_are_read_somewhere() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for room in ("rag", "localaws", "dags", "connectors", "samples", "tests")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "test_docs.py"
    )
    said = {
        name
        for path in DOCUMENTS
        for name in re.findall(r"\b(?:SLUICE|LOCALAWS)_[A-Z_]+[A-Z]\b", path.read_text("utf-8"))
    }
    assert {name for name in said if name not in code} == set()
