"""The sentence in which AWS denies: `User: P is not authorized to perform: A on resource: R because no T policy allows …`.

It is found in a text without its white space, so line breaks may stand anywhere; where a word ends, the white space is
asked again. https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from operator_cli.denials.narrow_text import JOINT
from operator_cli.denials.plain_text import spaces_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from operator_cli.denials.plain_text import Squeezed
    from operator_cli.denials.reading import Decision, PolicyType

_ANCHOR: Final = re.compile(
    r"notauthori[sz]edto(?:perform|(?P<vague>accessthisresource|makethiscall|invoke))"
    r"|(?P<call>doesn'thavepermissiontocall)"
)
_LONGEST_PRINCIPAL: Final = 1400
_LONGEST_RESOURCE: Final = 2200
_LONGEST_REASON: Final = 900
_VAGUE_REASON_WITHIN: Final = 120
_LONGEST_API: Final = 200
_LATE_DENY_WITHIN: Final = 60
_DENY_WITHIN: Final = 300
_MOST_SPACES: Final = 12
"""In the name of a resource, such as a Glue job's."""
_TERMINAL: Final = 40
"""The narrowest terminal for which one broken line alone is believed to go on."""

_PRINCIPAL: Final = re.compile(r"[^\"'`\s()]{1,1400}")
_ARN_OF_PRINCIPAL: Final = re.compile(r"arn:[\w-]{1,20}:(?:iam|sts)::")
_ACTION: Final = re.compile(r"[:\s]?[\"'`\[]{0,2}(?P<action>[A-Za-z][A-Za-z0-9-]{0,62}:[A-Za-z*][A-Za-z0-9*]{0,120}?)(?P<end>[\"'`\]]{0,2})"
                            r"(?P<clause>on(?:the|this)?resources?|onthe|because|with(?:an?|the)?explicitden|onarn:)")  # fmt: skip
