"""Python source as rules see it: parsed once, and known to belong to functions where a template says so."""

from __future__ import annotations

import ast
import re
import warnings
import zipfile
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from credential_rules.reader import Unreadable, read_text
from credential_rules.template import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from credential_rules.template import Resource, Template

MOST_SOURCE_BYTES: Final = 2_000_000
"""No module that people write is larger; generated tables are, and parsing them takes seconds."""
MOST_FILES: Final = 5_000
"""Files per function or folder: more means that somebody's environment was packed, not their code."""

_WITH_CODE: Final = frozenset({"AWS::Lambda::Function", "AWS::Serverless::Function"})
LAYERS: Final = frozenset({"AWS::Lambda::LayerVersion", "AWS::Serverless::LayerVersion"})
_ON_THE_PATH: Final = "python"
"""The folder of a layer from which Python imports. https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html"""
_MOST_FILES_OF_A_PACKAGE: Final = 500
_IMPORTS_SDK: Final = re.compile(rb"^\s*(?:import|from)\s+(?:aio)?boto(?:3|core)\b", re.MULTILINE)

_NOT_OURS: Final = frozenset(
    {
        "__pycache__",
        "node_modules",
        "site-packages",
        "dist-packages",
        "venv",
        "cdk.out",
        "boto3",
        "botocore",
        "s3transfer",
    }
)
"""Folders that hold other people's code; the AWS SDK itself takes keys as arguments."""


