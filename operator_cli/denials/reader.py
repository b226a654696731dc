"""From any text that holds AWS errors to what they say: pure, linear in the text's length, and it never raises."""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice, takewhile, zip_longest
from typing import TYPE_CHECKING, Any, Final

from operator_cli import rule_checks
from operator_cli.denials.error_families import codes, codes_of_requests, family_of
from operator_cli.denials.known_errors import DENIAL_CODES, KNOWN_ERRORS, KnownError
from operator_cli.denials.names_in_words import named_bucket, named_by_terraform
from operator_cli.denials.plain_text import Squeezed, plain
from operator_cli.denials.prose import Beliefs
from operator_cli.denials.reading import Reading
from operator_cli.denials.sentence import Sentence, sentences
from operator_cli.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from operator_cli.denials.reading import Decision

_NEAR_BEFORE: Final = 420
_NEAR_AFTER: Final = 700
_ANNOUNCEMENT: Final = 24
_HTTP_DENIED: Final = "Forbidden"
_VAGUE: Final = "denied-without-details"
_LONGEST_MENTION: Final = 240
_MOST: Final = 2000
"""Sentences, or events, that are read of one text. A log with more says the same again and again."""
_MOST_TALK: Final = 300
"""Places at which a code is looked at before it is taken for something that the text only talks about."""
_DEEPEST: Final = 12

_CALLING: Final = re.compile(
    r"(?:anerroroccurred|aclienterror)\((?P<code>[\w.]{1,80})\)(?:occurred)?whencallingthe(?P<operation>\w{1,80}?)operation"
)
_GO: Final = re.compile(r"operationerror[\w -]{1,60}?:(?P<operation>[A-Z]\w{1,80}),")
_PHP: Final = re.compile(r"Errorexecuting\"(?P<operation>[A-Z]\w{1,80})\"on")
_NAMED_CODE: Final = re.compile(
    r"(?:apierror|(?:Handler)?[Ee]rror_?[Cc]ode[\"']?(?::|=>?)[\"']?|[^A-Za-z]u?[\"']?[Cc]ode[\"']?(?::|=>?)[\"']?|<Code>|__type[\"']?:u?[\"'](?:[\w.]{1,80}#)?)"
    r"(?P<code>(?:Client\.)?[A-Z][A-Za-z]{2,70})"
)
# Not `==`, which compares: source code is no error.
_CODE_BEFORE_USER: Final = re.compile(
    r"(?P<code>ValidationError|ValidationException|InvalidRequest(?:Exception)?|InvalidParameter(?:Value)?(?:Exception)?"
    r"|BadRequestException|GeneralServiceException)[:.]?$"
)
"""Codes that say nothing of a denial, and are believed where they stand right before its sentence."""
_ROLE_MAY_NOT: Final = re.compile(
    r"(?:do|does)(?:n't|not)have(?:the|any)?(?:sufficient|necessary|required|enough|right)?permissions?to(?:call|perform|invoke)(?:the)?"
)
_ROLE_WITHIN: Final = 220
"""A service says of the role that it was given what the role may not do: `… to call ReceiveMessage on SQS`."""
_ARN_OF_ROLE: Final = re.compile(r"arn:[\w-]{1,20}:iam::[^:]{0,20}:role/[\w+=,.@/-]{1,500}")
_CALLED: Final = re.compile(r"[\"'`]?(?:(?P<prefix>[a-z0-9-]{2,40}):)?(?P<operation>[A-Z][A-Za-z0-9]{3,60})")
_CALLED_ON: Final = re.compile(r"[\"'`]?on(?:the|an?)?(?:amazon|aws)?(?P<service>[a-z0-9]{2,24})")
_PREFIXES: Final = {
    **{name: name for name in ("ec2", "sqs", "sns", "kinesis", "dynamodb", "s3", "kms", "secretsmanager", "lambda", "events",
                               "logs", "ssm", "firehose", "glue", "athena", "states", "ecs", "rds", "mq", "iam")},
    "msk": "kafka", "kafka": "kafka", "efs": "elasticfilesystem", "eventbridge": "events", "stepfunctions": "states",
}  # fmt: skip
"""What services are called in messages, and in IAM."""
_BOOTSTRAPPING: Final = re.compile(
    r"failedbootstrapping|bootstrappingenvironment|stacknamedcdktoolkit|cdktoolkit(?:\||:creating|:updating|failed)|cdkbootstrapversion"
)
"""What `cdk bootstrap` says of itself, and no deployment does."""
_API_DENIED: Final = re.compile(r"api:(?P<action>[a-z0-9-]{2,40}:[a-z]{3,80}?)accessdenied")
"""As CloudFormation put it: `API: s3:PutBucketPolicy Access Denied`."""
_OF_S3: Final = re.compile(r"Bucket|Object|Multipart|UploadPart")
_SAYS_S3: Final = re.compile(r"\bs3[an]?://|\bS3 (?:[Oo]bject|[Bb]ucket)\b|\.s3[.-][a-z0-9.-]{0,40}amazonaws\.com")
_VERB: Final = re.compile(r"^[A-Z][a-z]+")
"""With which an action begins; the kind of resource follows."""
_AUTHORIZATION_ID: Final = re.compile(
    r"authorization-details/(?P<id>[A-Za-z0-9-]{6,80}?)(?:forcompletedetails|[^A-Za-z0-9-])|authorizationid:?[\"'`]?(?P<last>[A-Za-z0-9-]{6,80})"
)
_QUEUE_URL: Final = re.compile(r"accesstotheresource(?P<resource>\S{1,200}?)isdenied", re.IGNORECASE)
_EVENT_FIELD: Final = re.compile(
    r'"(eventName|eventSource|awsRegion|errorCode|errorMessage|arn)"\s{0,10}:\s{0,10}"((?:[^"\\\n]|\\.){1,4000})"'
)
_TELLING_CODES: Final = frozenset((*DENIAL_CODES, *(code for known in KNOWN_ERRORS for code in known.codes)))
_CODE_TOKENS: Final = tuple(
    sorted({*_TELLING_CODES, *(code for known in KNOWN_ERRORS for code in known.weak_codes)}, key=len, reverse=True)
)


