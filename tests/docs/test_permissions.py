"""docs/permissions.md says of permissions what the templates and the code say, and leaves nothing out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from docs import permissions
from tests.stacks.permissions import functions, role_of, role_statements

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stacks.cloud_assembly import Assembly

DOCS = permissions.FILE.parent
LINK = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<target>[^)#]*)(?:#(?P<anchor>[^)]+))?\)")


@pytest.fixture(scope="module")
def page(dev: Assembly) -> str:
    """The page, as the templates of today give it."""
    return permissions.page(dev.folder)


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of a section's first table."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    table = section[section.index("\n|") :].partition("\n\n|")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_page_is_fresh(page: str) -> None:
    """A line of code that moved makes it stale too: the message says what mends it."""
    assert permissions.FILE.read_text(encoding="utf-8") == page, permissions.STALE


def test_check_writes_nothing_and_says_what_to_do(small: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, why it matters, and the command."""
    before = permissions.FILE.read_text(encoding="utf-8")
    assert permissions.main(["--check", "--assembly", str(small.folder)]) == 1
    said = capsys.readouterr().err
    assert "docs/permissions.md is out of date" in said
    assert "make docs" in said
    assert permissions.FILE.read_text(encoding="utf-8") == before


def test_every_action_of_every_function_has_its_line(dev: Assembly, page: str) -> None:
    """Read from the templates by other means than the page's own."""
    told: dict[str, set[str]] = {}
    name = ""
    for cells in rows(page, "What the code may do"):
        name = cells[0].strip("*") or name
        told.setdefault(name, set()).update(re.findall(r"`([a-z0-9]+:\w+)`", cells[1]))
    for cells in rows(page, "What AWS's services do as these roles"):
        for role in cells[1].split(", "):
            told.setdefault(role, set()).update(re.findall(r"`([a-z0-9]+:\w+)`", cells[2]))
    for template in dev.templates.values():
        for entry, function in functions(template).items():
            found = role_statements(template, role_of(template, function))
            allowed = {action for one in found if one.effect == "Allow" for action in one.actions}
            assert told[entry.replace("_", "-")] - {"sts:GetCallerIdentity"} == allowed


def test_every_line_has_a_reason_and_a_proof(page: str) -> None:
    """A grant that nothing needs, that no endpoint admits or that nobody proved would stand out in bold."""
    for gap in (
        "**not proven**",
        "**no reason is known**",
        "**nothing that is known**",
        "**no endpoint**",
        "**unknown**",
    ):
        assert gap not in page
    assert "**allows" not in page


def test_why_leads_to_the_call_itself(page: str) -> None:
    """The line that a link names calls the operation that the action is named after, or asks for its pages."""
    for cells in rows(page, "What the code may do"):
        operation = re.sub(r"(?<!^)(?=[A-Z])", "_", cells[1].strip("`").partition(":")[2]).lower()
        links = list(LINK.finditer(cells[3]))
        assert links, cells
        for link in links:
            lines = (DOCS / link["target"]).read_text(encoding="utf-8").splitlines()
            first = int(link["anchor"].removeprefix("L")) - 1
            call = " ".join(lines[first : first + 4])
            assert operation in call or "paginate(" in call, (cells, call)


def test_links_lead_somewhere(page: str) -> None:
    """Files that are there, and headings that they have."""
    for link in LINK.finditer(page):
        target = DOCS / link["target"] if link["target"] else permissions.FILE
        assert target.exists(), link[0]
        if link["anchor"] and target.suffix == ".md":
            text = page if target == permissions.FILE else target.read_text(encoding="utf-8")
            headings = [line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("##")]
            anchors = {re.sub(r"[^a-z0-9 -]", "", heading).replace(" ", "-") for heading in headings}
            assert link["anchor"] in anchors, link[0]


