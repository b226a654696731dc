"""What the names in a Python file stand for: imports under any alias, and what was assigned to a variable.

Within one file, and without running it. A name that was assigned twice stands for both values; a name that comes from
elsewhere stands for nothing.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from credential_rules.sources import Source

FunctionNode: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda"
Scope: TypeAlias = "FunctionNode | None"
"""The function that a node stands in, None at the module's or a class's level."""

_MOST_VALUES: Final = 16  # values of one variable: more than this tells nothing new
_LONGEST_NAME: Final = 200  # of an imported thing: longer chains are loops
_DEEPEST: Final = 8  # mappings made of mappings


class Pair(NamedTuple):
    """One entry of a mapping: `at` is where it was written."""

    key: str
    value: ast.expr
    at: ast.AST


class _Change(NamedTuple):
    """A change of a mapping in place: `owner` is the mapping's name as an expression, `given` what goes into it."""

    owner: ast.expr
    given: ast.AST


class Names:
    """The names of one file."""

    def __init__(self, tree: ast.Module) -> None:
        self._scopes: dict[ast.AST, Scope] = {}
        self._classes: dict[ast.AST, ast.ClassDef | None] = {}
        self._parents: dict[ast.AST, ast.AST] = {}
        self.imports: dict[str, str] = {}
        self.functions: dict[str, list[FunctionNode]] = defaultdict(list)
        self.classes: dict[str, ast.ClassDef] = {}
        self._assigned: dict[tuple[Scope, str], list[ast.expr]] = defaultdict(list)
        self._attributes: dict[str, list[ast.expr]] = defaultdict(list)
        self.calls: list[ast.Call] = []
        self._changes: dict[str, list[_Change]] = defaultdict(list)
        # Filled before an answer is known, so that cycles end and every node is looked at once.
        self._dotted: dict[ast.AST, str] = {}
        self._strings: dict[ast.AST, list[str]] = {}
        self._walk(tree, None, None)

    # --- where a node stands ---

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The class that a node stands in, also deep within its methods."""
        return self._classes.get(node)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes that hold a node, from the nearest to the module."""
        current = self._parents.get(node)
        while current is not None:
            yield current
            current = self._parents.get(current)

    # --- what a name stands for ---

    def dotted(self, node: ast.AST) -> str:
        """The imported thing that an expression names: `boto3.client` for `b.client`; empty if it is none of those.

        What an imported thing returns is named by its call: `environs.Env()`, `boto3.Session().client`.
        """
        known = self._dotted.get(node)
        if known is None:
            self._dotted[node] = ""
            known = self._dotted[node] = self._find_dotted(node)
        return known

    def _find_dotted(self, node: ast.AST) -> str:
        known = ""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value)
            known = f"{base}.{node.attr}" if base else ""
        elif isinstance(node, ast.Name):
            known = self.imports.get(node.id, "")
        elif isinstance(node, ast.Await | ast.NamedExpr):
            known = self.dotted(node.value)
        elif isinstance(node, ast.Call):
            known = self._dotted_call(node)
        if not known and isinstance(node, ast.Attribute | ast.Name):
            return next((name for value in self.values(node) if (name := self.dotted(value))), "")
        return known if len(known) < _LONGEST_NAME else ""

    def _dotted_call(self, node: ast.Call) -> str:
        called = self.dotted(node.func)
        first = node.args[0] if node.args else None
        if called == "importlib.import_module" or (isinstance(node.func, ast.Name) and node.func.id == "__import__"):
            return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        if called == "functools.partial" and first is not None:
            return self.dotted(first)
        if isinstance(node.func, ast.Name) and node.func.id == "getattr" and len(node.args) > 1:
            base, name = self.dotted(node.args[0]), node.args[1]
            if base and isinstance(name, ast.Constant) and isinstance(name.value, str):
                return f"{base}.{name.value}"
            return f"{base}.*" if base else ""
        return f"{called}()" if called else ""

    def values(self, node: ast.expr) -> list[ast.expr]:
        """What was assigned to a variable or attribute, as far as this file shows."""
        if isinstance(node, ast.Name):
            scope: Scope = self._scopes.get(node)
            while True:
                found = self._assigned.get((scope, node.id))
                if found:
                    return found[:_MOST_VALUES]
                if scope is None:
                    return []
                if node.id in parameters(scope):
                    return []
                scope = self._scopes.get(scope)
        if isinstance(node, ast.Attribute):
            return self._attributes.get(ast.unparse(node), [])[:_MOST_VALUES]
        return []

    def parameter(self, node: ast.AST) -> FunctionNode | None:
        """The function whose parameter a name is."""
        if isinstance(node, ast.Name):
            scope = self._scopes.get(node)
            while scope is not None:
                if node.id in parameters(scope):
                    return scope
                scope = self._scopes.get(scope)
        return None

    def strings(self, node: ast.AST) -> list[str]:
        """The texts that an expression may be: literals, constants by name, variables of loops over literals."""
        if isinstance(node, ast.Constant):
            return [node.value] if isinstance(node.value, str) else []
        known = self._strings.get(node)
        if known is None:
            self._strings[node] = []
            known = self._strings[node] = [text for part in self._parts_of_text(node) for text in self.strings(part)]
        return known

    def _parts_of_text(self, node: ast.AST) -> list[ast.expr]:
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return node.elts
        if isinstance(node, ast.IfExp):
            return [node.body, node.orelse]
        if isinstance(node, ast.Call) and last_name(node.func) in {"frozenset", "set", "tuple", "list", "sorted"}:
            return node.args
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"upper", "lower"}:
            return [node.func.value]
        if isinstance(node, ast.Name | ast.Attribute):
            return self.values(node)
        return []

    def local_functions(self, called: ast.expr) -> list[FunctionNode]:
        """The functions of this file that a call may mean: by name, as a method by its name, a class's constructor."""
        if isinstance(called, ast.Name):
            if called.id in self.classes:
                owner = self.classes[called.id]
                return [part for part in owner.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
            return self.functions.get(called.id, [])
        if isinstance(called, ast.Attribute) and not self.dotted(called.value):
            return self.functions.get(called.attr, [])
        return []

    @cached_property
    def callers(self) -> dict[FunctionNode, list[ast.Call]]:
        """The calls in this file of each of its functions."""
        found: dict[FunctionNode, list[ast.Call]] = defaultdict(list)
        for call in self.calls:
            for function in self.local_functions(call.func):
                found[function].append(call)
        return found

    # --- what a mapping holds ---

    def pairs(self, node: ast.AST) -> Iterator[Pair]:
        """The entries with known keys of a mapping: however it is built in this file, and wherever it was changed."""
        yield from self._pairs(node, set(), 0)

    def _pairs(self, node: ast.AST, seen: set[ast.AST | tuple[Scope, str]], depth: int) -> Iterator[Pair]:
        if node in seen or depth > _DEEPEST:
            return
        seen.add(node)
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is None:
                    yield from self._pairs(value, seen, depth + 1)
                else:
                    yield from (Pair(text, value, key) for text in self.strings(key))
        elif isinstance(node, ast.Name | ast.Attribute):
            yield from self._pairs_of_variable(node, seen, depth + 1)
        elif isinstance(node, ast.Call):
            yield from self._pairs_of_call(node, seen, depth + 1)
        elif isinstance(node, ast.Subscript):
            yield from self._pairs_below(node, seen, depth + 1)
        else:
            for part in _parts_of_mapping(node):
                yield from self._pairs(part, seen, depth + 1)

    def unnamed(self, node: ast.AST) -> ast.AST | None:
        """The part of a mapping that may hold entries of any name, because it is made elsewhere or at run time; `None` if none is.

        What callers in other files give to `**options` is theirs to answer for: there the names stand.
        """
        return self._unnamed(node, set(), 0)

    def _unnamed(self, node: ast.AST, seen: set[ast.AST], depth: int) -> ast.AST | None:  # noqa: PLR0911 (one answer per form)
        if node in seen:
            return None
        if depth > _DEEPEST:
            return node
        seen.add(node)
        if isinstance(node, ast.Constant):
            return None
        if isinstance(node, ast.Dict):
            odd = [key for key in node.keys if key is not None and not self.strings(key)]
            spread = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
            return odd[0] if odd else self._first_unnamed(spread, seen, depth)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._unnamed_of_variable(node, seen, depth)
        if isinstance(node, ast.Call):
            return self._unnamed_of_call(node, seen, depth)
        if isinstance(node, ast.Subscript):
            return None if any(self._pairs_below(node, set(), depth)) else node
        parts = _parts_of_mapping(node)
        return self._first_unnamed(parts, seen, depth) if parts else node

    def _first_unnamed(self, parts: Iterable[ast.AST], seen: set[ast.AST], depth: int) -> ast.AST | None:
        return next((found for part in parts if (found := self._unnamed(part, seen, depth + 1)) is not None), None)

    def _unnamed_of_variable(self, node: ast.Name | ast.Attribute, seen: set[ast.AST], depth: int) -> ast.AST | None:
        given: list[ast.expr] = list(self.values(node))
        function = self.parameter(node)
        if function is not None and isinstance(node, ast.Name):
            if function.args.kwarg is not None and function.args.kwarg.arg == node.id:
                spread = (k.value for call in self.callers.get(function, ()) for k in call.keywords if k.arg is None)
                return self._first_unnamed(spread, seen, depth)
            calls = self.callers.get(function, ())
            given += [one for call in calls if (one := self.argument(call, function, node.id)) is not None]
        if not given:
            return node
        home = self._home(node)
        changes = [one.given for one in self._changes.get(ast.unparse(node), ()) if self._home(one.owner) is home]
        odd = next((one for one in changes if self._sets_unnamed(one)), None)
        return odd or self._first_unnamed(
            [*given, *(part for one in changes for part in _spread_into(one))], seen, depth
        )

    def _sets_unnamed(self, change: ast.AST) -> bool:
        """Whether a change of a mapping sets one entry, whose name is not known."""
        if isinstance(change, ast.Assign) and isinstance(change.targets[0], ast.Subscript):
            return not self.strings(change.targets[0].slice)
        if isinstance(change, ast.Call) and last_name(change.func) in _SET_AN_ENTRY:
            return bool(change.args) and not self.strings(change.args[0])
        return False

    def _unnamed_of_call(self, node: ast.Call, seen: set[ast.AST], depth: int) -> ast.AST | None:
        called = last_name(node.func)
        if isinstance(node.func, ast.Attribute) and called in _GIVE_THE_SAME_ENTRIES:
            return self._unnamed(node.func.value, seen, depth + 1)
        if called in _MAKE_A_MAPPING:
            return self._first_unnamed(_spread_by(node), seen, depth)
        if isinstance(node.func, ast.Name) and node.func.id in self.classes:
            return None
        returned = [one for function in self.local_functions(node.func) for one in self.returned(function)]
        return self._first_unnamed(returned, seen, depth) if returned else node

    def _pairs_of_variable(
        self, node: ast.Name | ast.Attribute, seen: set[ast.AST | tuple[Scope, str]], depth: int
    ) -> Iterator[Pair]:
        home = (self._home(node), ast.unparse(node))
        if home in seen:
            return
        seen.add(home)
        for value in self.values(node):
            yield from self._pairs(value, seen, depth)
        for change in self._changes.get(home[1], ()):
            if self._home(change.owner) is home[0]:
                yield from self._pairs_of_change(change.given, seen, depth)
        function = self.parameter(node)
        if function is not None and isinstance(node, ast.Name):
            for call in self.callers.get(function, ()):
                yield from self._pairs_given(call, function, node.id, seen, depth)

    def _home(self, node: ast.AST) -> Scope:
        """The function in which a variable lives."""
        if not isinstance(node, ast.Name):
            return None
        scope: Scope = self._scopes.get(node)
        while scope is not None and (scope, node.id) not in self._assigned and node.id not in parameters(scope):
            scope = self._scopes.get(scope)
        return scope

    def _pairs_of_change(self, given: ast.AST, seen: set[ast.AST | tuple[Scope, str]], depth: int) -> Iterator[Pair]:
        if isinstance(given, ast.Assign) and isinstance(given.targets[0], ast.Subscript):
            yield from (Pair(text, given.value, given) for text in self.strings(given.targets[0].slice))
        elif isinstance(given, ast.Call):
            if last_name(given.func) in _SET_AN_ENTRY:
                if len(given.args) > 1:
                    yield from (Pair(text, given.args[1], given) for text in self.strings(given.args[0]))
            else:
                yield from self._pairs_of_arguments(given, seen, depth)
        else:
            yield from self._pairs(given, seen, depth)

    def _pairs_of_arguments(self, call: ast.Call, seen: set[ast.AST | tuple[Scope, str]], depth: int) -> Iterator[Pair]:
        """The entries that the arguments of `dict(…)` or `update(…)` make."""
        for argument in call.args:
            if isinstance(argument, ast.List | ast.Tuple):
                for element in argument.elts:
                    if isinstance(element, ast.Tuple | ast.List) and len(element.elts) == 2:  # noqa: PLR2004 (a pair)
                        key, value = element.elts
                        yield from (Pair(text, value, key) for text in self.strings(key))
            else:
                yield from self._pairs(argument, seen, depth)
        for keyword in call.keywords:
            if keyword.arg is None:
                yield from self._pairs(keyword.value, seen, depth)
            else:
                yield Pair(keyword.arg, keyword.value, keyword)

    def _pairs_of_call(self, node: ast.Call, seen: set[ast.AST | tuple[Scope, str]], depth: int) -> Iterator[Pair]:
        called = last_name(node.func)
        if isinstance(node.func, ast.Attribute) and called in _GIVE_THE_SAME_ENTRIES:
            yield from self._pairs(node.func.value, seen, depth)
        elif called in _MAKE_A_MAPPING:
            yield from self._pairs_of_arguments(node, seen, depth)
        elif isinstance(node.func, ast.Name) and node.func.id in self.classes:
            yield from (Pair(k.arg, k.value, k) for k in node.keywords if k.arg)
            for part in self.classes[node.func.id].body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name) and part.value is not None:
                    yield Pair(part.target.id, part.value, part)
        else:
            for function in self.local_functions(node.func):
                for returned in self.returned(function):
                    yield from self._pairs(returned, seen, depth)

    def returned(self, function: FunctionNode) -> list[ast.expr]:
        """What a function returns or yields."""
        if isinstance(function, ast.Lambda):
            return [function.body]
        return self._returned.get(function, [])

    @cached_property
    def _returned(self) -> dict[FunctionNode, list[ast.expr]]:
        found: dict[FunctionNode, list[ast.expr]] = defaultdict(list)
        for node, scope in self._scopes.items():
            if isinstance(node, ast.Return | ast.Yield) and node.value is not None and scope is not None:
                found[scope].append(node.value)
        return found

    def _pairs_below(self, node: ast.Subscript, seen: set[ast.AST | tuple[Scope, str]], depth: int) -> Iterator[Pair]:
        """The entries of a mapping within a mapping: of the named key, or of every key."""
        wanted = self.strings(node.slice)
        for pair in list(self._pairs(node.value, seen, depth)):
            if not wanted or pair.key in wanted:
                yield from self._pairs(pair.value, seen, depth)

    def _pairs_given(
        self, call: ast.Call, function: FunctionNode, name: str, seen: set[ast.AST | tuple[Scope, str]], depth: int
    ) -> Iterator[Pair]:
        """What a call gives to a parameter that is used as a mapping."""
        written = function.args
        if written.kwarg is not None and written.kwarg.arg == name:
            named = {part.arg for part in (*written.args, *written.kwonlyargs)}
            for keyword in call.keywords:
                if keyword.arg is None:
                    yield from self._pairs(keyword.value, seen, depth)
                elif keyword.arg not in named:
                    yield Pair(keyword.arg, keyword.value, keyword)
            return
        argument = self.argument(call, function, name)
        if argument is not None:
            yield from self._pairs(argument, seen, depth)

    def argument(self, call: ast.Call, function: FunctionNode, name: str) -> ast.expr | None:
        """What a call of this file's function gives to a parameter, None if nothing."""
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value
        order = [part.arg for part in (*function.args.posonlyargs, *function.args.args)]
        if (
            order
            and order[0] in {"self", "cls"}
            and (isinstance(call.func, ast.Attribute) or last_name(call.func) in self.classes)
        ):
            order = order[1:]
        if name in order and order.index(name) < len(call.args):
            return call.args[order.index(name)]
        return None

    @cached_property
    def imported(self) -> frozenset[str]:
        """The packages that the file imports."""
        return frozenset(path.split(".", maxsplit=1)[0] for path in self.imports.values())

    # --- one walk ---

    def _walk(self, root: ast.AST, scope: Scope, owner: ast.ClassDef | None) -> None:
        todo: list[tuple[ast.AST, Scope, ast.ClassDef | None]] = [(root, scope, owner)]
        while todo:
            node, scope, owner = todo.pop()
            self._scopes[node] = scope
            self._classes[node] = owner
            self._note(node, scope)
            inner, inner_owner = scope, owner
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                inner = node
            elif isinstance(node, ast.ClassDef):
                inner_owner = node
            for child in ast.iter_child_nodes(node):
                self._parents[child] = node
                todo.append((child, inner, inner_owner))

    def _note(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.imports[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                prefix = "." * node.level + (node.module or "")
                self.imports[alias.asname or alias.name] = f"{prefix}.{alias.name}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.functions[node.name].append(node)
        elif isinstance(node, ast.ClassDef):
            self.classes[node.name] = node
        elif isinstance(node, ast.Call):
            self.calls.append(node)
            if isinstance(node.func, ast.Attribute) and node.func.attr in {"update", "setdefault", "__setitem__"}:
                self._changes[ast.unparse(node.func.value)].append(_Change(node.func.value, node))
        else:
            self._note_assignment(node, scope)

    def _note_assignment(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value, scope)
                if isinstance(target, ast.Subscript):
                    self._changes[ast.unparse(target.value)].append(_Change(target.value, node))
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            if node.value is not None:
                self._assign(node.target, node.value, scope)
        elif isinstance(node, ast.AugAssign):
            self._assign(node.target, node.value, scope)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            self._assign(node.target, node.iter, scope)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assign(node.optional_vars, node.context_expr, scope)

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self._assigned[scope, target.id].append(value)
            if isinstance(value, ast.Lambda):
                self.functions[target.id].append(value)
            if scope is not None and target.id in _globals(scope):
                self._assigned[None, target.id].append(value)
        elif isinstance(target, ast.Attribute):
            self._attributes[ast.unparse(target)].append(value)
        elif isinstance(target, ast.Tuple | ast.List):
            parts = (
                value.elts if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts) else None
            )
            for position, element in enumerate(target.elts):
                self._assign(element, parts[position] if parts else value, scope)


_GIVE_THE_SAME_ENTRIES: Final = frozenset({"copy", "items", "dict", "model_dump", "_asdict"})
_SET_AN_ENTRY: Final = frozenset({"setdefault", "__setitem__"})
_MAKE_A_MAPPING: Final = frozenset(
    {"dict", "OrderedDict", "defaultdict", "ChainMap", "MappingProxyType", "deepcopy", "copy", "asdict", "vars", "cast"}
)


def _spread_by(call: ast.Call) -> list[ast.expr]:
    """The mappings that `dict(…)` or `update(…)` takes over."""
    spread = [keyword.value for keyword in call.keywords if keyword.arg is None]
    return [*(one for one in call.args if not isinstance(one, ast.List | ast.Tuple)), *spread]


def _spread_into(change: ast.AST) -> list[ast.expr]:
    """The mappings that a change adds to a mapping as a whole."""
    if isinstance(change, ast.Call):
        return [] if last_name(change.func) in _SET_AN_ENTRY else _spread_by(change)
    is_entry = isinstance(change, ast.Assign) and isinstance(change.targets[0], ast.Subscript)
    return [change] if isinstance(change, ast.expr) and not is_entry else []


def _parts_of_mapping(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.NamedExpr | ast.Await | ast.Starred):
        return [node.value]
    if isinstance(node, ast.DictComp):
        return [generator.iter for generator in node.generators]
    return []


def parameters(function: FunctionNode) -> set[str]:
    """The names of a function's parameters, `*args` and `**kwargs` included."""
    written = function.args
    every = [*written.posonlyargs, *written.args, *written.kwonlyargs]
    return {
        part.arg
        for part in (*every, *([written.vararg] if written.vararg else []), *([written.kwarg] if written.kwarg else []))
    }


def _globals(function: FunctionNode) -> set[str]:
    if isinstance(function, ast.Lambda):
        return set()
    return {name for node in function.body if isinstance(node, ast.Global) for name in node.names}


def last_name(node: ast.AST) -> str:
    """The last part of a name: `client` of `self.session.client`, empty if the expression is no name."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "getattr"
        and len(node.args) > 1
    ):
        name = node.args[1]
        return name.value if isinstance(name, ast.Constant) and isinstance(name.value, str) else ""
    return ""


_NAMES: WeakKeyDictionary[Source, Names] = WeakKeyDictionary()


def names_of(source: Source) -> Names:
    """The names of a file, looked up once for all rules."""
    known = _NAMES.get(source)
    if known is None:
        known = _NAMES[source] = Names(source.tree)
    return known
