"""What a reference in a template brings along at deployment: a secret in the clear, or only its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from credential_rules.credential_forms import Promise, promise_of
from credential_rules.rule import CANNOT_TELL, ERROR, Hole, Parameter, Severity, Template

if TYPE_CHECKING:
    from collections.abc import Callable


class Brought(NamedTuple):
    """A secret that a reference brings to where it stands. `what` names it for people."""

    what: str
    severity: Severity = ERROR


Reference = Literal["secret", "plain-parameter", "other"]
"""Of a dynamic reference: a Secrets Manager secret or secure string; a plain SSM parameter; what is no secret."""

_SECRET_ATTRIBUTES: Final = {
    ("AWS::IAM::AccessKey", "SecretAccessKey"): "the secret access key",
    ("AWS::AppSync::ApiKey", "ApiKey"): "the API key",
    ("AWS::Cognito::UserPoolClient", "ClientSecret"): "the client secret",
    ("AWS::ManagedBlockchain::Accessor", "BillingToken"): "the billing token",
    ("AWS::Route53GlobalResolver::AccessToken", "Value"): "the access token",
}
_JSON_KEY = re.compile(r":SecretString:(?P<key>[^:]+)")
_NO_SECRET_KEY = re.compile(
    r"(?i)(?:.*(?:user|user_?name|host|host_?name|port|engine|db_?name|database|identifier|endpoint|url|arn|_id|client_?id|region"
    r"|account|email|name))"
)
_NAMES_NO_SECRET = re.compile(
    r"(?i).*(?:user|user_?name|login|e?mail|name|arn|id|host|port|url|uri|path|endpoint|domain|address|cidr|prefix|location|account"
    r"|database|db)[0-9]*"
)


def kind_of_reference(hole: Hole) -> Reference:
    """What a dynamic reference resolves to."""
    service = hole.name.removeprefix("resolve:").split(":", 1)[0]
    if service == "ssm":
        return "plain-parameter"
    if service not in {"secretsmanager", "ssm-secure"}:
        return "other"
    key = _JSON_KEY.search(hole.name)
    if key is not None and names_no_secret(key["key"]):
        return "other"
    return "secret"


def names_no_secret(key: str) -> bool:
    """Whether a key within a secret is surely no secret itself: `username`, `host`, `engine`."""
    return promise_of(key) == "none" and _NO_SECRET_KEY.fullmatch(key) is not None


def names_no_secret_parameter(parameter: Parameter) -> bool:
    """Whether a parameter's name says that it holds a name, an address or a user, whatever its NoEcho says."""
    is_called_secret = promise_of(parameter.name) in {"aws", "secret"}
    return not is_called_secret and _NAMES_NO_SECRET.fullmatch(parameter.name) is not None


def secret_attribute(hole: Hole) -> str:
    """What secret a resource's attribute is, with its name; empty if it is none."""
    resource = hole.resource
    if resource is None:
        return ""
    what = _SECRET_ATTRIBUTES.get((resource.type, hole.attribute or ""))
    return f"{what} of '{resource.logical_id}'" if what else ""


def parameter_behind(hole: Hole, template: Template) -> Parameter | None:
    """The parameter that a hole names, of `template` or of those that nest it."""
    seen: Template | None = template
    while seen is not None:
        found = seen.parameters.get(hole.name)
        if found is not None:
            return found
        seen = seen.parent.template if seen.parent is not None else None
    return None


def brought_by(hole: Hole, template: Template, promise: Promise = "none") -> Brought | None:
    """The secret that `hole` brings to a place in the clear whose name makes `promise`; None if it brings none."""
    found = _BROUGHT[hole.kind](hole, template, promise)
    if found is None and promise == "aws" and hole.kind != "pseudo":
        return Brought(f"an AWS credential ('{hole.name}')")
    return found


def _by_dynamic_reference(hole: Hole, _template: Template, promise: Promise) -> Brought | None:
    kind = kind_of_reference(hole)
    if kind == "secret":
        return Brought(
            f"the secret behind '{{{{{hole.name}}}}}', exposed at deploy: CloudFormation writes its value here"
        )
    if kind == "plain-parameter" and promise == "secret":
        return Brought(f"the plain SSM parameter '{{{{{hole.name}}}}}', which is stored unencrypted and written here")
    return None


def _by_parameter(hole: Hole, template: Template, promise: Promise) -> Brought | None:
    parameter = parameter_behind(hole, template)
    if parameter is None:
        return None
    is_called_secret = promise_of(parameter.name) in {"aws", "secret"}
    is_no_secret = names_no_secret_parameter(parameter)
    if parameter.no_echo and (promise == "secret" or not is_no_secret):
        return Brought(
            f"the value of the NoEcho parameter '{parameter.name}', exposed at deploy: NoEcho does not hide it here"
        )
    if is_called_secret:
        return Brought(f"the value of the parameter '{parameter.name}', which its own name calls a secret")
    if promise != "secret" or is_no_secret:
        return None
    if parameter.type.startswith("AWS::SSM::Parameter::Value"):
        return Brought(
            f"the plain SSM parameter behind '{parameter.name}', which is stored unencrypted and written here"
        )
    return Brought(f"what is given to the parameter '{parameter.name}' at deployment", CANNOT_TELL)


def _by_resource(hole: Hole, _template: Template, promise: Promise) -> Brought | None:
    secret = secret_attribute(hole)
    if secret:
        return Brought(f"{secret}, exposed at deploy")
    resource = hole.resource
    if (
        promise == "secret"
        and resource is not None
        and resource.type.startswith(("Custom::", "AWS::CloudFormation::"))
        and not _NAMES_NO_SECRET.fullmatch(hole.attribute or "id")
    ):
        return Brought(f"'{hole.name}', which its resource decides", CANNOT_TELL)
    return None


def _by_something_unknown(hole: Hole, _template: Template, promise: Promise) -> Brought | None:
    if promise == "secret" and not _NAMES_NO_SECRET.fullmatch(hole.name):
        return Brought(f"'{hole.name}', which this template does not decide", CANNOT_TELL)
    return None


def _by_nothing(_hole: Hole, _template: Template, _promise: Promise) -> Brought | None:
    return None


_BROUGHT: Final[dict[str, Callable[[Hole, Template, Promise], Brought | None]]] = {
    "dynamic": _by_dynamic_reference,
    "parameter": _by_parameter,
    "resource": _by_resource,
    "import": _by_something_unknown,
    "unknown": _by_something_unknown,
    "pseudo": _by_nothing,
}
