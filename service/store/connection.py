"""What store code uses of a connection: the same methods on SQLite and PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, Never, ParamSpec, Protocol, TypeVar, overload

from typing_extensions import TypeVarTuple

if TYPE_CHECKING:  # SQLAlchemy's asyncio package imports its ORM and greenlet, which SQLite does not need
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, CursorResult, Dialect, Executable, ScalarResult
    from sqlalchemy.sql.selectable import TypedReturnsRows

    Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

Columns = TypeVarTuple("Columns")
Given = ParamSpec("Given")
Result = TypeVar("Result")


class StoreConnection(Protocol):
    """A connection in a transaction; a result is complete when it is returned.

    On SQLite it is a `SqliteConnection`, on PostgreSQL SQLAlchemy's AsyncConnection.
    """

    @property
    def dialect(self) -> Dialect:
        """The dialect of the database."""

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*Columns], parameters: Parameters = None
    ) -> CursorResult[*Columns]: ...
    @overload
    async def execute(
        self, statement: Executable, parameters: Parameters = None
    ) -> CursorResult[*tuple[Any, ...]]: ...

    @overload
    async def scalar(
        self, statement: TypedReturnsRows[Never], parameters: Mapping[str, Any] | None = None
    ) -> Any | None: ...  # noqa: ANN401 - SQLAlchemy's signature
    @overload
    async def scalar(
        self, statement: TypedReturnsRows[Result], parameters: Mapping[str, Any] | None = None
    ) -> Result | None: ...
    @overload
    async def scalar(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any: ...  # noqa: ANN401 - SQLAlchemy's signature

    @overload
    async def scalars(
        self, statement: TypedReturnsRows[Result], parameters: Parameters = None
    ) -> ScalarResult[Result]: ...
    @overload
    async def scalars(self, statement: Executable, parameters: Parameters = None) -> ScalarResult[Any]: ...

    async def run_sync(
        self,
        fn: Callable[Concatenate[Connection, Given], Result],
        *arg: Given.args,
        **kw: Given.kwargs,
    ) -> Result:
        """Return the result of `fn`, called with the synchronous connection and the other arguments."""
