"""The rules as a cdk-nag pack: one line adds them to an app, and what they refuse does not synthesise.

    Validations.of(app).add_plugins(CredentialChecks(app))

The only file of this package that knows cdk-nag and jsii. It judges the rendered templates on disk, for typed
properties lie: an L2 function's environment resolves to `{}`, and raw overrides are invisible to them.

An error fails synth. A "cannot tell" is printed as a warning and does not: the deployment decides it, and nobody can
repair a template for that. The command line reports both. An app that wants no doubt left in it asks for that:

    CredentialChecks(app, refuse_doubt=True)
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from cdk_nag import NagPack  # noqa: TID251 (this is its one door)

from credential_rules import ledger
from credential_rules.assembly import NESTED, construct_paths, part_in, parts_below, read_parts
from credential_rules.engine import Report, Reported, Target, judge
from credential_rules.registry import all_rules
from credential_rules.sources import SourceReader, sources_of_templates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from constructs import IConstruct

    from credential_rules.assembly import Part
    from credential_rules.ledger import Acknowledgement
    from credential_rules.rule import Rule

NOT_JUDGED: Final = "everything-was-judged"
"""The rule name under which a template or source that could not be read is reported."""


def _today() -> date:
    return datetime.now(tz=UTC).date()


class CredentialChecks(NagPack):
    """Every rule of `credential_rules`, and the ledger of acknowledgements.

    `refuse_doubt` makes every "cannot tell", and source that cannot be read, an error. `today` is the clock that
    acknowledgements expire by; `rules` are all rules unless given.
    """

    def __init__(
        self,
        scope: IConstruct | None = None,
        *,
        refuse_doubt: bool = False,
        today: Callable[[], date] = _today,
        rules: Iterable[Rule] | None = None,
    ) -> None:
        super().__init__(scope)
        self._pack_name = ledger.PACK_NAME
        self._doubt = "error" if refuse_doubt else "warning"
        self._today = today
        self._rules = tuple(all_rules() if rules is None else rules)

    @property
    def name(self) -> str:
        """The pack's name, as acknowledgements spell it."""
        return ledger.PACK_NAME

    def _check_resource(self, node: object) -> None:
        """cdk-nag's way in, which we do not take: it sees typed properties only."""

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        """Judges what was just synthesised.

        Raises:
            ValueError: somebody acknowledged the ledger's own findings.
        """
        stacks = {_absolute(stack.template_path): stack.stack_construct_path for stack in context.stack_templates}
        errors: dict[str, str] = {}
        # Only the folders of the stacks in hand: an app of many stages asks for each of them by itself.
        parts = [part_in(folder, errors) for folder in dict.fromkeys(path.parent for path in stacks)]
        report = judge(_read(parts, set(stacks), errors), self._rules)
        acknowledgements = [*ledger.acknowledgements_in(parts), *_above_stacks(context, stacks)]
        _refuse_acknowledged_ledger(acknowledgements)
        paths = construct_paths(parts)
        located = [(found, _construct_path(found, paths, stacks)) for found in report.findings]
        violations = [_violation(found, path, self._doubt) for found, path in located]
        violations += _not_judged(report, stacks, self._doubt)
        violations += self._ledger_violations(acknowledgements, located, stacks)
        fails = any(violation.severity == "error" for violation in violations)
        return cdk.PolicyValidationPluginReport(success=not fails, violations=violations)

    def _ledger_violations(
        self, acknowledgements: list[Acknowledgement], located: list[tuple[Reported, str]], stacks: dict[Path, str]
    ) -> list[cdk.PolicyViolation]:
        def is_used(one: Acknowledgement) -> bool | None:
            # What other packs found is known only after synth: `python -m credential_rules ledger cdk.out`.
            if not one.id.startswith(f"{ledger.PACK_NAME}::"):
                return None
            if any(one.covers(f"{ledger.PACK_NAME}::{found.rule}", path) for found, path in located):
                return True
            # A stage that is judged by itself does not know what the others found.
            return False if _holds_all_below(one.at, stacks) else None

        return [
            cdk.PolicyViolation(
                rule_name=problem.kind,
                description=problem.message,
                fix=problem.fix,
                severity="error",
                violating_resources=[
                    cdk.PolicyViolatingResource(
                        construct_path=problem.acknowledgement.at, locations=[problem.acknowledgement.id]
                    )
                ],
            )
            for problem in ledger.problems(acknowledgements, self._today(), is_used)
        ]


def _absolute(path: str) -> Path:
    return Path(path).absolute()