def test_a_grant_without_a_line_of_code_stands_out(dev: Assembly, tmp_path: Path) -> None:
    """The page does not make up a reason."""
    for file in dev.folder.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        else:
            (tmp_path / file.name).symlink_to(file)
    template = tmp_path / f"{dev.stack('Api')}.template.json"
    content = json.loads(template.read_text(encoding="utf-8"))
    policy = next(
        body["Properties"]["PolicyDocument"]
        for name, body in content["Resources"].items()
        if body["Type"] == "AWS::IAM::Policy" and name.startswith("Authorizer")
    )
    policy["Statement"].append({"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": "*"})
    template.write_text(json.dumps(content), encoding="utf-8")
    (line,) = (line for line in permissions.page(tmp_path).splitlines() if "`dynamodb:Scan`" in line)
    assert "**nothing that is known**" in line
    assert "**not proven**" in line


def _without_denies(dev: Assembly, folder: Path) -> Path:
    """A copy of a deployment whose roles deny nothing."""
    for file in dev.folder.iterdir():
        if file.is_file():
            content = json.loads(file.read_text(encoding="utf-8")) if file.name.endswith(".template.json") else None
            for body in (content or {"Resources": {}})["Resources"].values():
                if body["Type"] == "AWS::IAM::Policy":
                    document = body["Properties"]["PolicyDocument"]
                    document["Statement"] = [one for one in document["Statement"] if one["Effect"] == "Allow"]
            (folder / file.name).write_text(json.dumps(content) if content else file.read_text(encoding="utf-8"))
        else:
            (folder / file.name).symlink_to(file)
    return folder


def test_what_lambda_does_and_code_is_denied_is_told_by_role(dev: Assembly, page: str, tmp_path: Path) -> None:
    """Read from the Deny of each role; where there is none, the page says that the code may do it."""
    section = page.partition("### What code is denied\n")[2].partition("\n## ")[0]
    told: dict[str, set[str]] = {}
    for names, actions in re.findall(r"^- from the code of (.*?): (.*?)(?=^-|\n\n)", section, re.DOTALL | re.MULTILINE):
        for name in re.findall(r"\*\*([\w-]+)\*\*", names):
            told.setdefault(name, set()).update(re.findall(r"`([a-z0-9]+:\w+)`", actions))
    denied = {
        entry.replace("_", "-"): {action for one in found if one.effect == "Deny" for action in one.actions}
        for template in dev.templates.values()
        for entry, function in functions(template).items()
        if (found := role_statements(template, role_of(template, function)))
    }
    assert told == {name: actions for name, actions in denied.items() if actions}
    assert "sqs:ReceiveMessage" in told["worker"]
    assert "**Left to code" not in page
    open_page = permissions.page(_without_denies(dev, tmp_path)).replace("\n", " ")
    assert "**Left to code:**" in open_page
    assert "`sqs:ReceiveMessage` (worker)" in open_page


@pytest.mark.parametrize("name", ["prod", "small"])
def test_other_settings_can_be_described_too(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The generator serves a deployment of one's own."""
    assembly: Assembly = request.getfixturevalue(name)
    mine = tmp_path / "permissions.md"
    assert permissions.main(["--assembly", str(assembly.folder), "--output", str(mine)]) == 0
    told = mine.read_text(encoding="utf-8")
    assert "| table `events` |" in told
    assert ("permissions boundary `" in told) == ("permissions_boundary" in assembly.context)


def test_a_key_is_used_because_of_the_calls_that_need_it(prod: Assembly) -> None:
    """Not because of others that AWS lets use it too: reading a table takes no new data key."""
    why: dict[str, str] = {}
    name = ""
    for cells in rows(permissions.page(prod.folder), "What the code may do"):
        name = cells[0].strip("*") or name
        why[f"{name} {cells[1].strip('`')}"] = cells[3]
    assert set(re.findall(r"`([\w.]+)`", why["api kms:GenerateDataKey"])) == {"EventQueue.send", "PayloadStore.put"}
    assert set(re.findall(r"`([\w.]+)`", why["sweeper kms:GenerateDataKey"])) == {"EventQueue.send"}
    assert "EventStore.get" in why["api kms:Decrypt"]