_PLAIN_ACTION: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}:[A-Za-z*][A-Za-z0-9*]{0,120}")
_LISTED_ACTION: Final = re.compile(r"[a-z0-9-]{2,63}:[A-Z][A-Za-z0-9]{1,120}")
_LISTED: Final = re.compile(
    r"the(?:required|following|necessary)?[A-Za-z]{0,40}actions?:?\(?"
    rf"(?P<actions>[\"'`]?{_LISTED_ACTION.pattern}[\"'`]?(?:,(?:and)?[\"'`]?{_LISTED_ACTION.pattern}[\"'`]?){{0,9}})"
)
"""As Bedrock says it: `the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe)`."""
_PATTERN: Final = re.compile(
    r"[:\s\\s*+]{0,8}[\"'`\[]{0,2}(?:\(\?|\(\[|\(\.[*+]|\(\\|\[\^|\\[sSwd]|\.[*+]|%[sqvr@]|%\(|\$\{?[A-Za-z_]"
    r"|\{[A-Za-z_0-9.]{0,60}[}:!]|\{\{|#\{)"
    r"|:?[\"'`](?![\"'`]?[A-Za-z0-9-]{2,63}:[A-Za-z*])|/"
)
"""A regular expression, a place for a value, or the end of what source code looks for."""
_LONGEST_PATTERN: Final = 700
_PARTED_ACTION: Final = re.compile(r"[A-Za-z0-9-]+: [A-Za-z0-9*\n\v]+")
_API: Final = re.compile(r"API:(?P<action>[a-z0-9-]{1,63}:[A-Za-z]{1,80}?)Youare$")
_ON_RESOURCE: Final = re.compile(r"onresources?[:\]]{0,2}|onthisresource|onthe(?:following)?resources?:?|on(?=arn:)")
_REASON: Final = re.compile(
    r"because(?:thereis)?no(?P<no>[a-z-]{3,40}?)(?:polic(?:y|ies))?(?:that)?(?:allows?|grants?|permits?)(?:the)?"
    r"[\"'`]?(?P<action>[a-z0-9-]{1,63}:[a-z0-9*]{1,120}?)[\"'`]?action"
    r"|because(?:the|an?|its|your)(?P<not>[a-z-]{3,40}?(?:policy|policies|boundary|boundaries))(?:do|does)(?:n't|not)"
    r"(?:allow|grant|permit)(?:the)?[\"'`]?(?P<other>[a-z0-9-]{1,63}:[a-z0-9*]{1,120}?)[\"'`]?action"
    r"|(?:(?:with|because|becauseof|dueto|by)(?:an?|the|one)?)?explicitden(?:y|ies)(?:statements?)?"
    r"(?:(?:in|of|by|from)(?:an?|the|its|your|one)?(?P<deny>[a-z-]{3,40}?(?:policy|policies|boundary|boundaries))"
    r"(?:transitivelythrough(?:an?|the|its|your)?(?P<through>[a-z-]{3,40}?(?:policy|policies|boundary|boundaries)))?)?"
    r"|because[a-z0-9(),/-]{1,120}block(?:ed)?publicaccess(?:setting)?"
    r"|because[a-z0-9(),/-]{1,120}blockedby(?:the)?[a-z]{0,40}?blockpublicaccesssettings?"
    r"|because[a-z0-9(),/-]{1,80}preventedbythe[a-z]{4,40}settingins3blockpublicaccess"
)
"""The small words differ: "in a", "in the", "policies". A Deny that is not seen is an Allow proposed in vain."""
_SOME_DENY: Final = re.compile(r"explicit(?!ly).{0,60}?den(?:y|ies)")
"""The same with something between: a prefix of each line, a mark of emphasis."""
_POLICY_TYPES: Final[tuple[tuple[str, PolicyType], ...]] = (
    ("identity", "identity-based"),
    ("servicecontrol", "scp"),
    ("resourcecontrol", "rcp"),
    ("boundary", "permissions-boundary"),
    ("boundaries", "permissions-boundary"),
    ("session", "session"),
    ("endpoint", "vpc-endpoint"),
    ("trust", "role-trust"),
    ("resource", "resource-based"),
    ("bucket", "resource-based"),
    ("keypolic", "resource-based"),
)
_TYPED_NAMES: Final = ("instanceprofile", "samlprovider", "oidcprovider", "role", "user", "group", "policy")
_TYPED_WORDS: Final = {
    "instanceprofile": "instance profile",
    "samlprovider": "saml provider",
    "oidcprovider": "oidc provider",
}
_BEFORE_POLICY_ARN: Final = re.compile(r"(?:,?withpolicyarn)?[:\"'`]{0,3}")
_QUOTED_NAME: Final = re.compile(r"[\"'`](?P<name>[\w+=.@/-]{0,60}[-_\d][\w+=.@/-]{0,60})$")
_END_OF_VALUE: Final = re.compile(r"[\"`\\]|'(?=[,)}\]]|$)|</|\v\((?:Service|SDK|RequestToken|Status)\b")
"""What ends a name that is part of JSON, of a repr, or of XML, or that fills its line to the end."""
_PLACEHOLDER: Final = re.compile(r"<[^<>\n]{1,40}>")
_KIND_OF_RESOURCE: Final = re.compile(r"[a-z-]{2,24}/")
_LEFT_OUT: Final = re.compile(r"(?:\.{3}|…)(?=:)")
"""What people write in place of an account, with spaces around it."""
_REST: Final = re.compile(
    r"[\w/*+=.@${}:-]{1,2000}(?<!:)(?:\s\((?:Service|SDK|RequestToken|Status)|\sEncoded|\s*$|[\"')])"
)
"""What a terminal broke off the end of an ARN: one word, and nothing after it but what SDKs add."""
_MORE_OF_AN_ARN: Final = re.compile(rf"(?=\S{{0,300}}[/:_\d-]){_REST.pattern}")
"""The same, where the word must look like a part of an ARN because the line before it may have been its own end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One such sentence.

    `start` and `end` are its place in the squeezed text; `vague` says that it names no action; `is_pattern` that it is source
    code, which composes such a sentence or looks for one.
    """

    start: int
    end: int
    vague: bool
    principal: str | None = None
    action: str | None = None
    reason_action: str | None = None
    further_actions: tuple[str, ...] = ()
    resource: str | None = None
    decision: Decision = "unspecified"
    policy_type: PolicyType | None = None
    policy_arn: str | None = None
    is_pattern: bool = False


