"""Which packages of other people call AWS, and which surely do not."""

from __future__ import annotations

import sys
from typing import Final

_MAKE_CLIENTS: Final = frozenset(
    {
        "aws_encryption_sdk",
        "aws_xray_sdk.core.sampling",
        "aws_requests_auth",
        "awswrangler",
        "boto",
        "celery",
        "cognitojwt",
        "dynamodb_encryption_sdk",
        "dynamorm",
        "kombu",
        "langchain_aws",
        "moto",
        "opensearchpy",
        "pyathena",
        "pynamodb",
        "pyqldb",
        "redshift_connector",
        "requests_aws4auth",
        "s3fs",
        "s3path",
        "sagemaker",
        "smart_open",
        "warrant",
        "watchtower",
    }
)
"""Packages that make their own clients."""

_OF_THE_SDK: Final = frozenset(
    {"boto3", "botocore", "aioboto3", "aiobotocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six", "awscrt"}
    | {"aws_lambda_powertools", "aws_xray_sdk", "types_boto3", "mypy_boto3", "awslambdaric", "aws_lambda_typing"}
)

_CALL_NO_AWS: Final = frozenset(
    [
        "aiofiles",
        "aiohttp",
        "annotated_types",
        "anyio",
        "arrow",
        "asn1crypto",
        "asyncpg",
        "attr",
        "attrs",
        "babel",
        "bcrypt",
        "bs4",
        "cachetools",
        "cattrs",
        "certifi",
        "cffi",
        "chardet",
        "charset_normalizer",
        "click",
        "cryptography",
        "dacite",
        "dataclasses_json",
        "datadog",
        "datadog_lambda",
        "ddtrace",
        "defusedxml",
        "deepdiff",
        "dotenv",
        "ecdsa",
        "email_validator",
        "fastapi",
        "fastjsonschema",
        "flask",
        "google",
        "graphql",
        "gql",
        "httpcore",
        "httpx",
        "idna",
        "importlib_metadata",
        "isodate",
        "itsdangerous",
        "jinja2",
        "jose",
        "jsonpatch",
        "jsonpath_ng",
        "jsonschema",
        "jwt",
        "langchain",
        "loguru",
        "lxml",
        "mangum",
        "markupsafe",
        "marshmallow",
        "mcp",
        "more_itertools",
        "msgpack",
        "msgspec",
        "multidict",
        "mysql",
        "newrelic",
        "numpy",
        "oauthlib",
        "openai",
        "openpyxl",
        "opentelemetry",
        "orjson",
        "packaging",
        "pandas",
        "passlib",
        "pendulum",
        "phonenumbers",
        "PIL",
        "pkg_resources",
        "polars",
        "prometheus_client",
        "protobuf",
        "psutil",
        "psycopg",
        "psycopg2",
        "pyarrow",
        "pycparser",
        "pycountry",
        "pydantic",
        "pydantic_core",
        "pydantic_settings",
        "pymongo",
        "pymysql",
        "pyparsing",
        "PyPDF2",
        "pypdf",
        "pytz",
        "rapidfuzz",
        "redis",
        "regex",
        "requests",
        "rich",
        "rsa",
        "ruamel",
        "scipy",
        "sentry_sdk",
        "setuptools",
        "simplejson",
        "sklearn",
        "slack_sdk",
        "sniffio",
        "sqlalchemy",
        "sqlmodel",
        "starlette",
        "stripe",
        "structlog",
        "tenacity",
        "tiktoken",
        "toml",
        "tomli",
        "tqdm",
        "twilio",
        "typeguard",
        "typer",
        "typing_extensions",
        "typing_inspection",
        "tzdata",
        "tzlocal",
        "ujson",
        "uvicorn",
        "validators",
        "werkzeug",
        "wrapt",
        "xmltodict",
        "yaml",
        "yarl",
        "zeep",
        "zoneinfo",
    ]
)
"""Packages that people often put into layers and that call no AWS by themselves."""


def package_of(path: str) -> str:
    """The package that a dotted name, or what a call of it gave, comes from."""
    return path.partition(".")[0].partition("(")[0]


def makes_clients(module: str) -> bool:
    """Whether a module is known to call AWS by clients of its own."""
    return module in _MAKE_CLIENTS or package_of(module) in _MAKE_CLIENTS


def is_trusted(package: str) -> bool:
    """Whether a package is Python's or the SDK's: what it does with a client is known."""
    return package in sys.stdlib_module_names or package in _OF_THE_SDK or package == "builtins"


def is_known(package: str) -> bool:
    """Whether a package is known to call no AWS by itself, or to be the SDK."""
    return (
        is_trusted(package)
        or package in _CALL_NO_AWS
        or package.startswith(("types_boto3_", "mypy_boto3_", "types_aiobotocore_"))
    )