@dataclass(eq=False)
class Source:
    """One parsed Python file. `functions` are the functions or layers whose code it is, none for a folder given by hand."""

    path: str
    text: str
    tree: ast.Module
    functions: tuple[Resource, ...] = ()

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree, walked once for all rules."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def names(self) -> dict[ast.AST, str]:
        """What an expression is called: the variable, keyword, dictionary key or parameter that it is given to.

        An argument after a literal first one is called as that: `os.environ.setdefault("AWS_PROFILE", "x")`.
        """
        return {value: name for node in self.nodes for value, name in _named(node)}

    def at(self, node: ast.AST) -> Spot:
        """The place of a node, for a finding."""
        return Spot(self, getattr(node, "lineno", 1))


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a source file."""

    source: Source
    line: int

    @property
    def place(self) -> Place:
        """The line, as `path:line`."""
        return Place(
            self.source.path, f"{self.source.path}:{self.line}", f"{self.source.path}:{self.line}", line=self.line
        )


def _named(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    if isinstance(node, ast.keyword):
        yield node.value, node.arg or ""
    elif isinstance(node, ast.Assign):
        yield node.value, " ".join(ast.unparse(target) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.value, ast.unparse(node.target)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield value, str(key.value)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        for argument in node.args[1:]:
            yield argument, str(node.args[0].value)
    elif isinstance(node, ast.arguments):
        yield from _named_defaults(node)


def _named_defaults(node: ast.arguments) -> Iterator[tuple[ast.AST, str]]:
    positional = [*node.posonlyargs, *node.args]
    with_default = positional[len(positional) - len(node.defaults) :]
    for parameter, default in zip(with_default, node.defaults, strict=True):
        yield default, parameter.arg
    for parameter, keyword_default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
        if keyword_default is not None:
            yield keyword_default, parameter.arg


def parse_source(path: str, text: str) -> Source:
    """The source in `text`.

    Raises:
        Unreadable: it is no valid Python, or nests too deep to be parsed.
    """
    try:
        with warnings.catch_warnings():
            # Invalid escapes and the like in other people's code are not ours to report.
            warnings.simplefilter("ignore")
            return Source(path, text, ast.parse(text))
    except SyntaxError as error:
        raise Unreadable(
            f"This is no valid Python in line {error.lineno}: {error.msg}. Its calls to AWS were not checked."
            " Correct it there, or check that it is Python 3."
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(
            "Python cannot parse this file: it holds a NUL or nests too deep. Its calls to AWS were not checked."
            " Check that it is source code."
        ) from error


def source_paths(folder: Path) -> list[Path]:
    """The Python files below `folder` that are its own: no hidden folders, no installed packages."""
    return [path for path in own_files(folder) if path.suffix == ".py"][:MOST_FILES]


def own_files(folder: Path) -> Iterator[Path]:
    """Every file below `folder` except in hidden folders and installed packages, in a stable order."""
    installed = {name for info in folder.glob("*.dist-info") for name in _installed(info)}
    todo = [folder]
    while todo:
        current = todo.pop()
        try:
            children = sorted(current.iterdir())
        except OSError:
            continue
        for child in children:
            if child.name.startswith(".") or child.name in _NOT_OURS:
                continue
            if current == folder and child.name in installed:
                continue
            if child.is_symlink() and child.is_dir():
                continue
            if child.is_dir():
                if not child.name.endswith(".dist-info") and not (child / "pyvenv.cfg").exists():
                    todo.append(child)
            else:
                yield child


@cache
def mentions_the_sdk(package: Path) -> bool:
    """Whether an installed package, which is not read as code of the function, imports the AWS SDK somewhere."""
    files = [package.with_suffix(".py")] if package.with_suffix(".py").is_file() else list(package.rglob("*.py"))
    for file in files[:_MOST_FILES_OF_A_PACKAGE]:
        try:
            if _IMPORTS_SDK.search(file.read_bytes()):
                return True
        except OSError:
            continue
    return False


def _installed(info: Path) -> set[str]:
    """The top-level names that an installed distribution brought."""
    try:
        lines = (info / "RECORD").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return set()
    return {PurePosixPath(line.split(",", 1)[0]).parts[0] for line in lines if line.strip()}


class SourceReader:
    """Reads and parses each file once, however many functions share it. `errors` collects what could not be read."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}
        self._parsed: dict[str, Source | None] = {}

    def folder(self, folder: Path) -> list[Source]:
        """The parsed Python files of a folder."""
        return [source for path in source_paths(folder) if (source := self.file(path)) is not None]

    def file(self, path: Path) -> Source | None:
        """One parsed file, None (and an error) if it cannot be."""
        name = str(path)
        if name not in self._parsed:
            try:
                text = read_text(path)
            except Unreadable as error:
                self.errors[name] = str(error)
                self._parsed[name] = None
            else:
                self._parse(name, text)
        return self._parsed[name]

    def archive(self, path: Path, below: str = "") -> list[Source]:
        """The parsed Python files in a zip archive, or below a folder in it, named `archive.zip/module.py`."""
        found: list[Source] = []
        try:
            with zipfile.ZipFile(path) as archive:
                members = archive.infolist()
                installed = _installed_in_archive(archive, below)
                for member in members[:MOST_FILES]:
                    parts = PurePosixPath(member.filename.removeprefix(below)).parts
                    if (
                        member.filename.endswith(".py")
                        and member.filename.startswith(below)
                        and not _NOT_OURS & set(parts)
                        and parts[0] not in installed
                    ):
                        source = self._member(archive, member, f"{path}/{member.filename}")
                        if source is not None:
                            found.append(source)
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            self.errors[str(path)] = (
                f"The archive cannot be read: {error}. The code in it was not checked. Build it again."
            )
        return found

    def _member(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Source | None:
        if name not in self._parsed:
            if member.file_size > MOST_SOURCE_BYTES:
                return None
            text = archive.read(member).decode("utf-8", errors="replace")
            self._parse(name, text)
        return self._parsed[name]

    def inline(self, name: str, text: str, *, is_complete: bool) -> list[Source]:
        """Code that stands in the template; code with holes that is no Python then is left alone."""
        try:
            return [parse_source(name, text)]
        except Unreadable as error:
            if is_complete:
                self.errors[name] = str(error)
            return []

    def _parse(self, name: str, text: str) -> None:
        self._parsed[name] = None
        if len(text) > MOST_SOURCE_BYTES:
            self.errors[name] = (
                f"The file has more than {MOST_SOURCE_BYTES / 1e6:.0f} MB. It was not checked. Move data out of the module."
            )
            return
        try:
            self._parsed[name] = parse_source(name, text)
        except Unreadable as error:
            self.errors[name] = str(error)


def _installed_in_archive(archive: zipfile.ZipFile, below: str) -> set[str]:
    inside = [name.removeprefix(below) for name in archive.namelist() if name.startswith(below)]
    names = {PurePosixPath(name).parts[0] for name in inside if "/" in name}
    found: set[str] = set()
    for info in (name for name in names if name.endswith(".dist-info")):
        try:
            record = archive.read(f"{below}{info}/RECORD").decode("utf-8", errors="replace")
        except KeyError:
            continue
        found |= {PurePosixPath(line.split(",", 1)[0]).parts[0] for line in record.splitlines() if line.strip()}
    return found


def sources_of_templates(templates: list[Template], reader: SourceReader) -> list[Source]:
    """The source of every Python function and layer in `templates`, each file once with all that it belongs to."""
    by_path: dict[str, tuple[Source, list[Resource]]] = {}
    for template in templates:
        for resource in template.resources.values():
            sources: list[Source] = []
            if resource.type in _WITH_CODE and _is_python(resource):
                sources = _sources_of(resource, reader)
            elif resource.type in LAYERS:
                sources = _sources_of_layer(resource, reader)
            for source in sources:
                by_path.setdefault(source.path, (source, []))[1].append(resource)
    return [replace(source, functions=tuple(functions)) for source, functions in by_path.values()]


def _is_python(resource: Resource) -> bool:
    runtimes = resource["Runtime"].texts()
    return not runtimes or any(runtime.literal is None or runtime.startswith("python") for runtime in runtimes)


def _sources_of(resource: Resource, reader: SourceReader) -> list[Source]:
    inline = resource["InlineCode"] or resource["Code"]["ZipFile"]
    found: list[Source] = []
    if inline:
        name = f"{resource.template.file}#{resource.logical_id}"
        for text in inline.texts():
            code = text.literal
            found += reader.inline(name, text.pattern if code is None else code, is_complete=code is not None)
        return found
    for location in code_places(resource):
        if location.is_dir():
            found += reader.folder(location)
        elif location.suffix == ".py":
            source = reader.file(location) if location.is_file() else None
            found += [source] if source is not None else []
        elif _is_archive(location):
            found += reader.archive(location)
    return found


def _sources_of_layer(layer: Resource, reader: SourceReader) -> list[Source]:
    found: list[Source] = []
    for location in code_places(layer):
        if location.is_dir():
            found += reader.folder(_imported_from(layer, location))
        elif _is_archive(location):
            found += reader.archive(location, below=f"{_ON_THE_PATH}/")
    return found


def _imported_from(layer: Resource, location: Path) -> Path:
    """The folder of a layer's modules; SAM builds a layer of sources that lie at its top."""
    is_built = any(method.startswith("python") for method in layer.at("Metadata")["BuildMethod"].literals())
    inside = location / _ON_THE_PATH
    return location if is_built and not inside.is_dir() else inside


def import_roots(layer: Resource) -> list[str]:
    """The folders of a layer from which Python imports, each with a slash at its end; those of installed packages last."""
    found: list[str] = []
    for location in code_places(layer):
        packages = sorted(location.glob(f"{_ON_THE_PATH}/lib/python3*/site-packages"))
        found += [f"{folder.as_posix()}/" for folder in (_imported_from(layer, location), *packages)]
    return found


def code_places(resource: Resource) -> Iterator[Path]:
    """Where on this machine the code of a function or layer is, or should be."""
    yield from _assets(resource)
    yield from _local_code(resource)


def code_that_is_missing(templates: list[Template]) -> dict[str, str]:
    """What to say of each place on this machine from which a Python function takes its code, and where there is none.

    Places elsewhere (S3, a registry of images) and places that only the deployment decides are not asked for.
    """
    missing: dict[str, list[Resource]] = {}
    for template in templates:
        for resource in template.resources.values():
            if (
                resource.type in _WITH_CODE
                and _is_python(resource)
                and "Image" not in resource["PackageType"].literals()
            ):
                for location in _local_code(resource):
                    if not (
                        location.is_dir() or (location.suffix == ".py" and location.is_file()) or _is_archive(location)
                    ):
                        missing.setdefault(str(location), []).append(resource)
    return {location: _missing_code(resources) for location, resources in missing.items()}


def _missing_code(resources: list[Resource]) -> str:
    names = ", ".join(f"'{resource.logical_id}'" for resource in resources)
    files = ", ".join(sorted({resource.template.file for resource in resources}))
    return (
        f"The code of {names} ({files}) should be here, and no folder, archive or Python file is. It was not checked, nor"
        " were the roles against what it calls. Build it first, correct the path, or check where the code is."
    )


def _is_archive(location: Path) -> bool:
    return location.is_file() and (location.suffix in {".zip", ".jar"} or zipfile.is_zipfile(location))


def _assets(resource: Resource) -> Iterator[Path]:
    keys = resource["Code"]["S3Key"] or resource["CodeUri"]["Key"]
    if resource.type in LAYERS:
        keys = resource["Content"]["S3Key"] or resource["ContentUri"]["Key"]
    for text in keys.texts():
        asset = resource.template.assets.get(text.literal or "")
        if asset is not None:
            yield asset


def _local_code(resource: Resource) -> Iterator[Path]:
    """Where the template says, as a path of this machine, that the code of a function or layer is."""
    if resource["InlineCode"]:
        return
    names = ("ContentUri", "Content") if resource.type in LAYERS else ("CodeUri", "Code")
    for value in (resource[name] for name in names):
        for literal in value.literals() if not value.is_mapping else ():
            if literal and not literal.startswith(("s3://", "http")):
                yield resource.template.directory / literal