def sentences(text: Squeezed) -> Iterator[Sentence]:
    """Give all such sentences, in order."""
    anchors = list(_ANCHOR.finditer(text.lower))
    before = 0
    for number, anchor in enumerate(anchors):
        limit = anchors[number + 1].start() if number + 1 < len(anchors) else len(text.text)
        found = _sentence(text, anchor, before=before, limit=limit)
        before = found.end
        yield found


def _sentence(text: Squeezed, anchor: re.Match[str], *, before: int, limit: int) -> Sentence:
    start, principal = _principal(text, anchor.start(), before)
    at = anchor.end()
    if anchor["vague"]:
        return _vague(text, start, at, limit, principal)
    if _PATTERN.match(text.text, at, limit) is not None:
        return Sentence(start=start, end=min(limit, at + _LONGEST_PATTERN), vague=True, is_pattern=True)
    action, at = _action(text, at, limit)
    further: tuple[str, ...] = ()
    if action is None:
        listed = _LISTED.match(text.text, at, limit)
        if listed is None:
            return _vague(text, start, at, limit, principal)
        action, *others = _LISTED_ACTION.findall(listed["actions"])
        further, at = tuple(others), listed.end()
    resource = None
    end = at
    clause = _ON_RESOURCE.match(text.lower, at, limit)
    if clause is not None:
        end = clause.end()
        if clause[0].startswith("onres") or clause[0].endswith(":") or text.lower.startswith("arn:", end):
            resource, end = _resource(text, clause.end(), limit, action)
    reason = _Reason.at(text, *_reason_span(text, end, limit, resource=clause is not None and resource is None))
    if reason.decision == "unspecified":
        # In words of its own, a Deny is still a Deny: missing it would propose an Allow.
        late = _Reason.at(text, end, min(limit, end + _LONGEST_REASON), within=_LATE_DENY_WITHIN)
        reason = late if late.decision == "explicit" else reason
    if reason.decision == "unspecified" and _SOME_DENY.search(text.lower, end, min(limit, end + _DENY_WITHIN)):
        reason = replace(reason, decision="explicit")
    return Sentence(
        start=start,
        end=max(end, reason.end),
        vague=False,
        principal=principal,
        action=action,
        reason_action=reason.action,
        further_actions=further,
        resource=resource,
        decision=reason.decision,
        policy_type=reason.policy_type,
        policy_arn=reason.policy_arn,
    )


def _vague(text: Squeezed, start: int, at: int, limit: int, principal: str | None) -> Sentence:
    """Read a sentence that names no action, unless EC2's prefix does: `API: ec2:CreateVpc You are not authorized …`."""
    api = _API.search(text.text[max(0, start - _LONGEST_API) : start])
    reason = _Reason.at(text, at, min(limit, at + _VAGUE_REASON_WITHIN + _LONGEST_REASON), within=_VAGUE_REASON_WITHIN)
    return Sentence(
        start=start,
        end=max(at, reason.end),
        vague=api is None,
        principal=principal,
        action=api["action"] if api is not None else None,
        decision=reason.decision,
        policy_type=reason.policy_type,
        policy_arn=reason.policy_arn,
    )


def _principal(text: Squeezed, anchor: int, before: int) -> tuple[int, str | None]:
    """Give where the sentence starts, and whom it names."""
    end = anchor - 2 if text.lower.startswith("is", anchor - 2) else anchor
    first = max(before, end - _LONGEST_PRINCIPAL)
    at = text.text.rfind("User:", first, end)
    if at >= 0:
        who = _unbroken(text.raw(at + 5, end)).strip("\"'`")
        if _PRINCIPAL.fullmatch(_PLACEHOLDER.sub("_", who)):
            return at, who
    arns = [found.start() for found in _ARN_OF_PRINCIPAL.finditer(text.text, first, end)]
    if arns and text.is_one_word(arns[-1], end - 1):
        who = _unbroken(text.raw(arns[-1], end)).strip("\"'`")
        if _PRINCIPAL.fullmatch(_PLACEHOLDER.sub("_", who)):
            return arns[-1], who
    quoted = _QUOTED_NAME.search(text.text[max(first, end - 124) : end])
    if quoted is not None and end < anchor and text.is_one_word(end - len(quoted["name"]), end):
        return end - len(quoted["name"]), quoted["name"]
    return (end - 4 if text.lower.startswith("user", end - 4) else end), None