@dataclass(frozen=True, slots=True)
class _Mention:
    """An error code, an operation or both, where they stand; bare is a code that is just a word of the text."""

    start: int
    end: int
    code: str | None
    operation: str | None
    is_bare: bool = False


@dataclass(frozen=True, slots=True)
class _Finding:
    """A reading, and how much it says: what says more explains the text, the rest is its echo."""

    place: int
    weight: int
    reading: Reading


_SENTENCE: Final = 4
_KNOWN: Final = 3
_GENERAL: Final = 2
_WEAK: Final = 1
_OTHER: Final = 0


def readings(text: str) -> tuple[Reading, ...]:
    """Give each distinct error of a text, the main one first; none if it holds no AWS error."""
    text = masked(text)
    found = [*_of_decoded(text)] or [*_of_events(text)] or [*_of_text(text)]
    is_denied = any(finding.reading.category == "access-denied" for finding in found)
    if is_denied and _BOOTSTRAPPING.search("".join(text.lower().split())):
        found = [replace(finding, reading=replace(finding.reading, is_bootstrap=True)) for finding in found]
    heaviest = max((finding.weight for finding in found), default=0)
    # A bare "Access Denied" beside a full sentence, or a mere code beside a known error, is the same error's echo.
    enough = _KNOWN if heaviest == _SENTENCE else min(heaviest, _GENERAL)
    kept = [finding for finding in found if finding.weight >= enough]
    kept.sort(key=lambda finding: (-finding.weight, finding.place))
    distinct: dict[tuple[object, ...], Reading] = {}
    for finding in kept:
        reading = _shown(finding.reading)
        distinct.setdefault(_identity(reading), reading)
    return tuple(distinct.values())


