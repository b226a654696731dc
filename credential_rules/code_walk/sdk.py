"""What an interpretation of a program asks of, and tells to, whoever knows the SDK."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast

    from credential_rules.code_walk.values import (
        Arguments,
        Client,
        Frame,
        Method,
        Prepared,
        Provider,
        ResourceObject,
        Value,
    )


class Sdk(ABC):
    """The questions are asked all the time, and answered by values; the news come once, when every value is known."""

    # --- questions ---

    @abstractmethod
    def call_external(self, path: str, arguments: Arguments) -> Value | None:
        """What a function of the SDK or of a package that uses it gives; None if it is neither."""

    @abstractmethod
    def is_operation(self, method: Method) -> bool:
        """Whether the owner has such a method."""

    @abstractmethod
    def attribute(self, atom: Client | ResourceObject, name: str, node: ast.expr | None) -> Value:
        """An attribute of a client or resource object."""

    @abstractmethod
    def call_method(self, method: Method, arguments: Arguments) -> Value:
        """The call of a method of the SDK."""

    @abstractmethod
    def call_prepared(self, owner: Prepared | Provider, name: str, arguments: Arguments) -> Value:
        """The call of a method of a paginator, waiter, collection or provider."""

    # --- news ---

    @abstractmethod
    def reached(self, frame: Frame) -> None:
        """A function is run."""

    @abstractmethod
    def imported(self, module: str, node: ast.stmt) -> None:
        """A module that is none of the program's is imported."""

    @abstractmethod
    def dynamic(self, owner: Client | ResourceObject, arguments: Arguments) -> None:
        """A method is chosen while the program runs."""

    @abstractmethod
    def called_on_anything(self, name: str, node: ast.expr) -> None:
        """A method that no class of the program has, of something that others hand in."""

    @abstractmethod
    def taken_from_package(self, path: str, name: str, node: ast.expr) -> None:
        """An attribute of something that comes from a package that is none of the program's."""

    @abstractmethod
    def handed_over(self, path: str, given: Value, arguments: Arguments) -> None:
        """Values are given to code that is none of the program's."""
