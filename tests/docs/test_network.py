"""docs/network.md says of the network what the templates say, and its picture can be read."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credential_rules.index import Index
from credential_rules.template import Template
from docs import network
from docs.network_picture import WIDTH, Node, Picture, svg, width_of, wrapped

if TYPE_CHECKING:
    from pathlib import Path

    from credential_rules.template import Raw
    from tests.stacks.cloud_assembly import Assembly

SVG: Final = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="session")
def here(dev: Assembly) -> network.Network:
    """The network of the default settings."""
    return network.Network.of(dev.folder)


def test_page_and_picture_are_fresh(dev: Assembly) -> None:
    """Both are what the templates of today give; the assembly is the one that other tests read, so that none is made anew."""
    assert network.stale(dev.folder, network.FOLDER) == [], "run `make docs` and commit it"


def test_same_network_gives_the_same_files(dev: Assembly) -> None:
    """Nothing in them depends on the run."""
    assert network.files(dev.folder) == network.files(dev.folder)


def test_stale_and_missing_files_are_named(dev: Assembly, tmp_path: Path) -> None:
    """One that says something else, one that is not there; both are written anew."""
    (tmp_path / "network.md").write_text("old", encoding="utf-8")
    assert network.stale(dev.folder, tmp_path) == ["network.md", "network.svg"]
    network.write(dev.folder, tmp_path)
    assert network.stale(dev.folder, tmp_path) == []


def test_check_writes_nothing_and_says_what_to_do(small: Assembly, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, the files, why it matters, and the command."""
    assert network.main(["--check", "--assembly", str(small.folder)]) == 1
    said = capsys.readouterr().err
    assert "docs/network.md, docs/network.svg" in said
    assert "not the one that is deployed" in said
    assert "make docs" in said


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    table = page.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = [line for line in table.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in found[2:]]


def test_page_has_a_row_for_every_function_and_service(here: network.Network) -> None:
    """Who reaches what is told completely, and every hop of it is open."""
    told = rows(network.page(here), "Who reaches what")
    assert {tuple(row[:2]) for row in told} == {
        ("Api", "DynamoDB"),
        ("Api", "S3"),
        ("Api", "SQS"),
        ("Api", "STS"),
        ("Authorizer", "DynamoDB"),
        ("Worker", "DynamoDB"),
        ("Sweeper", "DynamoDB"),
        ("Sweeper", "SQS"),
    }
    assert {row[-1] for row in told} == {"yes"}
    assert {cell for row in told for cell in row[2:]} == {"yes", "-"}


def test_page_tells_what_is_closed_and_what_is_not(here: network.Network) -> None:
    """Every barrier stands, and the one channel that no template closes is named."""
    page = network.page(here)
    assert [row[2] for row in rows(page, "What cannot be reached")] == ["yes"] * 6
    assert "DNS Firewall" in page
    assert "- `PrefixLists/Finder`: CloudFormation calls it during a deployment, and it may call `ec2:Desc" in page


def test_page_without_sts_has_no_way_to_it(small: Assembly) -> None:
    """The settings decide what is told."""
    told = rows(network.page(network.Network.of(small.folder)), "Who reaches what")
    assert "STS" not in {row[1] for row in told}
    assert {row[-1] for row in told} == {"yes"}


def test_picture_leaves_open_what_only_the_deployment_decides(prod: Assembly) -> None:
    """Whether an account is in the organisation that is set, no template tells: the endpoints may admit."""
    drawn = svg(network.picture(network.Network.of(prod.folder)))
    assert "may admit Api and Sweeper" in drawn
    assert "nobody" not in drawn
    assert ">admits" not in drawn