def _action(text: Squeezed, at: int, limit: int) -> tuple[str | None, int]:
    """Give the action, and where it ends."""
    found = _ACTION.match(text.text, at, limit)
    if found is not None and text.begins_word(found.start("clause")) and _is_an_action(text.raw(*found.span("action"))):
        return found["action"], found.start("clause")
    skipped = re.compile(r"[:\"'`\[]{0,3}").match(text.text, at, limit)
    at = skipped.end() if skipped else at
    if at >= limit:
        return None, at
    end = text.word_end(at)
    end = end if ":" in text.text[at:end] else _token_end(text, at)
    plain = _PLAIN_ACTION.match(text.text, at, min(limit, end))
    return (plain[0], plain.end()) if plain is not None else (None, at)


def _is_an_action(raw: str) -> bool:
    """Whether it is one word, or two that some program parted behind the colon."""
    return spaces_in(raw) == 0 or _PARTED_ACTION.fullmatch(raw) is not None


def _resource(text: Squeezed, at: int, limit: int, action: str) -> tuple[str | None, int]:
    """Give the resource, and where it ends."""
    limit = min(limit, at + _LONGEST_RESOURCE + _LONGEST_REASON)
    if at >= limit or text.begins_paragraph(at):
        return None, at
    quote = text.text[at]
    if quote in "\"'`":
        closing = text.text.find(quote, at + 1, limit)
        if quote == "`":  # SES closes `so'
            others = [place for place in (closing, text.text.find("'", at + 1, limit)) if place > 0]
            closing = min(others, default=-1)
        if closing > 0:
            return _unbroken(text.raw(at + 1, closing), spaces=True) or None, closing + 1
        if text.text.startswith("arn:", at + 1):
            at += 1  # the text was cut within the quotation
    for reason in _REASON.finditer(text.lower, at, limit):
        if text.begins_word(reason.start()) and _is_resource(text, at, reason.start()):
            return _named(text.raw(at, reason.start()), action), reason.start()
        break
    typed = (
        next((kind for kind in _TYPED_NAMES if text.lower.startswith(kind, at)), "")
        if action.startswith("iam:")
        else ""
    )
    end = _token_end(text, at + len(typed))
    raw = _END_OF_VALUE.split(text.raw(at, min(end, limit)).rstrip(), maxsplit=1)[0]
    trimmed = raw.rstrip("\"'`,;)]}>") if not _PLACEHOLDER.search(raw[-40:]) else raw.rstrip("\"'`,;)")
    if trimmed.endswith(".") and not trimmed.endswith(".."):
        trimmed = trimmed[:-1]
    if trimmed.endswith(":") and not trimmed.endswith(("log-stream:", "::")):
        trimmed = trimmed[:-1]
    return _named(trimmed, action) or None, min(end, limit)


def _is_resource(text: Squeezed, at: int, end: int) -> bool:
    """Whether what stands before the reason is one name, perhaps with its kind before it, and no prose."""
    spaces = spaces_in(_PLACEHOLDER.sub("_", text.raw(at, end)))
    return 0 < end - at <= _LONGEST_RESOURCE and spaces <= (_MOST_SPACES if text.text.startswith("arn:", at) else 3)


def _named(raw: str, action: str) -> str:
    if raw.startswith("arn:"):
        return re.sub(r"[ \t]*:[ \t]*", ":", _unbroken(raw, spaces=True))
    joined = _unbroken(raw)
    if action.startswith(("iam:", "sts:")) and not joined.startswith("arn:"):
        for kind in _TYPED_NAMES:
            if joined.startswith(kind) and joined != kind:
                return f"{_TYPED_WORDS.get(kind, kind)} {joined[len(kind) :]}"
    return joined