def _assembly_root(stacks: dict[Path, str]) -> Path:
    """The outermost folder that holds the templates of all stacks and stages."""
    root = min((path.parent for path in stacks), key=lambda folder: len(folder.parts))
    while (root.parent / "manifest.json").is_file() and (root.parent / "cdk.out").is_file():
        root = root.parent
    return root


def _holds_all_below(construct_path: str, stacks: dict[Path, str]) -> bool:
    """Whether all stacks below a construct are among those that are being validated."""
    if any(f"{construct_path}/".startswith(f"{stack}/") for stack in stacks.values()):
        return True
    return bool(stacks) and all(
        _absolute(str(template)) in stacks
        for part in parts_below(_assembly_root(stacks), {})
        for name, template, artifact in part.stacks
        if not construct_path or f"{artifact.get('displayName', name)}/".startswith(f"{construct_path}/")
    )


def _read(parts: list[Part], wanted: set[Path], errors: dict[str, str]) -> Target:
    """The stacks that are being validated and their nested stacks; other stages' stacks are not ours to report."""
    target = Target(errors=errors)
    target.templates = read_parts(parts, errors, lambda template: _absolute(str(template)) in wanted)
    named = {_absolute(str(template)) for part in parts for _, template, _ in part.stacks}
    for path in sorted(wanted - named):
        if not path.name.endswith(NESTED):
            errors[str(path)] = (
                "This template was synthesised, and no manifest names it. None of its resources were checked. Run"
                " `cdk synth` again, into an empty folder."
            )
    reader = SourceReader()
    target.sources = sources_of_templates(target.templates, reader)
    errors.update(reader.errors)
    return target


def _above_stacks(context: cdk.IPolicyValidationContext, stacks: dict[Path, str]) -> list[Acknowledgement]:
    """Acknowledgements above the stacks, at the app, its stages and what groups stacks, which CDK writes to no file."""
    above = {""}
    for stack in stacks.values():
        steps = stack.split("/")
        above |= {"/".join(steps[:length]) for length in range(1, len(steps))}
    app = context.app_construct.node.root
    found: list[Acknowledgement] = []
    for path in sorted(above):
        construct: IConstruct | None = app
        for step in path.split("/") if path else ():
            construct = construct.node.try_find_child(step) if construct is not None else None
        if construct is None:
            continue
        for entry in construct.node.metadata:
            if entry.type == ledger.METADATA_TYPE:
                found += ledger.from_metadata(path, entry.data)
    return found


def _refuse_acknowledged_ledger(acknowledgements: list[Acknowledgement]) -> None:
    refused = {f"{ledger.PACK_NAME}::{rule}" for rule in (*ledger.LEDGER_RULES, NOT_JUDGED)}
    for one in acknowledgements:
        if one.id in refused:
            raise ValueError(
                f"{one.id} is acknowledged at {one.at or 'the app'}: with it no acknowledgement would ever expire."
                " Remove it and repair the acknowledgement that it hides."
            )


def _construct_path(found: Reported, paths: dict[tuple[Path, str], str], stacks: dict[Path, str]) -> str:
    file = _absolute(found.file)
    return paths.get((file, found.resource)) or stacks.get(file, "")


def _violation(found: Reported, path: str, doubt: str) -> cdk.PolicyViolation:
    if found.place.owner is None:
        # A parameter, mapping or output: CDK knows no construct by that name, so point at the stack.
        resource = cdk.PolicyViolatingResource(construct_path=path, locations=[found.location])
    else:
        resource = cdk.PolicyViolatingResource(
            resource_logical_id=found.resource, template_path=found.file, locations=[found.location or "Type"]
        )
    return cdk.PolicyViolation(
        rule_name=found.rule,
        description=found.message,
        fix=found.fix,
        severity="error" if found.severity == "error" else doubt,
        violating_resources=[resource],
    )


def _not_judged(report: Report, stacks: dict[Path, str], doubt: str) -> list[cdk.PolicyViolation]:
    return [
        cdk.PolicyViolation(
            rule_name=NOT_JUDGED,
            description=f"{file}: {message}",
            fix="Make it readable, or report the broken rule.",
            # Source that Python cannot parse is somebody's vendored file more often than ours.
            severity=doubt if ".py" in Path(file).suffixes else "error",
            violating_resources=[
                cdk.PolicyViolatingResource(
                    construct_path=stacks.get(_absolute(file), next(iter(stacks.values()), "")), locations=[file]
                )
            ],
        )
        for file, message in report.errors.items()
    ]