def _shown(reading: Reading) -> Reading:
    """Mask again what was put together from broken lines and escapes: no line of the text held it whole."""
    told = ("error_code", "operation", "principal", "action", "reason_action", "resource", "policy_arn")
    again: dict[str, Any] = {name: masked(value) for name in told if (value := getattr(reading, name))}
    return replace(reading, **again)


def _identity(reading: Reading) -> tuple[object, ...]:
    """What makes two errors the same, whatever their request was called."""
    if reading.known_as:
        return (reading.known_as, reading.resource, reading.principal)
    who = reading.principal or ""
    if ":assumed-role/" in who:
        who = "/".join(who.split("/")[:2])  # each of a role's sessions has a name of its own
    return (who, reading.action, reading.resource, reading.decision, reading.policy_type)


def _of_text(text: str) -> Iterator[_Finding]:
    squeezed = Squeezed(plain(text))
    mentions = _mentions(squeezed)
    beliefs = Beliefs(text, squeezed)
    said = _without_announcements(list(islice(sentences(squeezed), _MOST)))
    for number, sentence in enumerate(said):
        after = said[number + 1].start if number + 1 < len(said) else len(squeezed.text)
        before = said[number - 1].end if number else 0
        if sentence.is_pattern:
            continue
        finding = _of_sentence(squeezed, mentions, sentence, before, after)
        if finding.weight > _WEAK or beliefs.is_told(sentence.start, sentence.end):
            yield finding
    if any(sentence.is_pattern for sentence in said):
        return  # source code that knows the sentence knows the codes too
    spans = [(sentence.start, sentence.end) for sentence in said]
    yield from _of_roles(squeezed, mentions)
    # Where actions of AWS Marketplace are missing, model access is what they are missing for.
    of_marketplace = any((sentence.action or "").startswith("aws-marketplace:") for sentence in said)
    for finding in _of_known(squeezed, mentions, spans, beliefs):
        if not (of_marketplace and finding.reading.known_as == "bedrock-model-access"):
            yield _with_names(squeezed, finding)
    for finding in _others(mentions):
        yield _with_names(squeezed, finding)
    if not said:
        yield from _of_families(squeezed, beliefs)


def _with_names(squeezed: Squeezed, finding: _Finding) -> _Finding:
    """Add what the text says in words around a denial that names nothing."""
    reading = finding.reading
    if reading.known_as != _VAGUE or reading.resource is not None:
        return finding
    start, end = squeezed.place(finding.place), squeezed.place(finding.place) + 1
    of_api = _API_DENIED.search(squeezed.lower, max(0, finding.place - 140), finding.place + 20)
    if of_api is not None:
        action = squeezed.text[slice(*of_api.span("action"))]
        return replace(finding, reading=replace(reading, action=action, named=_named(squeezed, action, start, end)))
    if _OF_S3.search(reading.operation or "") is None:
        return replace(finding, reading=replace(reading, named=named_by_terraform(squeezed.source, start)))
    needed = rule_checks.actions_of_operation("s3", reading.operation or "")
    named = _named(squeezed, needed[0], start, end) if len(needed) == 1 else ""
    said = squeezed.source[max(0, start - _NEAR_BEFORE) : end + _NEAR_AFTER]
    if len(needed) != 1 or _SAYS_S3.search(said) is None:
        return replace(finding, reading=replace(reading, named=named))
    # S3 says nothing of a denial. Where the text says that it is S3, the operation leaves no other action.
    return replace(finding, reading=replace(reading, action=needed[0], service="s3", named=named))


def _named(squeezed: Squeezed, action: str, start: int, end: int) -> str:
    on_object = "Object" in action or "MultipartUpload" in action
    return named_bucket(squeezed.source, start, end, on_object=on_object) if action.startswith("s3:") else ""


