"""What a credential looks like: the one place that tells a secret from a name, a reference or a number.

Rules ask: does this text hold a credential whatever it is called (`credential_in`), does this name promise a secret
(`promise_of`), is this text then one, or a word about one (`is_secret`), does this script assign any
(`secrets_assigned_in`), or all of that at once (`secret_called`). No answer holds the value. Where the values stand, so that
nobody prints them, says `secret_spans`.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from credential_rules.rule import last_four, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

Promise: TypeAlias = Literal["aws", "secret", "maybe", "none"]
"""What a name says about its value.

`aws`: an AWS credential, read by every SDK or meant for one (`AWS_SECRET_ACCESS_KEY`, `accessKeyId`). `secret`: a secret
(`DB_PASSWORD`). `maybe`: a secret if the value looks like one (`ENCRYPTION_KEY`). `none`: no secret (`SECRET_ARN`).
"""


class Credential(NamedTuple):
    """A credential in a text. `what` names it for people, without its value."""

    what: str


# --- values that give themselves away -----------------------------------------------------------------------------

_KEY_ID = re.compile(
    # The documented example keys use digits that real ones do not, so this is not base 32. Words begin with ASIA too.
    r"(?<![A-Za-z0-9])(?:AKIA[A-Z0-9]{16}|(?=[A-Z]*[0-9])(?:ASIA|ABIA|ACCA)[A-Z0-9]{16,17})(?![A-Za-z0-9])"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-[0-9]:")
_SESSION_TOKEN = re.compile(
    r"(?<![A-Za-z0-9/+])(?:FwoGZXIvYXdz|FQoGZXIvYXdz|FQoDYXdz|IQoJb3JpZ2lu|AQoDYXdz|AQoEXAMPLEH4)[A-Za-z0-9/+=]{40,}"
)
_TOKENS: Final[tuple[tuple[str, str], ...]] = (
    ("an Amazon Bedrock API key", r"ABSK(?:QmVkcm9ja0FQSUtleS[A-Za-z0-9+/]{8,}|[A-Za-z0-9+/]{60,})={0,2}"),
    ("an Amazon Bedrock API key", r"bedrock-api-key-[A-Za-z0-9+/=_-]{30,}"),
    ("an AppSync API key", r"da2-[a-z0-9]{26}"),
    ("a Rolebound API key", r"rb_[a-z2-7]{12}_[A-Za-z0-9_-]{43}"),
    ("a Marketplace Web Service key", r"amzn\.mws\.[0-9a-f]{8}-[0-9a-f-]{27}"),
    ("a GitHub token", r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{22,}"),
    ("a GitLab token", r"gl(?:pat|dt|rt|ptt|cbt|soat)-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"xox[abeoprs]-(?:[0-9]+-)*[A-Za-z0-9-]{10,}|xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]+"),
    (
        "a Slack webhook",
        r"hooks\.slack\.com/(?:services/T[A-Za-z0-9_]+/B[A-Za-z0-9_]+/[A-Za-z0-9_]{8,}|workflows/[A-Za-z0-9_/]{20,})",
    ),
    ("a Stripe key", r"(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{24,}"),
    ("a Google API key", r"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])"),
    ("a Google OAuth secret", r"GOCSPX-[A-Za-z0-9_-]{20,}|ya29\.[A-Za-z0-9_-]{20,}"),
    ("an npm token", r"npm_[A-Za-z0-9]{30,}"),
    ("a PyPI token", r"pypi-(?:AgEIcHlwaS5vcmc|AgENdGVzdC5weXBpLm9yZw)[A-Za-z0-9_-]{20,}"),
    ("a SendGrid key", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64}"),
    ("a Mailgun key", r"key-[0-9a-f]{32}"),
    ("a Mailchimp key", r"[0-9a-f]{32}-us[0-9]{1,2}"),
    ("a Twilio key", r"SK[0-9a-f]{32}"),
    ("an OpenAI key", r"sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]*T3BlbkFJ[A-Za-z0-9_-]+|sk-proj-[A-Za-z0-9_-]{40,}"),
    ("an OpenAI key", r"sk-[A-Za-z0-9]{48}"),
    ("an Anthropic key", r"sk-ant-[A-Za-z0-9_-]{20,}"),
    ("a Hugging Face token", r"hf_[A-Za-z]{30,}"),
    ("a Databricks token", r"dapi[0-9a-f]{32}"),
    ("a DigitalOcean token", r"do[opr]_v1_[0-9a-f]{40,}"),
    ("a Docker Hub token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    ("a Terraform Cloud token", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{40,}"),
    ("a Vault token", r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    ("a New Relic key", r"NRA[AK]-[A-Z0-9]{27}|NRII-[A-Za-z0-9_-]{32}"),
    ("a Shopify token", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    ("a Square token", r"sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{60}"),
    ("a Postman key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    ("a Linear key", r"lin_api_[A-Za-z0-9]{40}"),
    ("a Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9.]{40,}"),
    ("a Grafana token", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/=]{32,}"),
    ("a Telegram bot token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("an age key", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    ("a storage account key", r"AccountKey=[A-Za-z0-9+/]{60,}={0,2}"),
    ("a shared access key", r"SharedAccessKey=[A-Za-z0-9+/]{40,}={0,2}"),
    ("a JSON web token", r"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_-])(?:" + "|".join(f"(?P<t{at}>{pattern})" for at, (_, pattern) in enumerate(_TOKENS)) + ")"
)
# Cheap to find in text: without one of these no token above matches.
_TOKEN_MARKS = re.compile(
    r"ABSK|bedrock-api-key-|da2-|rb_|mws\.|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|cbt|soat)-|xox[abeoprs]-|xapp-|hooks\.slack"
    r"|[sr]k_|whsec_|AIza|GOCSPX-|ya29\.|npm_|pypi-|SG\.|key-|-us[0-9]|SK[0-9a-f]|sk-|hf_|dapi|do[opr]_v1_|dckr_|atlasv1"
    r"|hv[sbr]\.|NRA[AK]-|NRII-|shp(?:at|ca|pa|ss)_|sq0|EAAA|PMAK-|lin_api_|dp\.|glsa_|glc_|:AA|AGE-SECRET|AccountKey"
    r"|SharedAccessKey|eyJ"
)
_PASSWORD_IN_URL = re.compile(
    r"(?i)(?<![a-z0-9])[a-z][a-z0-9+.-]{1,30}://(?P<user>[^\s/:@\"'<>?#]*):(?P<password>[^\s/@\"'<>]+)@(?=[^\s])"
)
_HEADER = re.compile(r"(?i)\b(?P<scheme>basic|bearer)\s+(?P<value>[a-z0-9+/=_.~-]{16,})")
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
_SECRET_KEY_NEAR = re.compile(
    r"(?i)(?:aws[_-]?secret|secret[_-]?(?:access[_-]?)?key|secret[_-]?access|access[_-]?key(?![_-]?id)|aws[_-]?key)"
    r"[^\n]{0,40}?(?<![A-Za-z0-9/+])(?-i:(?P<key>[A-Za-z0-9/+]{40}))(?![A-Za-z0-9/+=])"
)
_LONG = re.compile(r"(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40,}")
_LENGTH_OF_A_KEY: Final = 40
_SHORTEST: Final = 12  # a password in a URL; everything else that gives itself away is longer


@lru_cache(maxsize=65536)
def credential_in(text: str) -> Credential | None:
    """The credential that `text` holds, whatever it is called; None if nothing in it gives itself away.

    Found are access key ids (AWS's documented examples among them), secret access keys beside what says so, session
    tokens, private keys, the tokens of well-known services, JSON web tokens, passwords in URLs and headers.
    """
    if len(text) < _SHORTEST:
        return None
    found = _aws_credential(text)
    if found is None and ("PRIVATE KEY" in text or "User-Key-File" in text) and _PRIVATE_KEY.search(text):
        found = Credential("a private key")
    if found is None and _TOKEN_MARKS.search(text):
        token = _TOKEN.search(text)
        if token is not None and token.lastgroup is not None:
            found = Credential(f"{_TOKENS[int(token.lastgroup[1:])][0]} ({shown(token[0])})")
    if found is None and "://" in text:
        found = _password_in_url(text)
    if found is None and ("asic " in text or "earer " in text):
        header = _HEADER.search(text)
        if header is not None and looks_random(header["value"]):
            found = Credential(f"a {header['scheme'].title()} authorization header ({shown(header['value'])})")
    return found


def _aws_credential(text: str) -> Credential | None:
    if "AKIA" in text or "ASIA" in text or "ABIA" in text or "ACCA" in text:
        key_id = _KEY_ID.search(text)
        if key_id is not None:
            secret = _SECRET_KEY.search(text, key_id.end())
            with_secret = f" with its secret ({shown(secret[0])})" if secret and _is_mixed(secret[0]) else ""
            return Credential(f"the AWS access key id {last_four(key_id[0])}{with_secret}")
    length = len(text)
    if length < 40:  # noqa: PLR2004 (a secret access key has 40 characters, everything below more)
        return None
    token = _SESSION_TOKEN.search(text)
    if token is not None:
        return Credential(f"an AWS session token ({shown(token[0])})")
    if length > 40 and ("ey" in text or "EY" in text or "ecret" in text or "ECRET" in text):  # noqa: PLR2004 (as above)
        near = _SECRET_KEY_NEAR.search(text)
        if near is not None and _is_mixed(near["key"]):
            return Credential(f"an AWS secret access key ({shown(near['key'])})")
    if length == 40 and _SECRET_KEY.fullmatch(text) and _is_drawn_at_random(text):  # noqa: PLR2004 (as above)
        return Credential(f"an AWS secret access key ({shown(text)})")
    return None


def _password_in_url(text: str) -> Credential | None:
    for found in _PASSWORD_IN_URL.finditer(text):
        password = found["password"]
        if not is_placeholder(password) and "${" not in password and "\0" not in password:
            return Credential(f"a URL with a password ({shown(password)})")
    return None


def called_credential_in(text: str, name: str) -> Credential | None:
    """As `credential_in`, and a secret access key that only the name of the value gives away."""
    found = credential_in(text)
    if found is None and len(text) >= 40 and _names_a_key(name):  # noqa: PLR2004 (its length)
        secret = _SECRET_KEY.search(text)
        if secret is not None and _is_mixed(secret[0]):
            return Credential(f"an AWS secret access key ({shown(secret[0])})")
    return found


@lru_cache(maxsize=8192)
def _names_a_key(name: str) -> bool:
    return promise_of(name) in {"aws", "secret"} or _KEY_ID.search(name) is not None


# --- how random a text is -----------------------------------------------------------------------------------------

_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RANDOM_ALPHABET = re.compile(r"[A-Za-z0-9+/=_.~!@#$%^&*-]{16,}")
_LONGEST_WORD = re.compile(r"[a-z]{6,}")
_SEGMENT = re.compile(r"[a-z]+|[A-Z]+|[0-9]+|[/+]")
_SHORTEST_DRAWN: Final = 6
_SHORTEST_KEY: Final = 10
_LEAST_BITS: Final = 3.0  # per character: words have fewer, 16 drawn characters have more
_LEAST_BITS_OF_A_KEY: Final = (
    4.3  # 40 characters of base 64 drawn at random have 4.4 to 5.1, hexadecimal ones at most 4
)
_LEAST_SEGMENTS_OF_A_KEY: Final = 15  # 40 drawn characters change their class about 25 times, words seldom


def looks_random(text: str) -> bool:
    """Whether a text could be drawn at random: at least 16 characters, letters and digits, no word, address or UUID."""
    return (
        _RANDOM_ALPHABET.fullmatch(text) is not None
        and any(c.isdigit() for c in text)
        and any(c.isalpha() for c in text)
        and _UUID.fullmatch(text) is None
        and not _is_reference(text)
        and _bits(text) >= _LEAST_BITS
    )


def looks_drawn(text: str) -> bool:
    """Whether a text is no word: letters and digits without a space, at least 6 of them. `P4ssw0rd` is, `password` not."""
    return (
        len(text) >= _SHORTEST_DRAWN
        and not any(c.isspace() for c in text)
        and any(c.isdigit() for c in text)
        and any(c.isalpha() for c in text)
    )


def _is_mixed(text: str) -> bool:
    """AWS draws secrets from upper case, lower case and digits; a hexadecimal digest has no such mix."""
    return any(c.islower() for c in text) and any(c.isupper() for c in text) and any(c.isdigit() for c in text)


def _is_drawn_at_random(text: str) -> bool:
    """Whether 40 characters without any context are a secret access key, and no path, identifier or encoded text."""
    return (
        _is_mixed(text)
        and _LONGEST_WORD.search(text) is None
        and len(_SEGMENT.findall(text)) >= _LEAST_SEGMENTS_OF_A_KEY
        and _bits(text) >= _LEAST_BITS_OF_A_KEY
        and decoded(text) is None
    )


def _bits(text: str) -> float:
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def decoded(text: str) -> str | None:
    """The text that base 64 hides, None if it is not base 64 of printable text."""
    compact = "".join(text.split())
    if len(compact) < _SHORTEST or len(compact) % 4:
        return None
    try:
        plain = base64.b64decode(compact, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    return plain if plain.isprintable() or all(c.isprintable() or c in "\r\n\t" for c in plain) else None


# --- names --------------------------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_AWS_NAME = re.compile(
    r"(?:^|_)(?:aws_?(?:access_?key(?:_?id)?|secret_?(?:access_?)?key|session_?token|security_?token|bearer_?token(?:_bedrock)?"
    r"|container_authorization_token)|access_?key_?id|secret_?access_?key)(?P<rest>(?:_[a-z0-9]+)*)$"
)
_SECRET_NAME = re.compile(
    r"(?P<sure>(?:password|passwd|passphrase|passcode|passwrd)s?(?![a-z])|(?<![a-z])(?:(?:db|my|root|admin|user)_?)?(?:pwd|pass)(?![a-z])"
    r"|(?<![a-z])secret_?keys?(?![a-z])|(?:api|auth|access|private|priv|pre_?shared)_?keys?(?![a-z])|secret(?![a-z])"
    r"|(?<![a-z])(?:[a-z]*(?:auth|access|refresh|session|bearer|bot|api|hec|security)|o)?_?token(?![a-z]))"
    r"|(?P<unsure>(?:signing|encryption|encrypt|shared|master|account|storage|ssh|rsa|pem|deploy|webhook|hmac|jwt|session|service"
    r"|cookie|app|application|client|license|fernet|host|consumer|stream|write|ingest|ingestion|integration|product)_?keys?(?![a-z])"
    r"|(?<![a-z])(?:secrets|tokens|credentials?|creds?|pat|webhook|salt|otp|sas)(?![a-z]))"
)
_SHORTEST_NAME: Final = 3
_LONGEST_NAME: Final = 200
_UNSURE_TOKENS: Final = frozenset({"client", "task", "service", "id", "page", "request", "device", "registration"})
_NO_SECRET_BEFORE: Final = _words(
    "public no not next max min num number total input output enable enabled enables disable disabled use uses using require"
    " required requires allow allows generate generated rotate rotation manage managed reset forgot forget change has is"
    " show hide validate validation verify hashed encrypted masked kms continuation idempotency missing invalid expired"
    " http csrf stop start end pad eos bos delete create update list get put describe with without need needs"
    " by"
)
_NO_SECRET_AFTER: Final = _words(
    "arn arns url urls uri uris endpoint endpoints host hosts hostname domain domains id ids identifier name names named path"
    " paths prefix prefixes suffix file files filename dir directory folder bucket table tables queue topic stream group groups"
    " role roles policy policies rule rules length min max minimum maximum size count limit limits quota expiry expiration"
    " expires expire ttl timeout seconds minutes hours days duration lifetime period rotation rotate rotated schedule age"
    " version versions stage type types kind format header headers field fields param params parameter parameters ref refs"
    " reference references region regions algorithm alg scope scopes issuer audience validity valid enabled enable required"
    " optional disabled hash hashes hashed digest label labels provider providers store stores manager location locations"
    " source sources regex pattern chars characters case reset reuse history change changed update updated attempts retries"
    " column attribute attributes attr index description desc title text message error errors status state policy mode method"
    " option options required requirement requirements placeholder hint prompt template function lambda handler arnlist list"
    " lists service usage owner user users username email pair pairs spec specification specifications rate cache time date"
    " at created updated property properties plan plans output outputs storage settings config configuration permission"
    " permissions access exists check checks checker validator validation generator vending broker exchange endpointurl map"
    " mapping keyid kms alias aliases resource resources condition model models schema class delimiter separator"
    " generation bytes bits encoding units unit set selection expression cookie encrypted encryption rotator consumption window"
)
_SAYS_WHICH: Final = _words(
    "value values plain plaintext raw string str base prod production dev devel development test testing staging stage qa uat"
    " default old new current previous primary secondary master slave replica main backup admin root app application api web"
    " db database mysql postgres postgresql mariadb mongo mongodb redis oracle mssql rds redshift rabbitmq github gitlab"
    " slack stripe env environment b64 encoded a b c x y z one two temp tmp temporary initial again confirm confirmation repeat"
    " local global internal external us eu here demo sample example bedrock"
)


@lru_cache(maxsize=16384)
def promise_of(name: str) -> Promise:
    """What a name promises: `DB_PASSWORD`, `dbPassword` and `--db-password` a secret, `PASSWORD_MIN_LENGTH` none."""
    # `pat` is the shortest such name, longer ones are prose, and AWS::IAM::AccessKey is a type.
    if not _SHORTEST_NAME <= len(name) <= _LONGEST_NAME or "::" in name:
        return "none"
    words = [word.lower() for word in _WORDS.findall(name)]
    joined = "_".join(words)
    # "OAuth" and "GitHub" are one word, whatever their letters say.
    joined = joined.replace("o_auth", "oauth").replace("git_hub", "github").replace("pass_word", "password")
    aws = _AWS_NAME.search(joined)
    if aws is not None and _tail(aws["rest"]) == "secret" and not (aws.start() and _heads(joined[: aws.start()])):
        return "aws"
    all_found = list(_SECRET_NAME.finditer(joined))
    if not all_found:
        return "none"
    found = all_found[-1]
    before = joined[: found.start()].split("_")
    if _NO_SECRET_BEFORE.intersection(before):
        return "none"
    promise = _tail(joined[found.end() :])
    if promise == "secret" and (
        found["sure"] is None or (found["sure"] == "token" and _UNSURE_TOKENS.intersection(before))
    ):
        return "maybe"
    return promise


def _heads(text: str) -> bool:
    return not _NO_SECRET_BEFORE.isdisjoint(text.split("_"))


def _tail(text: str) -> Promise:
    """What the words after `password` or `token` leave of the promise."""
    words = [word for word in text.split("_") if word and not word.isdecimal()]
    if any(word in _NO_SECRET_AFTER and word not in _SAYS_WHICH for word in words):
        return "none"
    return "secret" if all(word in _SAYS_WHICH for word in words) else "maybe"


# --- values that a name makes secrets -----------------------------------------------------------------------------

_PLACEHOLDER = re.compile(
    r"\$\{[^}]*\}|\$\([^)]*\)|\$[A-Za-z_]\w*|%\(?[A-Za-z_]\w*\)?[%s]|%[sd@]|\{\{.*\}\}|\{[A-Za-z_][\w.]*\}|<[^<>]*>|\[[A-Za-z _-]*\]"
    r"|\*+|\.{3}|x+|#\{[^}]*\}|@[A-Za-z.]+\(.*\)|`.*`",
    re.DOTALL,
)
_NOTHING: Final = _words(
    "true false yes no on off none null nil undefined unset disabled enabled required optional n/a na - string boolean number"
    " integer object array seconds minutes hours days"
)
_REFERENCE = re.compile(
    r"arn:|alias/|amzn1\.|[A-Za-z][A-Za-z0-9+.-]*://|\$\.|\$\$\.|\$(?:context|input|request|response|util|ctx|stageVariables)\b"
    r"|(?:method|integration|route|context|gatewayresponse)\.[a-z]+"
    r"|(?:ssm|ssm-secure|secretsmanager|vault|secrets?|env|file|kms|sops|op|keyvault)[:/]"
    r"|(?:os\.environ|process\.env|secrets\.|env\.)|/[\w.@-]+(?:/[\w.@-]+)*/?$|\.{1,2}/|~/|[A-Z]:\\|\{\{resolve:"
)
_FILE = re.compile(r"[\w./\\-]+\.(?:pem|key|json|ya?ml|txt|p12|pfx|jks|crt|cer|env|ini|conf|properties|asc|gpg|pub)")
_SLUG_PATH = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_.+=@-]+)+")
_FEWEST_WORDS_OF_PROSE: Final = 3
_SHORT_NUMBER: Final = 6  # digits: a time-out or a size; a password may still be one
_PASSWORD_NAME = re.compile(r"(?i)pass|pwd")


def is_placeholder(text: str) -> bool:
    """Whether a text stands for another one: `${PASSWORD}`, `<password>`, `%s`, `****`. `CHANGEME` is a password."""
    return _PLACEHOLDER.fullmatch(text.strip()) is not None


def _is_reference(text: str) -> bool:
    return _REFERENCE.match(text) is not None or _FILE.fullmatch(text) is not None


def is_secret(text: str, name: str) -> bool:
    """Whether a literal is a secret, given its name: not if it is empty, a placeholder, a reference, prose or a number."""
    promise = promise_of(name)
    value = text.strip().strip("\"'")
    if promise == "none" or not value or value.lower() in _NOTHING or is_placeholder(value):
        return False
    if promise == "maybe":
        return looks_random(value) and _SLUG_PATH.fullmatch(value) is None
    if _is_reference(value) or len(value.split()) >= _FEWEST_WORDS_OF_PROSE:
        return False
    if _PASSWORD_NAME.search(name):
        return True
    is_size = value.isdecimal() and len(value) < _SHORT_NUMBER
    # The name of a secret in Secrets Manager: prod/orders/db.
    is_name = _SLUG_PATH.fullmatch(value) is not None and not looks_random(value.rsplit("/", 1)[-1])
    return not is_size and not is_name


# --- secrets that scripts and configuration files assign ----------------------------------------------------------

_SECRET_WORD = re.compile(
    r"(?i)pass|pwd|secret|token|key|cred|identified|-u\b|--user\b|net user|curl|mysql|alias set|securestring"
)
_QUOTED = r"\\?\"(?P<{0}d>[^\"\\\n]*)\\?\"|'(?P<{0}s>[^'\n]*)'"
# Names are bounded: a long run of letters must not be read again from each of its letters.
_NAMED = re.compile(
    r"(?<![A-Za-z0-9_])(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,80}+)\\?[\"']?\]?(?P<sign>\s{0,20}(?:=>|:=|=|:)\s{0,20})"
)
# name: "value", "name" => 'value', name["name"] = "value"
_IN_QUOTES = re.compile(_QUOTED.format("q"))
# NAME=value, --name=value, ...;Password=value;
_TIGHT = re.compile(r"[^\s;&,\"'`|<>)}\]]+")
_LINE = re.compile(
    r"(?m)^[ \t]*(?:-[ \t]+|export[ \t]+|set[ \t]+)?[\"']?(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,80}+)[\"']?[ \t]*[=:][ \t]*"
    r"(?P<value>[^\s\"'`{\[|>&*#]\S*)[ \t]*\r?$"
)
_FLAG = re.compile(
    r"(?<![\w-])--?(?P<name>[A-Za-z][A-Za-z0-9-]{0,80})[ \t]+(?:"
    + _QUOTED.format("f")
    + r"|(?P<bare>[^\s;&|\"'`<>-]\S*))"
)
# {"name": "DB_PASSWORD", "value": "..."} in JSON text, which may stand in JSON text itself.
_PAIR = re.compile(
    r"(?i)\\?\"(?:name|key)\\?\"\s*:\s*\\?\"(?P<name>[A-Za-z0-9_.-]{3,80})\\?\"\s*,\s*\\?\"value\\?\"\s*:\s*\\?\"(?P<value>[^\"\\]+)"
    r"(?![^{}]*(?:SECRETS_MANAGER|PARAMETER_STORE))"
)
_DEFINE = re.compile(r"\bdefine\(\s*[\"'](?P<name>\w{3,80})[\"']\s*,\s*[\"'](?P<value>[^\"'\n]+)[\"']")
# In these a word may be anything: only what is drawn counts.
_WORD = r"[\"']?(?P<value>[^\s\"'`;&|<>$]+)[\"']?"
_VARIABLE: Final = (
    # setx /M NAME value, setenv NAME value, set -gx NAME value, Set-Item Env:NAME value, and a Dockerfile's ENV NAME value
    re.compile(
        r"(?i)(?<![\w-])(?:setx(?:\s+/m)?|setenv|env|set\s+-[a-z]*x[a-z]*|set-item(?:\s+-path)?\s+env:)\s*(?<=[\s:])"
        r"(?P<name>[a-z_]\w{2,80})\s+(?:-value\s+)?" + _WORD
    ),
    # - name: NAME, and on the next line  value: value; <add key="NAME" value="value"/>; {ParameterKey: NAME, ParameterValue: value}
    re.compile(
        r"(?i)(?<![\w-])(?:parameter)?(?:name|key)[\"']?\s{0,20}[:=]\s{0,20}[\"']?(?P<name>[a-z_][\w.-]{2,80})[\"']?(?:\s{0,20},\s{0,200}|\s{1,200})"
        r"[\"']?(?:parameter)?value[\"']?\s{0,20}[:=]\s{0,20}" + _WORD
    ),
    # <password>value</password>, <key>NAME</key><string>value</string>
    re.compile(r"<(?P<name>[A-Za-z][\w.-]{2,80})>(?P<value>[^<>\s]{6,})</"),
    re.compile(r"<key>(?P<name>[A-Za-z_][\w.-]{2,80})</key>\s{0,200}<string>(?P<value>[^<>\s]{6,})</"),
)
_ARGUMENTS: Final = (
    # ["--secret-key", "value"]
    re.compile(r"[\"']--?(?P<name>[A-Za-z][\w-]{2,80})[\"']\s{0,20},\s{0,20}[\"'](?P<value>[^\"'\n-][^\"'\n]*)[\"']"),
    # os.Setenv("NAME", "value"), SetEnvironmentVariable('NAME', 'value'), os.environ.setdefault("NAME", "value")
    re.compile(
        r"(?i)(?:setenv|putenv|setenvironmentvariable|setdefault|setproperty)\(\s{0,20}[\"'](?P<name>[a-z_][\w.]{2,80})[\"']"
        r"\s{0,20},\s{0,20}[\"'](?P<value>[^\"'\n]+)[\"']"
    ),
)
"""What programs are given as two texts, in code as in text."""
_CONFIGURE = re.compile(r"aws\s+configure\s+set\s+(?P<name>[\w.-]+)\s+[\"']?(?P<value>[^\s\"']+)")
_COMMANDS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bmysql(?:admin|dump|import)?\b[^\n|;&]*\s-p(?P<value>[^\s\"'-]\S*)",
        r"\bmysqladmin\b[^\n|;&]*\spassword\s+[\"']?(?P<value>[^\s\"']+)",
        r"\bsshpass\s+-p\s*[\"']?(?P<value>[^\s\"']+)",
        r"\bcurl\b[^\n|;]*\s(?:-u|--user)[ =]?[\"']?[^\s:\"'$]+:(?P<value>[^\s\"']+)",
        r"\becho\s+(?:-n\s+)?[\"']?[^\s:\"'|]+:(?P<value>[^\s\"'|]+)[\"']?\s*\|\s*(?:sudo\s+)?chpasswd",
        r"\becho\s+(?:-n\s+)?[\"']?(?P<value>[^\s\"'|]+)[\"']?\s*\|\s*(?:sudo\s+)?passwd\s+--stdin",
        r"(?i)\bidentified\s+(?:with\s+\S+\s+)?by\s+(?:password\s+)?[\"'](?P<value>[^'\"\n]+)[\"']",
        r"(?i)\bwith\s+(?:encrypted\s+)?password\s+'(?P<value>[^'\n]+)'",
        r"(?i)\bset\s+password\s+for\s+\S+\s*=\s*(?:password\()?'(?P<value>[^'\n]+)'",
        r"(?i)\bconvertto-securestring\s+(?:-string\s+)?[\"'](?P<value>[^\"'\n]+)[\"']",
        r"(?i)\bnet\s+user\s+\S+\s+(?P<value>[^\s/\"'*]\S*)\s+/",
        r"\blogin\s+\S+\s+password\s+(?P<value>\S+)",
        r"\bgh\s+secret\s+set\b[^\n|;&]*\s(?:-b|--body)[ =]?[\"']?(?P<value>[^\s\"']+)",
        r"\bput-parameter\b(?=[^\n|;&]*SecureString)[^\n|;&]*\s--value[ =][\"']?(?P<value>[^\s\"']+)",
        r"\bmc\s+alias\s+set(?:\s+[^\s|;&]+){3}\s+[\"']?(?P<value>[^\s\"']+)",
    )
)
_COMMAND_MARKS = re.compile(
    r"(?i)mysql|sshpass|curl|passwd|identified|password|securestring|net\s+user|secret\s+set|alias\s+set"
)
_IS_CODE = re.compile(r"[$`(){}\[\]\0]|^[%@<]|^[A-Za-z_]\w*\.[A-Za-z_]|^\\")


def secrets_assigned_in(text: str, *, is_code: bool = False) -> Iterator[str]:
    """The names to which a script, a configuration file, a connection string or a command gives a literal secret.

    What a program computes (`$(aws …)`, `os.environ[…]`) is no literal. With `is_code` only quoted text that is no word
    counts: in source code a bare word is another variable, and a quoted one often a label.
    """
    seen: set[str] = set()
    for name, value, _ in _given(text, is_code=is_code):
        if name not in seen and (looks_drawn(value) or not is_code):
            seen.add(name)
            yield name


def drawn_secrets_in(text: str, *, is_code: bool = False) -> Iterator[str]:
    """As `secrets_assigned_in`, without the words that nobody draws: `AWS_SECRET_ACCESS_KEY=test` is an emulator's."""
    # Most lines hold nothing, and are told by one look.
    if _SECRET_WORD.search(text):
        for name, value, is_password in _given(text, is_code=is_code):
            # People make passwords short; machines make no short key. A key that was cut off opens nothing.
            if looks_drawn(value) and (is_password or len(value) >= _SHORTEST_KEY) and "…" not in value:
                yield name


def _given(text: str, *, is_code: bool) -> Iterator[tuple[str, str, bool]]:
    """Give each name, or command, to which a literal secret is given, with that secret, and whether it is a password."""
    if not _SECRET_WORD.search(text):
        return
    for name, value, _ in _assigned(text, is_code=is_code):
        if "\0" not in value and "$" not in value and is_secret(value, name):
            yield name, value, _PASSWORD_NAME.search(name) is not None
    for pattern in () if is_code else _COMMANDS:
        command = pattern.search(text)
        if command is not None and not is_placeholder(command["value"]) and not _IS_CODE.search(command["value"]):
            yield command[0].split(maxsplit=1)[0], command["value"], True


def _assigned(text: str, *, is_code: bool) -> Iterator[tuple[str, str, tuple[int, int]]]:
    """Give each name that promises something, with the literal that is given to it and where that stands."""
    yield from _assigned_by_sign(text, is_code=is_code)
    for pattern in _ARGUMENTS if is_code else (*_ARGUMENTS, *_VARIABLE):
        for found in pattern.finditer(text):
            is_meant = looks_drawn(found["value"]) and not _IS_CODE.search(found["value"])
            if is_meant and promise_of(found["name"]) != "none":
                yield found["name"], found["value"], found.span("value")
    if is_code:
        return
    for pattern in (_LINE, _FLAG, _PAIR, _DEFINE, _CONFIGURE):
        for found in pattern.finditer(text):
            name = found[1]
            group = next(group for group in range(2, pattern.groups + 1) if found[group] is not None)
            if promise_of(name) != "none" and not _IS_CODE.search(found[group]):
                yield name, found[group], found.span(group)


def _assigned_by_sign(text: str, *, is_code: bool) -> Iterator[tuple[str, str, tuple[int, int]]]:
    # What follows a name that promises nothing may be an assignment itself: Environment=PASSWORD=… A bare value is none, and
    # is not read again from each of its words; one in quotes ends with them, and may be JSON that holds a password.
    taken = 0
    for found in _NAMED.finditer(text):
        name = found["name"]
        if found.start() < taken or promise_of(name) == "none":
            continue
        if quoted := _IN_QUOTES.match(text, found.end()):
            group = "qd" if quoted["qd"] is not None else "qs"
            yield name, quoted[group], quoted.span(group)
        elif not is_code and found["sign"] == "=" and (tight := _TIGHT.match(text, found.end())):
            taken = tight.end()
            following = text[tight.end() : tight.end() + 1]
            # connect(password=password) hands a variable on.
            hands_on = tight[0] == name and following in {",", ")"}
            if not _IS_CODE.search(tight[0]) and following not in {"(", "["} and not hands_on:
                yield name, tight[0], tight.span()


def secret_spans(line: str) -> Iterator[tuple[int, int]]:
    """Give where the secrets of a line stand: all that `credential_in` and `secrets_assigned_in` go by, key ids aside."""
    yield from _spans_that_give_themselves_away(line)
    if not _SECRET_WORD.search(line):
        return
    for name, value, span in _assigned(line, is_code=False):
        if is_secret(value, name):
            yield span
    for pattern in _COMMANDS if _COMMAND_MARKS.search(line) else ():
        for command in pattern.finditer(line):
            if not is_placeholder(command["value"]):
                yield command.span("value")


def _spans_that_give_themselves_away(line: str) -> Iterator[tuple[int, int]]:
    if len(line) < _SHORTEST:
        return
    if _TOKEN_MARKS.search(line):
        yield from (found.span() for found in _TOKEN.finditer(line))
    if "://" in line:
        yield from (found.span("password") for found in _PASSWORD_IN_URL.finditer(line))
    if "asic " in line or "earer " in line:
        yield from (found.span("value") for found in _HEADER.finditer(line) if looks_random(found["value"]))
    long = [found.span() for found in _LONG.finditer(line)]
    if not long:
        return
    yield from (found.span() for found in _SESSION_TOKEN.finditer(line))
    if "ey" in line or "EY" in line or "ecret" in line or "ECRET" in line:
        yield from (found.span("key") for found in _SECRET_KEY_NEAR.finditer(line) if _is_mixed(found["key"]))
    key_id = _KEY_ID.search(line)
    for first, last in long:
        run = line[first:last]
        if last - first == _LENGTH_OF_A_KEY and (
            _is_drawn_at_random(run) or (key_id is not None and first > key_id.start() and _is_mixed(run))
        ):
            yield first, last


def secret_called(text: str, name: str) -> str:
    """What secret a literal called `name` holds, for people and without its value; empty if none."""
    found = called_credential_in(text, name)
    if found is not None:
        return found.what
    if is_secret(text, name):
        return f"a literal secret ({shown(text)})"
    assigned = next(secrets_assigned_in(text), None)
    return f"a literal secret for '{assigned}'" if assigned else ""
