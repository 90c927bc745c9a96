"""Questions through Django's ORM whose SQL is written once, and planned once for each connection.

Django writes the SQL of a queryset anew each time it is asked, and PostgreSQL plans it anew. For the questions behind
a page, which join many tables and find a few rows by an index, both take longer than finding the rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Expression, Field, Lookup, Model, QuerySet
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

from agents import statements

T = TypeVar("T")
Rows = list[tuple[Any, ...]]


@Field.register_lookup
class AnyOf(Lookup):
    """`pk__any_of=[…]`: as `pk__in`, but thousands of keys are one parameter."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """“id = ANY(…)”."""
        left, parameters = self.process_lhs(compiler, connection)
        right, given = self.process_rhs(compiler, connection)
        one = self.lhs.output_field.rel_db_type(connection)
        return f"{left} = ANY({right}::{one}[])", (*parameters, *given)


class Given(Expression):
    """Stands in a compiled queryset for the value that `ask` is given by this name."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        """A parameter that is this object itself."""
        return "%s", (self,)


def key(name: str) -> Given:
    """A `Given` that is a primary key."""
    return Given(name, BigIntegerField())


def keys(name: str) -> Given:
    """A `Given` that is a list of primary keys, for `any_of`."""
    return Given(name, ArrayField(BigIntegerField()))


class Compiled(Generic[T]):
    """A queryset as `build` makes it, with `Given` for what differs from one asking to the next.

    Everything else in it is the same for ever: nothing may depend on the time, the person or a setting.
    """

    def __init__(self, build: "Callable[[], QuerySet[Any, T]]") -> None:
        self._build = build

    def ask(self, **given: object) -> list[T]:
        """What the queryset would find now, prefetched relations and all. Raises django.db.DatabaseError."""
        plan = self._plan
        rows = statements.ask(plan.text, plan.types, given)
        answered = plan.queryset._chain()  # type: ignore[attr-defined]
        answered._query = _Answered(plan, rows)  # its property would forget how rows become objects
        return list(answered)

    @cached_property
    def _plan(self) -> "_Plan":
        queryset = self._build()
        compiler = queryset.query.get_compiler(using=DEFAULT_DB_ALIAS)
        sql, parameters = compiler.as_sql()
        given = [one for one in parameters if isinstance(one, Given)]
        types = {one.name: one.output_field.rel_db_type(connection) or "" for one in given}
        text = sql.replace("%%", "%%%%") % tuple(map(_marked, parameters))  # `statements.ask` fills it in once more
        columns = [column for column, *_ in compiler.select[: compiler.col_count]]
        return _Plan(queryset, compiler, compiler.get_converters(columns), text, types)


@dataclass(frozen=True, slots=True)
class _Plan:
    """The SQL, what its parameters are, and what knows how to read the rows."""

    queryset: "QuerySet[Any, Any]"
    compiler: SQLCompiler
    converters: Any
    text: str
    types: dict[str, str]


class _Answered(Query):
    """A query whose rows are there already."""

    def __init__(self, plan: _Plan, rows: Rows) -> None:
        self.__dict__.update(vars(plan.compiler.query))
        self._answer = _Answer(plan, rows)

    def get_compiler(self, *_: Any, **__: Any) -> SQLCompiler:
        """What knows how the rows are to be read."""
        return self._answer


class _Answer(SQLCompiler):
    def __init__(self, plan: _Plan, rows: Rows) -> None:
        self.__dict__.update(vars(plan.compiler), connection=connection)
        self._converters, self._rows = plan.converters, rows

    def execute_sql(self, *_: Any, **__: Any) -> Any:
        """The rows, as one chunk."""
        return [self._rows]

    def get_converters(self, _: Any) -> Any:
        """What makes Python of the columns."""
        return self._converters


def hold(owner: Model, relation: str, rows: Sequence[Model]) -> None:
    """Let `owner.relation.all()` be these rows, all there are, as `prefetch_related` does."""
    manager = getattr(owner, relation)
    for row in rows:
        manager.field.set_cached_value(row, owner)
    found = manager.all()
    found._result_cache, found._prefetch_done = list(rows), True
    owner.__dict__.setdefault("_prefetched_objects_cache", {})[relation] = found


def _marked(parameter: object) -> str:
    if isinstance(parameter, Given):
        return f"%({parameter.name})s"
    return Literal(parameter).as_string().replace("%", "%%")