def _of_roles(squeezed: Squeezed, mentions: list[_Mention]) -> Iterator[_Finding]:
    """Give what services say of the roles that they were given."""
    for found in islice(_ROLE_MAY_NOT.finditer(squeezed.lower), _MOST):
        start = squeezed.lower.rfind("role", max(0, found.start() - _ROLE_WITHIN), found.start())
        called = _CALLED.match(squeezed.text, found.end(), min(squeezed.word_end(found.end()), found.end() + 110))
        if called is None or start < 0:
            continue
        on = _CALLED_ON.match(squeezed.lower, called.end(), min(len(squeezed.text), called.end() + 40))
        said = ""
        if on is not None and squeezed.begins_word(on.start("service")):
            said = squeezed.lower[on.start("service") : min(on.end(), squeezed.word_end(on.start("service")))]
        prefix = called["prefix"] or _PREFIXES.get(said, "")
        code, _ = _beside(mentions, start, called.end(), 0, len(squeezed.text))
        arn = _ARN_OF_ROLE.search(squeezed.text, max(0, found.start() - _ROLE_WITHIN), found.start())
        yield _Finding(
            start,
            _SENTENCE if prefix else _KNOWN,
            Reading(
                error_code=code,
                principal=arn[0] if arn is not None else None,
                action=f"{prefix}:{called['operation']}" if prefix else None,
                known_as="role-may-not",
            ),
        )


def _without_announcements(said: list[Sentence]) -> list[Sentence]:
    """Leave out "You are not authorized to perform this operation." where the sentence that says it all follows at once."""
    return [
        sentence
        for sentence, following in zip_longest(said, said[1:])
        if following is None
        or not sentence.vague
        or sentence.principal
        or sentence.decision != "unspecified"
        or following.start - sentence.end > _ANNOUNCEMENT
    ]


def _of_sentence(squeezed: Squeezed, mentions: list[_Mention], sentence: Sentence, before: int, after: int) -> _Finding:
    code, operation = _beside(mentions, sentence.start, sentence.end, before, after)
    if code is None:
        named = _CODE_BEFORE_USER.search(squeezed.text[max(0, sentence.start - 80) : sentence.start])
        code = named["code"] if named is not None else None
    encoded = (
        squeezed.lower.find("encodedauthorizationfailuremessage", sentence.end, min(after, sentence.end + 400)) >= 0
    )
    known = ""
    weight = _SENTENCE
    if sentence.action is None:
        known = "encoded-only" if encoded else _VAGUE
        says_something = encoded or sentence.principal or sentence.decision != "unspecified"
        weight = _KNOWN if says_something else _WEAK
    reading = Reading(
        error_code=code,
        operation=operation,
        principal=sentence.principal,
        action=sentence.action,
        reason_action=sentence.reason_action,
        further_actions=sentence.further_actions,
        resource=sentence.resource,
        decision=sentence.decision,
        policy_type=sentence.policy_type,
        policy_arn=sentence.policy_arn,
        encoded=encoded,
        known_as=known,
        named=_named_before(squeezed, sentence),
        authorization_id=_authorization_id(squeezed, sentence.end, min(after, sentence.end + _NEAR_AFTER)),
    )
    return _Finding(sentence.start, weight, _trusted(reading))


def _named_before(squeezed: Squeezed, sentence: Sentence) -> str:
    """Give the name that Terraform says before a sentence that has none, if it is of the kind that the action is on."""
    kind = _VERB.sub("", (sentence.action or "").partition(":")[2], count=1)
    if sentence.resource is not None or not kind:
        return ""
    return named_by_terraform(squeezed.source, squeezed.place(sentence.start), kind=kind)


def _trusted(reading: Reading) -> Reading:
    """Say whose policy it is where a call is not signed: nobody's but the role's, unless the text says so itself."""
    if reading.federation and reading.policy_type is None and reading.decision == "unspecified":
        return replace(reading, policy_type="role-trust")
    return reading