def opened(here: network.Network) -> network.Network:
    """The same network with an Internet gateway's route in it, and without its way to SQS."""
    templates = []
    for template in here.index.templates:
        resources = dict(template.section("Resources"))
        for name, resource in template.resources.items():
            if resource.type == "AWS::EC2::RouteTable":
                properties: dict[str, Raw] = {
                    "RouteTableId": {"Ref": name},
                    "DestinationCidrBlock": "0.0.0.0/0",
                    "GatewayId": "igw-0123456789abcdef0",
                }
                resources["Out"] = {"Type": "AWS::EC2::Route", "Properties": properties}
            if resource.type == "AWS::EC2::SecurityGroupIngress":
                del resources[name]
        raw = {**template.raw, "Resources": resources}
        templates.append(
            Template(template.file, raw, stack_name=template.stack_name, region=template.region, assets=template.assets)
        )
    return replace(here, index=Index(templates))


def test_page_and_picture_of_an_open_network_say_so(here: network.Network) -> None:
    """The page is no poster: what is wrong in the templates is wrong in it."""
    page = network.page(opened(here))
    told = {(row[0], row[1]): row for row in rows(page, "Who reaches what")}
    assert told["Api", "SQS"][-1] == "**no**"
    assert told["Api", "SQS"][6] == "**no**"
    assert told["Api", "DynamoDB"][-1] == "yes"
    closed = {row[0]: row for row in rows(page, "What cannot be reached")}
    assert closed["The Internet"][2] == "**no**"
    assert "`Out`" in closed["The Internet"][3]
    drawn = svg(network.picture(opened(here)))
    assert drawn.count('class="cross"') == svg(network.picture(here)).count('class="cross"') - 1
    assert "Internet" not in drawn.split("No function reaches", 1)[1].split("</desc>", 1)[0]


# --- The picture --------------------------------------------------------------------------------------------------


def boxes_of(drawing: str) -> list[tuple[int, int, int, int]]:
    """Each box but the paper and the VPC: left, top, right, bottom."""
    found = []
    for rect in ET.fromstring(drawing).iter(f"{SVG}rect"):  # noqa: S314 - our own file
        if rect.get("class") not in {"paper", "vpc"}:
            x, y, width, height = (int(rect.attrib[name]) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + width, y + height))
    return found


def texts_of(drawing: str) -> list[tuple[int, int, int, int]]:
    """About where each text is: left, top, right, bottom."""
    found = []
    for text in ET.fromstring(drawing).iter(f"{SVG}text"):  # noqa: S314 - our own file
        size = 11 if text.get("class") == "note" else 13
        x, y = int(text.attrib["x"]), int(text.attrib["y"])
        found.append((x, y - size, x + width_of(text.text or "", size), y + 3))
    return found


