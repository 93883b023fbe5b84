"""A question asked all the time: its SQL is made once and asked again with other values.

Making the SQL of a queryset takes longer than PostgreSQL takes to answer it. What is asked is still said by the ORM.
"""

import copy
import datetime as dt
from functools import cached_property

from django.db import connection

# stand-ins: values that no query holds for another reason
AN_ID, ANOTHER_ID, A_THIRD_ID = 7_777_777_777_701, 7_777_777_777_702, 7_777_777_777_703
A_MOMENT, ANOTHER_MOMENT, A_THIRD_MOMENT, A_FOURTH_MOMENT = (
    dt.datetime(9000, 1, day, tzinfo=dt.UTC) for day in (1, 2, 3, 4)
)
A_DAY = dt.date(9000, 1, 1)
A_TEXT = "a stand-in for a text"


class Prepared:
    """What `build(*stand_ins)`, a queryset, answers when it is built with other values instead.

    stand_ins: one value a parameter, of the parameter's type, that occurs nowhere else in the query; a stand-in that
    does not occur takes no part. Only for querysets whose SQL is the same whatever the values are: none is None or a
    list, nothing is sliced by one, nothing is prefetched.
    """

    def __init__(self, build, *stand_ins):
        self._build, self._stand_ins = build, stand_ins

    @classmethod
    def of(cls, *stand_ins):
        """As a decorator of the function that builds the queryset."""
        return lambda build: cls(build, *stand_ins)

    def __call__(self, *values):
        """The list of what the queryset yields: instances, dicts or tuples."""
        queryset, compiler, sql, params = self._made
        found = dict(zip(self._stand_ins, values, strict=True))
        return [*queryset._iterable_class(_Asked(queryset, compiler, sql, [_value(p, found) for p in params]))]

    def one(self, *values):
        """The first of them, or None."""
        return next(iter(self(*values)), None)

    def statement(self, *values):
        """(SQL, parameters) of it, for who sends it along with others and reads plain rows."""
        _, _, sql, params = self._made
        found = dict(zip(self._stand_ins, values, strict=True))
        return sql, [_value(param, found) for param in params]

    @cached_property
    def _made(self):
        queryset = self._build(*self._stand_ins)
        compiler = queryset.query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        compiler.get_converters = lambda expressions: converters
        return queryset, compiler, sql, params


class _Asked:
    """What Django's iterables ask of a queryset, answered from a statement that is there already."""

    def __init__(self, queryset, compiler, sql, params):
        self.db, self.model, self.query = connection.alias, queryset.model, self
        self._fetch_mode, self._known_related_objects = queryset._fetch_mode, {}
        self._fields, self.names = queryset._fields, queryset.query
        self._compiler = copy.copy(compiler)
        self._compiler.connection = connection
        self._compiler.as_sql = lambda: (sql, params)

    def get_compiler(self, using=None):
        return self._compiler

    def __getattr__(self, name):
        return getattr(self.names, name)


def _value(param, found):
    """The value for a parameter that holds a stand-in, in the parameter's own class; any other stays."""
    try:
        value = found.get(param, param)
    except TypeError:  # what has no hash is no stand-in
        return param
    return value if value is param or isinstance(value, type(param)) else type(param)(value)