def _authorization_id(squeezed: Squeezed, start: int, end: int) -> str:
    """Give the id under which AWS keeps what it evaluated, however its line was broken."""
    found = _AUTHORIZATION_ID.search(squeezed.text, start, end)
    if found is None:
        return ""
    return found["id"] or squeezed.text[found.start("last") : min(found.end(), squeezed.word_end(found.start("last")))]


def _of_known(
    squeezed: Squeezed, mentions: list[_Mention], spans: list[tuple[int, int]], beliefs: Beliefs
) -> Iterator[_Finding]:
    places = {
        known: where for known in KNOWN_ERRORS if (where := _by_words(squeezed, known, spans, beliefs)) is not None
    }
    told = _told(mentions, beliefs)
    explained = {code for known in places for code in (*known.codes, *known.weak_codes)}
    for known in KNOWN_ERRORS:
        if known not in places and (where := _by_code(told, known, explained)) is not None:
            places[known] = where
    for known, (place, end) in places.items():
        code, operation = _beside(mentions, place, end, 0, len(squeezed.text), only=known)
        resource = None
        url = _QUEUE_URL.search(squeezed.text) if known.name == _VAGUE else None
        if url is not None:
            resource = url["resource"].strip("\"'`")
        reading = Reading(
            category=known.category,
            error_code=code,
            operation=operation,
            resource=resource,
            policy_type=known.policy_type,
            decision="explicit" if known.policy_type == "block-public-access" else "unspecified",
            encoded=known.name == "encoded-only",
            known_as=known.name,
        )
        yield _Finding(
            place,
            _WEAK if known.weak else _GENERAL if known.general else _KNOWN,
            _trusted(reading) if known.category == "access-denied" else reading,
        )


def _by_words(
    squeezed: Squeezed, known: KnownError, spans: list[tuple[int, int]], beliefs: Beliefs
) -> tuple[int, int] | None:
    """Give where a known error's words first stand outside of the sentences; those that say nothing, where they are told."""
    best: tuple[int, int] | None = None
    for phrase in known.phrases:
        for at in islice(_places(squeezed.lower, phrase), _MOST_TALK if known.name == _VAGUE else _MOST):
            if known.beside and not _is_told_beside(squeezed, beliefs, at, known.beside):
                continue
            if _within(spans, at) or (known.name == _VAGUE and not beliefs.is_told(at, at + len(phrase))):
                continue
            if best is None or at < best[0]:
                best = (at, at + len(phrase))
            break
    return best


def _is_told_beside(squeezed: Squeezed, beliefs: Beliefs, at: int, word: str) -> bool:
    first = max(0, at - _NEAR_BEFORE)
    near = squeezed.lower[first : at + _NEAR_BEFORE]
    return any(beliefs.is_told(first + found, first + found + len(word)) for found in _places(near, word))


def _places(text: str, phrase: str) -> Iterator[int]:
    at = text.find(phrase)
    while at >= 0:
        yield at
        at = text.find(phrase, at + len(phrase))


def _told(mentions: list[_Mention], beliefs: Beliefs) -> list[_Mention]:
    """Give the codes that a program says; of each that is just a word of the text, where it is first said."""
    found: list[_Mention] = []
    tried: Counter[str | None] = Counter()
    for mention in mentions:
        if not mention.operation:
            tried[mention.code] += 1
            if tried[mention.code] > _MOST_TALK or not beliefs.is_told(
                mention.start, mention.end, named=not mention.is_bare
            ):
                continue
            tried[mention.code] = _MOST_TALK
        found.append(mention)
    return found


def _within(spans: list[tuple[int, int]], at: int) -> bool:
    """Whether a place lies in one of the spans, which are in order."""
    before = bisect_right(spans, (at, sys.maxsize)) - 1
    return before >= 0 and spans[before][0] <= at < spans[before][1]


def _by_code(mentions: list[_Mention], known: KnownError, explained: set[str]) -> tuple[int, int] | None:
    """Give where a known error's code first stands, unless the words of another error explain that code."""
    codes = set(known.codes) - explained
    return next(
        ((mention.start, mention.end) for mention in mentions if (mention.code or "").removeprefix("Client.") in codes),
        None,
    )


