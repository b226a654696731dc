"""Errors that are recognised by their code or their words: mostly no matter of policies at all.

Each entry's explanation was checked against what the services and SDKs do; the local AWS shows several of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from operator_cli.denials.reading import Category


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownError:
    """One kind of error.

    Attributes:
        name: Its slug, which the troubleshooting page uses.
        category: What it is about.
        title: What it is, in a few words.
        cause: Why it happens.
        next_step: What to do.
        acts: Who can do it.
        phrases: Words that give it away, without white space, in lower case.
        codes: Error codes that give it away, whatever the words.
        weak_codes: Codes that it comes with, and others too: they are reported, and give nothing away.
        weak: Whether the words say so little that anything more precise in the same text wins.
    """

    name: str
    category: Category
    title: str
    cause: str
    next_step: str
    acts: str = "you"
    phrases: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    weak_codes: tuple[str, ...] = ()
    weak: bool = False


DENIAL_CODES: Final = (
    "AccessDeniedException",
    "AccessDeniedFault",
    "AccessDenied",
    "KMSAccessDeniedException",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "UnauthorizedTaggingOperation",
    "UnauthorizedException",
    "AuthorizationErrorException",
    "AuthorizationError",
    "AuthorizationException",
    "NotAuthorizedException",
    "ForbiddenException",
    "Forbidden",
)
"""Codes that say no more than "denied"."""

KNOWN_ERRORS: Final = (
    KnownError(
        name="clock-skew",
        category="clock-skew",
        title="Your clock and AWS's differ",
        cause="AWS refuses a request whose signature is more than some minutes old or not yet valid. Your machine's, container's or virtual machine's clock is off, or the request waited long before it was sent.",
        next_step="Set the clock by network time (`timedatectl set-ntp true`, or restart WSL or Docker after a sleep), then repeat the call. New credentials change nothing.",
        phrases=(
            "signatureexpired:",
            "isnowearlierthan",
            "signaturenotyetcurrent:",
            "isstilllaterthan",
            "thedifferencebetweentherequesttimeandthecurrenttimeistoolarge",
        ),
        codes=("RequestTimeTooSkewed", "RequestInTheFuture"),
        weak_codes=("SignatureDoesNotMatch", "InvalidSignatureException"),
    ),
    KnownError(
        name="expired-token",
        category="credentials",
        title="The session has expired",
        cause="Temporary credentials end at a fixed time; AWS knew these and refuses them since. A program that was given them as text (exported variables, a rewritten profile) never looks again.",
        next_step="Get a new session: `aws sso login --profile PROFILE`, `aws login`, or assume the role again; then start the program again. For work that takes longer than the session, give it a source that refreshes: `rolebound watch` does that for `cdk watch`.",
        phrases=(
            "thesecuritytokenincludedintherequestisexpired",
            "theprovidedtokenhasexpired",
            "theprovidedtokenisexpired",
            "tokenincludedintherequesthasexpired",
            "yoursessionhasexpired.pleasereauthenticateusing'awslogin'",
            "expiredtokenexception:tokenexpired",
        ),
        codes=("ExpiredTokenException", "ExpiredToken", "TokenRefreshRequired", "ExpiredCredentials", "LoginRefreshRequired"),
    ),
    KnownError(
        name="request-expired",
        category="credentials",
        title="The request, or its presigned URL, has expired",
        cause="The signature is older than it may be: a presigned URL past its time, a session that has ended, or a clock that is wrong.",
        next_step="Make a new URL, or get a new session (`aws sso login`, `aws login`). If it happens at once, compare your clock with network time.",
        phrases=("requesthasexpired",),
        codes=("RequestExpired",),
        weak_codes=("AccessDenied",),
    ),
    KnownError(
        name="docker-login-expired",
        category="credentials",
        title="Docker's login at the registry has expired",
        cause="A login at ECR is good for twelve hours.",
        next_step="Log in again: `aws ecr get-login-password --region REGION | docker login --username AWS --password-stdin ACCOUNT_ID.dkr.ecr.REGION.amazonaws.com`, then repeat the push or pull.",
        phrases=("yourauthorizationtokenhasexpired.reauthenticateandtryagain",),
    ),
    KnownError(
        name="docker-not-logged-in",
        category="credentials",
        title="Docker is not logged in at this registry",
        cause="Docker knows nothing of your AWS session: it needs a login of its own at the very registry (account and region) that the image's name begins with.",
        next_step="Log in: `aws ecr get-login-password --region REGION | docker login --username AWS --password-stdin ACCOUNT_ID.dkr.ecr.REGION.amazonaws.com`. It needs `ecr:GetAuthorizationToken` on `*`.",
        phrases=("nobasicauthcredentials",),
    ),
    KnownError(
        name="sso-session-expired",
        category="credentials",
        title="The IAM Identity Center (SSO) session has ended",
        cause="The profile takes its credentials from an SSO session, and that has expired, was ended, or was never begun on this machine.",
        next_step="Log in again: `aws sso login --profile PROFILE`.",
        phrases=(
            "tokenhasexpiredandrefreshfailed",
            "thessosessionassociatedwiththisprofilehasexpired",
            "errorloadingssotoken",
            "sessiontokennotfoundorinvalid",
            "unabletoloadssotoken",
            "thessosessiontokenassociatedwithprofile",
            "failedtorefreshcachedcredentials,refreshcachedssotokenfailed",
        ),
        codes=("SSOTokenLoadError", "UnauthorizedSSOTokenError", "TokenRetrievalError", "SSOError"),
        weak_codes=("UnauthorizedException", "CredentialsProviderError"),
    ),
    KnownError(
        name="login-session-lost",
        category="credentials",
        title="The `aws login` session cannot be used",
        cause="The profile takes its credentials from `aws login`, and the session that it left on this machine is missing, has ended, or was refreshed by another program.",
        next_step="Log in again: `aws login --profile PROFILE`. Leave the files in ~/.aws/login/cache alone: a session that is refreshed by hand is worthless to every other program that uses the same file.",
        phrases=("errorloadingloginsessiontoken", "unabletocreateorrefreshlogincredentials"),
        codes=("LoginTokenLoadError", "LoginAuthorizationCodeError", "LoginInsufficientPermissions", "LoginError"),
    ),
    KnownError(
        name="login-key-unreadable",
        category="credentials",
        title="The private key of this `aws login` sign-in cannot be read",
        cause="The AWS command line makes a key at each sign-in and renews the session with it. One key in about two hundred begins with zeros; awscrt leaves them out when it writes the key, and then refuses to read it. boto3 and the AWS command line fail about five minutes after such a sign-in; the CDK's SDK reads the key.",
        next_step="Sign in again, which makes another key: `aws login --profile PROFILE`.",
        phrases=("aws_error_cal_unsupported_key_format",),
    ),
    KnownError(
        name="missing-awscrt",
        category="credentials",
        title="This SDK cannot read `aws login` sessions without awscrt",
        cause="The profile takes its credentials from `aws login`. boto3 1.41 and later read that session, with the help of the package awscrt, which is not installed here.",
        next_step="Install awscrt into the program's own environment: `python -m pip install 'boto3[crt]'`, then restart the program or the notebook's kernel.",
        phrases=("missingdependency:",),
        codes=("MissingDependencyException",),
    ),
    KnownError(
        name="partial-credentials",
        category="credentials",
        title="Half a key",
        cause="A key id without its secret, or the reverse, was found where the SDK looks first; it looks no further.",
        next_step="Remove the half key from where the message says (environment or profile) and use one whole source: `aws sso login`, `aws login`, or a role.",
        phrases=("partialcredentialsfoundin",),
        codes=("PartialCredentialsError",),
    ),
    KnownError(
        name="profile-not-found",
        category="credentials",
        title="There is no such profile",
        cause="AWS_PROFILE, --profile or the code names a profile that neither ~/.aws/config nor ~/.aws/credentials has on this machine. In a Lambda function or a container there are no profiles at all.",
        next_step="See what there is (`aws configure list-profiles`) and name one of those, or unset AWS_PROFILE. In a function, remove AWS_PROFILE from its environment: its role is enough.",
        phrases=("theconfigprofile(", "couldnotresolvecredentialsusingprofile", "failedtogetsharedconfigprofile"),
        codes=("ProfileNotFound",),
    ),
    KnownError(
        name="no-credentials",
        category="credentials",
        title="No credentials were found",
        cause="The program looked everywhere (environment, profile, SSO, login, container, instance) and found none. A login in another terminal counts only if the program uses that profile; a profile counts only for the user and machine that have it.",
        next_step="Log in (`aws sso login --profile PROFILE` or `aws login`), set AWS_PROFILE for the program, and see what it would take with `rolebound check`. In AWS, give the function, task or instance a role. Do not put keys into its environment.",
        phrases=(
            "unabletolocatecredentials",
            "couldnotloadcredentialsfromanyproviders",
            "unabletoloadawscredentialsfromanyproviderinthechain",
            "unabletoloadcredentialsfromanyoftheprovidersinthechain",
            "novalidprovidersinchain",
            "novalidcredentialsources",
            "butnocredentialshavebeenconfigured",
            "unabletoresolveawsaccounttouse",
            "missingcredentialsinconfig",
            "credentialscouldnotbeloaded",
            "noec2imdsrolefound",
            "failedtoretrievecredentials",
            "couldnotfindcredentials",
            "nocredentialsfound",
        ),
        codes=("NoCredentialsError", "CredentialsProviderError", "NoCredentialProviders", "CredentialsError"),
        weak=True,
    ),
    KnownError(
        name="credential-process-failed",
        category="credentials",
        title="The program that should give credentials failed",
        cause="The profile's `credential_process`, container endpoint or web identity was asked and gave an error instead of credentials.",
        next_step="Run that program yourself and read its error; `rolebound check` names the source that the SDK chose.",
        phrases=("errorwhenretrievingcredentialsfrom",),
        codes=("CredentialRetrievalError",),
    ),
    KnownError(
        name="invalid-token",
        category="credentials",
        title="AWS does not know this key, or not without its session token",
        cause="The request was signed with a key that AWS cannot place: a temporary key (ASIA…) sent without its session token, or a key that was deleted, deactivated, mistyped or belongs to another partition. It is not expiry (that says ExpiredToken) and no policy can cause it. In a Lambda function it nearly always is code that passes the key id and the secret to a client and leaves the token out.",
        next_step="Pass no credentials at all to clients: the SDK then takes all three values of the role or profile. In a function, remove what passes aws_access_key_id; `python -m credential_rules check SOURCE` points at the line. At a terminal, unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and log in. Retrying sends the same key again.",
        phrases=(
            "thesecuritytokenincludedintherequestisinvalid",
            "theawsaccesskeyidyouprovideddoesnotexistinourrecords",
            "theprovidedtokenismalformedorotherwiseinvalid",
            "awswasnotabletovalidatetheprovidedaccesscredentials",
        ),
        codes=("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken", "AuthFailure"),
    ),
    KnownError(
        name="wrong-signature",
        category="credentials",
        title="The signature does not fit the key",
        cause="AWS knows the key id, and the request was signed with another secret, for another region or service, or was changed on its way (a proxy, a header added after signing).",
        next_step="Log in again instead of copying keys: a truncated secret or one with a stray space is the usual cause. Then check the region, and that no proxy rewrites the request.",
        phrases=(
            "therequestsignaturewecalculateddoesnotmatch",
            "credentialshouldbescopedtoavalidregion",
            "credentialshouldbescopedtocorrectservice",
        ),
        codes=("SignatureDoesNotMatch", "InvalidSignatureException", "AuthorizationHeaderMalformed"),
    ),
    KnownError(
        name="incomplete-signature",
        category="credentials",
        title="The request was not signed, or not fully",
        cause="The request's Authorization header is missing or malformed: it was sent without credentials, or something between program and AWS took it away.",
        next_step="Use an SDK or `aws` instead of a bare HTTP call, and check that the program found credentials (`rolebound check`).",
        phrases=("requestismissingauthenticationtoken", "authorizationheaderrequires"),
        codes=("IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    ),
    KnownError(
        name="invalid-identity-token",
        category="credentials",
        title="The OIDC token was refused",
        cause="AWS could not accept the identity token itself: it has expired, was made for another audience, or the account has no identity provider for its issuer.",
        next_step="Check that the account has the provider (for GitHub: token.actions.githubusercontent.com with audience sts.amazonaws.com) and that the workflow has `permissions: id-token: write`.",
        phrases=("noopenidconnectproviderfoundinyouraccount", "incorrecttokenaudience"),
        codes=("InvalidIdentityToken", "InvalidIdentityTokenException", "ExpiredIdentityToken", "IDPCommunicationError", "IDPRejectedClaim"),
    ),
    KnownError(
        name="region-not-enabled",
        category="credentials",
        title="The account may not use this service or region yet",
        cause="The region is one that an account must switch on first, or the account has not signed up for the service.",
        next_step="Ask the account's administrator to enable the region (`aws account enable-region`), or use another one.",
        acts="the account's administrator",
        phrases=("youarenotsubscribedtothisservice", "theawsaccesskeyidneedsasubscription"),
        codes=("OptInRequired", "SubscriptionRequiredException"),
    ),
    KnownError(
        name="bedrock-model-access",
        category="not-iam",
        title="The account has no access to this Bedrock model",
        cause="Model access is a setting of the account and region (and, for some models, an agreement or a use-case form), not an IAM permission.",
        next_step="Have model access enabled in the Bedrock console for this region and model, or call a model that the account has. An IAM policy does not help.",
        acts="the account's administrator",
        phrases=("youdon'thaveaccesstothemodelwiththespecifiedmodelid", "modelaccessisdenied", "modelusecasedetailshavenotbeensubmitted"),
        weak_codes=("AccessDeniedException", "ResourceNotFoundException"),
    ),
    KnownError(
        name="lake-formation",
        category="not-iam",
        title="Lake Formation did not grant this",
        cause="The database or table is governed by Lake Formation, whose grants stand apart from IAM policies.",
        next_step="Ask the data lake's administrator to grant the permission on the database or table in Lake Formation. An IAM policy does not help.",
        acts="the resource's owner",
        phrases=("insufficientlakeformationpermission",),
        weak_codes=("AccessDeniedException",),
    ),
    KnownError(
        name="api-gateway-unknown-path",
        category="not-iam",
        title="API Gateway has no such path, or wants a signed request",
        cause="API Gateway answers so to a path, stage or method that it does not have. It is about the URL far more often than about a token. A route with IAM authorization answers so to an unsigned request.",
        next_step="Compare stage, path and method with what is deployed (and deploy the API again after a change). For a route with IAM authorization, sign the request.",
        phrases=('missingauthenticationtoken"', "missingauthenticationtoken'"),
        weak_codes=("MissingAuthenticationTokenException",),
    ),
    KnownError(
        name="unsigned-request",
        category="access-denied",
        title="The request was not signed",
        cause="It reached the service without credentials, so AWS sees an anonymous user, whom no identity policy can belong to.",
        next_step="Have the program sign the request with credentials (and check that it finds some: `rolebound check`).",
        phrases=("anonymoususerscannot", "anonymouscallermaynot", "anonymousaccessisforbidden"),
        weak_codes=("AccessDenied",),
    ),
    KnownError(
        name="organizations-only",
        category="access-denied",
        title="AWS Organizations answers only the management account and its delegates",
        cause="Most calls of Organizations are answered in the management account or in a delegated administrator's account. In any other account no IAM policy helps; in one of these, the IAM permission is missing.",
        next_step="Make the call in the management account, or have the organisation's administrator delegate it to your account; if you are there already, ask for the IAM permission of the same name.",
        acts="the organisation's administrator",
        phrases=("youdon'thavepermissionstoaccessthisresource",),
        weak_codes=("AccessDeniedException",),
    ),
    KnownError(
        name="kms-key-out-of-reach",
        category="access-denied",
        title="The KMS key does not exist here, or you may not use it",
        cause="KMS does not tell which: the key is in another region or account or was deleted, or the key's policy and your policies together do not allow its use.",
        next_step="Compare the key's account and region with yours. Then ask the key's owner to let your role use it in the key policy, and your administrator to allow kms:Decrypt on that key.",
        acts="the resource's owner",
        phrases=("theciphertextreferstoacustomermasterkeythatdoesnotexist", "accesstokmsisnotallowed"),
        weak_codes=("AccessDeniedException", "AccessDenied", "KMSAccessDeniedException"),
    ),
    KnownError(
        name="reserved-variable",
        category="not-iam",
        title="Lambda sets this environment variable itself",
        cause="The template gives the function a variable whose name Lambda keeps for itself, such as AWS_REGION or AWS_ACCESS_KEY_ID.",
        next_step="Remove it from the function's environment: the runtime has the region and the role's credentials already. `python -m credential_rules check TEMPLATE` finds all of them before a deployment does.",
        phrases=("reservedkeysusedinthisrequest", "environmentvariablesyouhaveprovidedcontainsreservedkeys"),
        weak_codes=("InvalidParameterValueException", "InvalidRequest"),
    ),
    KnownError(
        name="cdk-roles-not-assumed",
        category="access-denied",
        title="The CDK could not assume its own roles",
        cause="`cdk deploy` assumes the roles that `cdk bootstrap` made and goes on with the caller's own permissions where it may not. The role does not exist, does not trust the caller, or the caller may not assume it.",
        next_step="Have the caller allowed sts:AssumeRole on the four cdk-QUALIFIER-…-role-ACCOUNT_ID-REGION roles, and bootstrap the environment if they are not there (`rolebound check --for deploy` says which).",
        acts="the account's administrator",
        phrases=("currentcredentialscouldnotbeusedtoassume",),
        weak=True,
    ),
    KnownError(
        name="network-unreachable",
        category="not-iam",
        title="The service was not reached",
        cause="The connection timed out or was refused, so nobody judged a permission or a credential. In a VPC: no endpoint for the service, private DNS off, a security group or a route table that does not lead there.",
        next_step="Find the hop that is missing: `rolebound diagnose FUNCTION` walks subnet, route, endpoint, DNS and groups. A permission does not help.",
        acts="the network's owner",
        phrases=("connecttimeoutonendpointurl", "couldnotconnecttotheendpointurl", "readtimeoutonendpointurl"),
        codes=("ConnectTimeoutError", "EndpointConnectionError", "ReadTimeoutError"),
    ),
    KnownError(
        name="encoded-only",
        category="access-denied",
        title="Denied, and the details are encoded",
        cause="AWS hides the details of this denial in an encoded message, which only somebody with sts:DecodeAuthorizationMessage can read.",
        next_step="Decode it: `aws sts decode-authorization-message --encoded-message MESSAGE --query DecodedMessage --output text`, or have somebody who may do it for you. It names the principal, the action, the resource, and whether the deny was explicit; `rolebound explain` reads the answer.",
        phrases=("encodedauthorizationfailuremessage:",),
        weak_codes=("UnauthorizedOperation", "AccessDenied"),
    ),
    KnownError(
        name="denied-without-details",
        category="access-denied",
        title="Denied, without a reason",
        cause="The service says no more. It may be a missing Allow, a Deny of any kind, the resource's own policy, or a resource of another account.",
        next_step="Find the call's event in CloudTrail and explain that: it names the principal and often the reason.",
        phrases=(
            "accessdenied",
            "notauthorizedtoperformthisoperation",
            "notauthorizedtoperformthisaction",
            "notauthorizedtomakethiscall",
            "notauthorizedtoaccessthisresource",
            "accesstotheresource",
        ),
        codes=DENIAL_CODES,
        weak=True,
    ),
)  # fmt: skip

BY_NAME: Final = {known.name: known for known in KNOWN_ERRORS}