def overlap(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two rectangles share a point."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


NAMES: Final = st.text("abcdeghmnopwWM ./:-<&'\"", min_size=1, max_size=40).filter(str.strip)
NODES: Final = st.builds(Node, NAMES, st.lists(NAMES, max_size=3).map(tuple))


@st.composite
def pictures(draw: st.DrawFn) -> Picture:
    """Pictures of networks of any kind, with long names and broken ways."""
    functions, subnets = draw(st.lists(NODES, min_size=1, max_size=6)), draw(st.lists(NODES, min_size=1, max_size=3))
    endpoints = draw(st.lists(st.tuples(NODES, NODES), min_size=1, max_size=5))
    pairs = st.frozensets(st.tuples(st.integers(0, len(functions) - 1), st.integers(0, len(subnets) - 1)))
    reached = st.frozensets(st.tuples(st.integers(0, len(subnets) - 1), st.integers(0, len(endpoints) - 1)))
    beyond = draw(st.lists(st.tuples(NODES, st.booleans()), max_size=4))
    return Picture(
        title=draw(NAMES),
        description=draw(NAMES),
        vpc="Isolated VPC 10.0.0.0/20",
        functions=tuple(functions),
        subnets=tuple(subnets),
        endpoints=tuple(endpoints),
        placed=draw(pairs),
        reached=draw(reached),
        beyond=tuple(beyond),
    )


@given(pictures())
def test_no_text_lies_over_another_and_none_leaves_its_box(picture: Picture) -> None:
    """Whatever the network is called and however large it is."""
    drawing = svg(picture)
    boxes, texts = boxes_of(drawing), texts_of(drawing)
    assert not any(overlap(one, other) for at, one in enumerate(texts) for other in texts[:at])
    assert not any(overlap(one, other) for at, one in enumerate(boxes) for other in boxes[:at])
    for text in texts:
        around = [box for box in boxes if overlap(text, box)]
        assert len(around) <= 1
        for left, top, right, bottom in around:
            assert left <= text[0] <= text[2] <= right
            assert top <= text[1] <= text[3] <= bottom
    root = ET.fromstring(drawing)  # noqa: S314 - our own file
    assert int(root.attrib["height"]) > max(box[3] for box in boxes)
    assert max(box[2] for box in boxes) < WIDTH


@given(NAMES, st.integers(20, 300))
def test_wrapped_text_loses_nothing_and_fits(text: str, width: int) -> None:
    """Every letter is there, in order, in lines that are no wider than asked for."""
    lines = wrapped(text, 13, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width_of(line, 13) <= width for line in lines)


def test_picture_has_words_for_those_who_do_not_see_it(here: network.Network) -> None:
    """A title, and a description that tells every way; both are what the image is labelled by."""
    root = ET.fromstring(svg(network.picture(here)))  # noqa: S314 - our own file
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert description is not None
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"].split() == [title.attrib["id"], description.attrib["id"]]
    assert "Api reaches DynamoDB, S3, SQS and STS." in (description.text or "")
    assert "No function reaches the Internet" in (description.text or "")


def test_picture_is_legible_in_light_and_dark(here: network.Network) -> None:
    """Each colour that a text or a line has contrasts with each ground that it may stand on (WCAG: 4.5 and 3)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    style = svg(network.picture(here)).split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media")
    for theme in (light, dark):
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", theme))
        for ground in ("paper", "box", "vpc"):
            for words in ("ink", "soft"):
                assert contrast(colours[words], colours[ground]) >= 4.5, (words, ground)
            for line in ("edge", "open", "closed", "leak"):
                assert contrast(colours[line], colours[ground]) >= 3, (line, ground)


# --- The bill -----------------------------------------------------------------------------------------------------


def test_bill_names_each_endpoint_both_alternatives_and_the_break_even() -> None:
    """Virginia in three zones, by hand: 21.90 for each endpoint, 109.50 or 36.50 for NAT gateways; 100 GB for a dollar."""
    said = network.bill("us-east-1", 3, ["dynamodb", "sqs", "sts"], Decimal(100))
    assert "dynamodb endpoint (gateway, free): $0.00" in said
    assert "sqs endpoint (interface): $21.90 ($7.30 in each zone)" in said
    assert "Endpoints together: $43.80 idle, $44.80 with 100 GB" in said
    assert (
        "NAT gateway in each of 3 zones: $109.50 idle, $114.00 with 100 GB; break-even none: endpoints always" in said
    )
    assert (
        "One NAT gateway for all: $36.50 idle, $42.33 with 100 GB; break-even 151 GB: endpoints cheaper above" in said
    )


def test_bill_of_an_unknown_region_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 and a sentence, no guess."""
    assert network.main(["--cost", "mars-north-1"]) == 1
    answer = capsys.readouterr()
    assert answer.out == ""
    assert "no prices for the region 'mars-north-1'" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--gb", "many"],
        ["--gb", "-1"],
        ["--gb", "NaN"],
        ["--az-count", "0"],
        ["--endpoints", ","],
        ["--endpoints", "S Q S"],
    ],
)
def test_bill_of_nonsense_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped number is no number of zones or GB: usage, no traceback and no bill."""
    with pytest.raises(SystemExit) as ended:
        network.main(["--cost", "us-east-1", *arguments])
    assert ended.value.code == 2
    answer = capsys.readouterr()
    assert answer.out == ""
    assert "error: argument" in answer.err


def test_bill_can_be_asked_for_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that the page names."""
    assert network.main(["--cost", "eu-central-1", "--az-count", "3", "--endpoints", "sqs,sts", "--gb", "500"]) == 0
    assert "$52.56 idle, $57.56 with 500 GB" in capsys.readouterr().out