def _others(mentions: list[_Mention]) -> Iterator[_Finding]:
    """Give the errors of SDKs whose code nothing here knows."""
    for mention in mentions:
        if mention.code and mention.operation and mention.code.removeprefix("Client.") not in _TELLING_CODES:
            denied = mention.code == "403"
            yield _Finding(
                mention.start,
                _WEAK if denied else _OTHER,
                Reading(
                    category="access-denied" if denied else "not-iam",
                    error_code=mention.code,
                    operation=mention.operation,
                    known_as=_VAGUE if denied else family_of(mention.code) or "another-error",
                ),
            )


def _of_families(squeezed: Squeezed, beliefs: Beliefs) -> Iterator[_Finding]:
    """Give the errors whose code nothing here knows, but what it is made of, or that an SDK tells it."""
    for start, end, code in codes(squeezed.source):
        at = squeezed.squeezed_place(start)
        if beliefs.is_told(at, at + end - start):
            yield _other(at, code)
    for start, code in codes_of_requests(squeezed.source):
        if code not in _TELLING_CODES:
            yield _other(squeezed.squeezed_place(start), code)


def _other(place: int, code: str) -> _Finding:
    return _Finding(
        place, _OTHER, Reading(category="not-iam", error_code=code, known_as=family_of(code) or "another-error")
    )


def _beside(
    mentions: list[_Mention], start: int, end: int, before: int, after: int, *, only: KnownError | None = None
) -> tuple[str | None, str | None]:
    """Give the code and the operation that belong to what stands there: the nearest before it, else the first after it."""
    first, last = max(before, start - _NEAR_BEFORE), min(after, end + _NEAR_AFTER)
    begin = bisect_left(mentions, first - _LONGEST_MENTION, key=lambda mention: mention.start)
    near = [
        mention
        for mention in takewhile(lambda mention: mention.start < last, islice(mentions, begin, None))
        if mention.end > first
    ]
    earlier = [mention for mention in near if mention.start < end][::-1]
    later = [mention for mention in near if mention.start >= end]
    codes = [mention.code for mention in [*earlier, *later] if mention.code and _fits(mention, only)]
    # "403 Forbidden" is HTTP's word and stands beside AWS's own.
    code = next((code for code in codes if code != _HTTP_DENIED), codes[0] if codes else None)
    operation = next((mention.operation for mention in earlier if mention.operation), None)
    return code, operation


def _fits(mention: _Mention, known: KnownError | None) -> bool:
    if known is None:
        return True
    return mention.operation is not None or (mention.code or "").removeprefix("Client.") in {
        *known.codes,
        *known.weak_codes,
    }


def _mentions(squeezed: Squeezed) -> list[_Mention]:
    text = squeezed.text
    found = [
        _Mention(m.start(), m.end(), text[slice(*m.span("code"))], text[slice(*m.span("operation"))])
        for m in _CALLING.finditer(squeezed.lower)
    ]
    found += [_Mention(m.start(), m.end(), None, m["operation"]) for m in _GO.finditer(text)]
    found += [_Mention(m.start(), m.end(), None, m["operation"]) for m in _PHP.finditer(text)]
    found += [
        _Mention(m.start(), m.end("code"), code, None)
        for m in _NAMED_CODE.finditer(text)
        if (code := _whole_code(squeezed, *m.span("code")))
    ]
    taken = bytearray(len(text))
    for mention in found:
        taken[mention.start : mention.end] = b"x" * (mention.end - mention.start)
    for token in _CODE_TOKENS:
        at = text.find(token)
        while at >= 0:
            end = at + len(token)
            ends = end >= len(text) or not text[end].islower() or squeezed.begins_word(end)
            alone = ends and squeezed.is_one_word(at, end)
            if alone and not taken[at]:
                found.append(_Mention(at, end, token, None, is_bare=True))
                taken[at:end] = b"x" * len(token)
            at = text.find(token, end)
    return sorted(found, key=lambda mention: mention.start)


