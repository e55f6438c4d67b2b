from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

from rag.cli import app, run
from rag.cli.mask_lines import Line, _masked
from rag.cli.output import visible
from rag.config import json_schema
from rag.errors import SluiceError
from rag.ingest.killable import Bounds, Slot, Zygote

ROOT = Path(__file__).parent.parent.parent
HEAVY = (
    "spacy", "unstructured", "openvino", "lancedb", "presidio_analyzer", "pandas", "numpy",
    "pydantic", "sqlalchemy", "fsspec", "airflow", "rich", "yaml", "langchain_core",
)  # fmt: skip


def sluice(
    *arguments: str, folder: Path, said: str | bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Run the real command in a folder with a state of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "rag.cli", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SLUICE_HOME": str(folder / "home")},
        input=said.encode() if isinstance(said, str) else said,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus ``notes`` with two documents that can be read and one that cannot, synced."""
    folder = tmp_path_factory.mktemp("project")
    documents = folder / "documents"
    documents.mkdir()
    (documents / "overtime.txt").write_text(
        "Overtime\n\nOvertime is approved by Maria Schneider, head of nursing, before Friday.\n"
    )
    (documents / "pay.txt").write_text("Pay\n\nPay rises are decided every spring.\n")
    (documents / "pay.txt.acl.yaml").write_text("allow: [group:hr]")
    (documents / "empty.txt").touch()
    assert sluice("init", "notes", folder=folder).returncode == 0
    assert sluice("sync", "notes", folder=folder).returncode == 0
    return folder


@pytest.fixture
def inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in the project, so that commands can run in this process."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("SLUICE_HOME", str(project / "home"))
    return project


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


# Starting


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import sys; from rag.cli import run; code = run(['--help']);"
        f"print(*set({HEAVY!r}) & set(sys.modules)); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == ""


def test_no_arguments_show_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "sync" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [["nope"], ["sync"], ["sync", "nope"], ["search", "notes", "x"], ["parse", "/nowhere"],
     ["search", "notes", "x", "--as", "staff"], ["search", "notes", "x", "--as", ","],
     ["search", "notes", "x", "--as", "user:a", "--k", "0"], ["init", "Bad Name"],
     ["search", "notes", "x", "--as", "user:a", "--where", "pages=1"], ["mask", "/nowhere"]],
)  # fmt: skip
def test_a_mistake_exits_with_2_and_says_the_next_step(
    inside: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Error: ")
    assert "\nNext step: " in told.err
    assert run([*arguments, "--json"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert set(json.loads(told.err)) >= {"error", "hint", "kind"}


def test_a_wrong_corpus_file_is_told_line_by_line(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inside / "wrong.yaml").write_text("corpus: x\nsorce: {url: a}\n")
    assert run(["status", "wrong.yaml", "--json"]) == 2
    problems = json.loads(capsys.readouterr().err)["problems"]
    assert {(one["line"], one["field"]) for one in problems} == {(1, "source"), (2, "sorce")}


def test_an_unexpected_error_does_not_repeat_its_message(
    inside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLUICE_DEBUG", raising=False)
    (inside / "home-is-a-file").touch()
    monkeypatch.setenv("SLUICE_HOME", str(inside / "home-is-a-file" / "maria"))
    assert run(["status", "notes"]) == 2
    told = capsys.readouterr().err
    assert "unexpected" in told
    assert "maria" not in told


# Declaring and keeping


def test_init_writes_a_corpus_that_loads_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rag.corpus_file import load

    monkeypatch.chdir(tmp_path)
    made = answer(capsys, "init", "papers", "--url", 's3://bucket/a "b"')
    assert made == {"corpus": "papers", "path": "corpora/papers.yaml"}
    assert load("papers").config.source.url == 's3://bucket/a "b"'
    assert json.loads((tmp_path / "corpora/corpus.schema.json").read_text()) == json_schema()
    assert run(["init", "papers"]) == 2
    assert load("papers").config.source.url == 's3://bucket/a "b"'


def test_sync_prints_one_object_and_nothing_else(project: Path) -> None:
    done = sluice("sync", "notes", "--json", folder=project)
    assert done.returncode == 0
    assert done.stderr == ""
    report = json.loads(done.stdout)
    assert set(report["documents"]) == {
        "new", "changed", "moved", "acl", "unchanged", "deleted", "quarantined",
    }  # fmt: skip
    assert report["documents"]["unchanged"] == 2
    assert report["documents"]["quarantined"] == 1
    assert {"chunks", "masked", "seconds"} <= set(report)


def test_strict_exits_with_1_while_documents_are_in_quarantine(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sync", "notes", "--strict"]) == 1
    told = capsys.readouterr()
    assert "sluice quarantine notes" in told.out
    assert run(["sync", "notes"]) == 0


def test_a_dry_run_says_so(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["sync", "notes", "--dry-run"]) == 0
    assert "nothing was changed" in capsys.readouterr().out


def test_status_tells_what_is_indexed(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "status", "notes")
    assert (found["documents"], found["quarantined"]) == (2, 1)
    assert found["types"] == {"text/plain": 2}
    assert found["runs"][0]["status"] == "done"
    assert found["last_success"]
    assert run(["status", "notes"]) == 0
    assert "text/plain" in capsys.readouterr().out


def test_quarantine_tells_why_and_what_to_do(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (waiting,) = answer(capsys, "quarantine", "notes")
    assert waiting["code"] == "empty"
    assert waiting["action"]
    assert "source" not in waiting
    asked = ("quarantine", "notes", "--reveal", "--purpose", "mend it", "--as")
    assert run([*asked, "group:staff"]) == 2
    assert "privacy.vault.reveal" in capsys.readouterr().err
    (waiting,) = answer(capsys, *asked, "group:privacy")
    assert waiting["source"] == "empty.txt"
    assert run(["quarantine", "notes"]) == 0
    assert waiting["reason"] in capsys.readouterr().out


def test_who_is_behind_a_pseudonym_is_told_to_few_and_each_attempt_is_audited(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "search", "notes", "Who approves overtime?", "--as", "group:staff")
    pseudonym = re.findall(r"PERSON_[a-z2-7]{8}", found[0]["text"])[0]
    asked = ["reveal", "notes", pseudonym, "--document", "pay.txt"]
    assert run([*asked, "--as", "group:privacy", "--purpose", " "]) == 2
    assert "purpose" in capsys.readouterr().err
    why = ("--purpose", "Maria Schneider asks", "--as")
    assert run([*asked, *why, "group:staff"]) == 2
    assert "Schneider" not in capsys.readouterr().out
    person, document = answer(capsys, *asked, *why, "user:dpo,group:privacy")
    assert person == {"asked": pseudonym, "originals": ["Maria Schneider"]}
    assert document["originals"] == ["pay.txt"]
    assert run(["audit", "--jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()][-2:]
    assert [one["body"]["outcome"] for one in lines] == ["refused", "revealed"]
    assert lines[1]["body"]["purpose"] == "<PERSON> asks"
    assert pseudonym not in json.dumps(lines)
    verified = answer(capsys, "audit", "--verify")
    assert verified["broken"] is None
    assert verified["head"] == lines[-1]["hash"]


def test_the_vaults_keys_are_shown_and_rotated(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = answer(capsys, "vault", "status", "notes")
    assert (before["kinds"], before["sources"]) == ({"PERSON": 1}, 3)
    done = answer(capsys, "vault", "rotate", "notes", "--drop-old")
    assert done["retired"] == 0
    after = answer(capsys, "vault", "status", "notes")
    assert after["keys"][0]["wrapped_by"] == done["key"] != before["keys"][0]["wrapped_by"]
    assert (after["persons"], after["to_rotate"]) == (before["persons"], 0)


def test_unlock_says_whether_there_was_a_lock(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer(capsys, "unlock", "notes") == {"unlocked": False}


# Asking


def test_search_lists_what_the_asker_may_read(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("search", "notes", "overtime and pay", "--k", "5")
    hits = answer(capsys, *asked, "--as", "user:me,group:staff")
    assert [hit["document"] for hit in hits] == ["overtime.txt"]
    keys = {"document", "chunk", "text", "score", "page", "section", "modified"}
    assert set(hits[0]) == keys
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", hits[0]["modified"])
    assert "Maria" not in hits[0]["text"]
    both = answer(capsys, *asked, "--as", "group:staff", "--as", "group:hr")
    assert {hit["document"] for hit in both} == {"overtime.txt", "pay.txt"}
    narrowed = answer(capsys, *asked, "--as", "group:staff,group:hr", "--where", "name=pay.txt")
    assert {hit["document"] for hit in narrowed} == {"pay.txt"}
    assert answer(capsys, *asked, "--as", "group:nobody") == []
    assert run([*asked, "--as", "group:staff"]) == 0
    assert "overtime.txt" in capsys.readouterr().out


def test_ask_cites_or_abstains(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "ask", "notes", "Who approves overtime?", "--as", "group:staff")
    assert set(found) >= {"answer_id", "text", "abstained", "citations", "usage", "left_out"}
    assert found["abstained"] is False
    assert set(found["citations"][0]) >= {"document", "chunk", "quote", "page"}
    found = answer(capsys, "ask", "notes", "When are pay rises decided?", "--as", "group:staff")
    assert found["abstained"] is True
    assert found["citations"] == []
    assert run(["ask", "notes", "Who approves overtime?", "--as", "group:staff"]) == 0
    assert "[1] overtime.txt" in capsys.readouterr().out


def test_evaluate_scores_a_ranking(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inside / "q.jsonl").write_text('{"_id": "1", "text": "pay rises in spring"}\n')
    (inside / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1\tpay.txt\t1\n")
    scores = answer(capsys, "evaluate", "notes", "--queries", "q.jsonl", "--qrels", "qrels.tsv")
    wanted = {"queries": 1, "ndcg@10": 1.0, "recall@100": 1.0, "mrr@10": 1.0}
    assert scores.items() >= wanted.items()
    assert run(["evaluate", "notes", "--queries", "qrels.tsv", "--qrels", "qrels.tsv"]) == 2


# Without an index


def test_parse_shows_what_is_read_and_stores_nothing(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer(capsys, "parse", "documents/overtime.txt")
    assert found["media_type"] == "text/plain"
    assert any("Maria Schneider" in element["text"] for element in found["elements"])
    assert run(["parse", "documents/empty.txt", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["failure"]["code"] == "empty"


def test_mask_takes_lines_and_gives_findings_into_the_input(project: Path) -> None:
    texts = {"1": "\U0001f600 Maria Schneider called.\r\nTwice.", "2": "", "3": "maria@example.org"}
    lines = "".join(json.dumps({"id": one, "text": text}) + "\n" for one, text in texts.items())
    done = sluice("mask", "--jsonl", folder=project, said=lines)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["id"] for one in found] == ["1", "2", "3"]
    (person,) = found[0]["findings"]
    assert texts["1"][person["start"] : person["end"]] == "Maria Schneider"
    assert set(person) == {"start", "end", "entity", "score"}
    assert found[0]["text"].endswith(" called.\r\nTwice.")
    assert "maria" not in found[2]["text"]


def test_mask_answers_each_line_before_it_waits_for_another(project: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "rag.cli", "mask", "--jsonl"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SLUICE_HOME": str(project / "home")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        for number in range(3):
            process.stdin.write(json.dumps({"id": number, "text": "x"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
    assert process.returncode == 0


def test_a_line_that_kills_its_process_is_named_and_the_next_gets_another() -> None:
    zygote = Zygote("tests.cli.dying:answer", Bounds(seconds=30, memory_mb=512))
    slot = Slot(zygote)
    try:
        with pytest.raises(SluiceError, match="Masking line 7 crashed"):
            _masked(slot, b"", [Line(6, "a", "harmless"), Line(7, "b", "deadly")])
        line = Line(8, "c", "harmless")
        assert _masked(slot, b"", [line]) == [(line, {"text": "harmless"})]
    finally:
        slot.end()
        zygote.close()


def say(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    """Put a text onto this process's standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(said.encode())))


def test_a_line_that_is_no_text_stops_mask_by_its_number(
    inside: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    say(monkeypatch, '{"id": 1, "text": "fine"}\n{"id": 2, "text": ["Maria Schneider"]}\n')
    assert run(["mask", "--jsonl", "--json"]) == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["id"] == 1
    assert "Line 2" in json.loads(told.err)["error"]
    assert "Maria" not in told.err


def test_mask_of_a_file_keeps_all_else(
    inside: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (inside / "letter.txt").write_bytes(b"Dear Maria Schneider,\r\n\xff good day\n")
    assert run(["mask", "letter.txt"]) == 0
    masked = capsysbinary.readouterr().out.decode()
    assert re.fullmatch("Dear [^ ]+,\r\n\N{REPLACEMENT CHARACTER} good day\n", masked)
    say(monkeypatch, "Dear Maria Schneider")
    assert run(["mask", "-", "--json"]) == 0
    assert json.loads(capsysbinary.readouterr().out)["findings"][0]["start"] == 5


def test_schema_is_written_for_editors(inside: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, "schema") == json_schema()
    assert run(["schema", "--output", "s.json"]) == 0
    assert json.loads((inside / "s.json").read_text()) == json_schema()


def test_the_committed_schema_is_the_current_one() -> None:
    committed = ROOT / "corpora/corpus.schema.json"
    assert json.loads(committed.read_text()) == json_schema()


def test_a_terminal_is_shown_no_escape_sequences() -> None:
    assert visible("a\x1b[2Jb\u202ec\td\n") == "a\ufffd[2Jb\ufffdc\td\n"


# Words and deeds


def spoken() -> list[tuple[str, str, list[str]]]:
    """Commands that documents and messages tell people to run: place, command, options."""
    found = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "rag").rglob("*.py"), *(ROOT / "dags").glob("*.py")]:
        for line in path.read_text(encoding="utf-8").splitlines():
            for start in re.finditer(r"(?:`|: |\$ |^|bin/)sluice ([a-z][a-z-]*)([^`|#]*)", line):
                options = re.findall(r"(?<!\S)(--[a-z-]+)", start.group(2))
                found.append((str(path.relative_to(ROOT)), start.group(1), options))
    return found


def commands() -> dict[str, list[Any]]:
    """Each command by its first word; of a group, all its own."""
    found: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return {name: [*getattr(one, "commands", {"": one}).values()] for name, one in found.items()}


def test_every_command_that_is_spoken_of_exists() -> None:
    known = {
        name: {option for each in given for parameter in each.params for option in parameter.opts}
        for name, given in commands().items()
    }
    wrong = [
        (place, command, option)
        for place, command, options in spoken()
        for option in options or [""]
        if command not in known or (option and option not in known[command] | {"--help"})
    ]
    assert wrong == []


def test_every_command_has_json_and_a_sentence_of_help() -> None:
    for name, command in ((name, one) for name, given in commands().items() for one in given):
        assert "--json" in {option for one in command.params for option in one.opts}, name
        assert command.help, name