def _token_end(text: Squeezed, at: int) -> int:
    """Give where the word ends that begins there, with what a terminal broke off it."""
    end = text.word_end(at)
    if text.text[end - 1] == ":" and _KIND_OF_RESOURCE.match(text.text, end):
        end = text.word_end(end)  # whoever wrote it down put a space after each colon
    if text.text[end - 1] == ":" and (left_out := _LEFT_OUT.match(text.text, end)) is not None:
        end = text.word_end(left_out.end())
    while end < len(text.text) and _was_broken(text.source, text.place(end - 1) + 1):
        end = text.word_end(end)
    return end


def _was_broken(source: str, place: int) -> bool:
    """Whether a terminal may have broken the word that ends there, and the next line is its rest."""
    if source[place : place + 1] != "\n":
        return False
    start = source.rfind("\n", 0, place) + 1
    line = source[start:place]
    end = source.find("\n", place + 1)
    following = source[place + 1 : end if end >= 0 else place + 1 + _LONGEST_RESOURCE]
    following = following.removeprefix(line[: len(line) - len(line.lstrip())])
    rest = _REST if line[-1] in "-_/:" else _MORE_OF_AN_ARN  # no name ends so
    return _TERMINAL <= len(line) > len(following) and rest.match(following) is not None


def _unbroken(raw: str, *, spaces: bool = False) -> str:
    """Give one word of several lines; the spaces of a placeholder such as `<account id>` stay, or all that `spaces` keeps."""
    raw = re.sub(r"[ \t]*\n\s*", "", raw.strip().replace(JOINT, ""))
    if spaces:
        return raw
    kept = _PLACEHOLDER.findall(raw)
    joined = re.sub(r"\s+", "", _PLACEHOLDER.sub("\0", raw))
    for placeholder in kept:
        joined = joined.replace("\0", placeholder, 1)
    return joined


def _reason_span(text: Squeezed, at: int, limit: int, *, resource: bool) -> tuple[int, int]:
    """Give where the reason may stand: right after what is known, or after words such as "associated with this key"."""
    while at < limit and text.text[at] in "\"'`,.":
        at += 1
    if resource:
        found = _REASON.search(text.lower, at, min(limit, at + 120))
        at = found.start() if found is not None else at
    return at, min(limit, at + _LONGEST_REASON)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reason:
    end: int = 0
    decision: Decision = "unspecified"
    policy_type: PolicyType | None = None
    action: str | None = None
    policy_arn: str | None = None

    @classmethod
    def at(cls, text: Squeezed, at: int, limit: int, *, within: int = 0) -> _Reason:
        """Read the reason that stands there, or that begins at most `within` characters later."""
        found = _REASON.search(text.lower, at, limit) if within else _REASON.match(text.lower, at, limit)
        if found is None or (within and found.start() > at + within):
            return cls()
        if found["no"] or found["not"]:
            return cls(
                end=found.end(),
                decision="implicit",
                policy_type=_policy_type(found["no"] or found["not"]),
                action=text.text[slice(*found.span("action" if found["no"] else "other"))],
            )
        if "explicitden" not in found[0]:
            return cls(end=found.end(), decision="explicit", policy_type="block-public-access")
        arn, end = _policy_arn(text, found.end(), limit)
        # "In a VPC endpoint policy transitively through a service control policy": the latter is what denies.
        words = found["through"] or found["deny"]
        kind = _policy_type(words) if words else None
        return cls(end=end, decision="explicit", policy_type=kind, policy_arn=arn)


def _policy_type(words: str) -> PolicyType | None:
    return next((kind for name, kind in _POLICY_TYPES if name in words), None)


def _policy_arn(text: Squeezed, at: int, limit: int) -> tuple[str | None, int]:
    named = _BEFORE_POLICY_ARN.match(text.lower, at, limit)
    at = named.end() if named is not None else at
    if not text.text.startswith("arn:", at):
        return None, at
    end = min(_token_end(text, at), limit)
    return _unbroken(_END_OF_VALUE.split(text.raw(at, end), maxsplit=1)[0]).rstrip(",;).]}'"), end