def _whole_code(squeezed: Squeezed, start: int, end: int) -> str:
    """Give the code that begins there, without the word that follows it in the text."""
    code = squeezed.text[start:end]
    known = next((token for token in _CODE_TOKENS if code.startswith(token)), None)
    if known is not None and (code == known or squeezed.begins_word(start + len(known))):
        return known
    code = squeezed.text[start : min(end, squeezed.word_end(start))]
    return code if len(code) > 3 else ""  # noqa: PLR2004 - shorter ones are other programs' codes


# Events of CloudTrail.


def _of_events(text: str) -> Iterator[_Finding]:
    for place, event in enumerate(islice(_events(text), _MOST)):
        yield from _of_event(place, event)


def _events(text: str) -> Iterable[dict[str, Any]]:
    stripped = text.strip()
    if not stripped.startswith(("{", "[")) or "errorCode" not in stripped:
        return ()
    try:
        document = json.loads(stripped)
    except (ValueError, RecursionError):
        return _cut_event(stripped)
    return list(_with_error(document, _DEEPEST))


def _of_decoded(text: str) -> Iterator[_Finding]:
    """Give what `aws sts decode-authorization-message` says, whole or only its message."""
    if '"context' not in text and "DecodedMessage" not in text:
        return
    try:
        document = json.loads(text)
        if isinstance(document, dict) and isinstance(document.get("DecodedMessage"), str):
            document = json.loads(document["DecodedMessage"])
    except (ValueError, RecursionError):
        return
    context = document.get("context") if isinstance(document, dict) else None
    if not isinstance(context, dict) or not isinstance(document.get("explicitDeny"), bool):
        return
    principal = context.get("principal")
    arn = principal.get("arn") if isinstance(principal, dict) else None
    who, action, resource = (
        value if isinstance(value, str) else None for value in (arn, context.get("action"), context.get("resource"))
    )
    decision: Decision = "explicit" if document["explicitDeny"] else "implicit"
    yield _Finding(0, _SENTENCE, Reading(principal=who, action=action, resource=resource, decision=decision))


def _cut_event(text: str) -> Iterable[dict[str, Any]]:
    """Give what an event's text still has, of which a part was cut out or left off."""
    fields = {found[1]: found[2] for found in list(_EVENT_FIELD.finditer(text))[::-1]}
    if not {"errorCode", "eventName", "eventSource"} <= fields.keys():
        return ()
    message = fields.get("errorMessage", "").replace('\\"', '"')
    return [{**fields, "errorMessage": message, "userIdentity": {"arn": fields.get("arn")}}]


def _with_error(value: object, depth: int) -> Iterator[dict[str, Any]]:
    if depth == 0:
        return
    if isinstance(value, dict):
        if isinstance(value.get("errorCode"), str) and isinstance(value.get("eventName"), str):
            yield value
            return
        if isinstance(value.get("CloudTrailEvent"), str):
            yield from _events(value["CloudTrailEvent"])
            return
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _with_error(part, depth - 1)


def _of_event(place: int, event: dict[str, Any]) -> Iterator[_Finding]:
    code, operation = event["errorCode"], event["eventName"]
    message = event.get("errorMessage")
    said = f"An error occurred ({code}) when calling the {operation} operation: {message if isinstance(message, str) else ''}"
    found = sorted(_of_text(said), key=lambda finding: -finding.weight)[:1]
    identity = event.get("userIdentity")
    arn = identity.get("arn") if isinstance(identity, dict) else None
    source = event.get("eventSource")
    region = event.get("awsRegion")
    for finding in found:
        reading = finding.reading
        yield _Finding(
            place,
            finding.weight,
            replace(
                reading,
                error_code=code,
                operation=operation,
                principal=reading.principal or (arn if isinstance(arn, str) else None),
                service=source.split(".")[0] if isinstance(source, str) else "",
                region=region if isinstance(region, str) else "",
            ),
        )
