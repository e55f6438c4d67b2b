"""Storage options of a file system, with their secrets filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.config import Secret

LOGIN = {"username", "user", "login", "key", "account_name", "client_id"}
"""Options that mean an Airflow connection's login rather than its password."""

FILLED_IN = {
    "sftp": {"host": "host", "port": "port", "username": "login"},
    "ssh": {"host": "host", "port": "port", "username": "login"},
    "smb": {"host": "host", "port": "port", "username": "login"},
    "ftp": {"host": "host", "port": "port", "username": "login"},
    "s3": {"key": "login"},
    "s3a": {"key": "login"},
}
"""What a connection gives besides what it is named for, by protocol: option to its attribute."""

EXTRAS = {
    "s3": {
        "endpoint_url": "endpoint_url",
        "aws_session_token": "token",
    },
}
"""A connection's extra fields that are storage options, by protocol."""


def resolved(
    options: Mapping[str, str | int | float | bool | Secret],
    protocol: str,
    given: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the options with secrets in place of where they are.

    An option ``{connection: ID}`` is that Airflow connection's password, its login where the
    option is a name (``username``, ``key``), its host or port, or the extra field of the
    option's name. The same connection fills in host, port and login where neither the URL nor
    another option says them.

    Args:
        given: What the URL says; options go before it.

    Raises:
        ConfigError: A secret is not where the corpus file says.
    """
    from rag.config import Secret

    found = dict(given)
    connections: dict[str, Any] = {}
    for name, value in options.items():
        if not isinstance(value, Secret):
            found[name] = value
        elif value.connection:
            if value.connection not in connections:
                from rag.keys import connection

                connections[value.connection] = connection(value.connection)
            found[name] = _part(connections[value.connection], name)
        else:
            from rag.keys import resolve

            found[name] = resolve(value)
    for one in connections.values():
        for option, attribute in FILLED_IN.get(protocol, {}).items():
            told = getattr(one, attribute, None)
            if told and option not in found:
                found[option] = told
        for field, option in EXTRAS.get(protocol, {}).items():
            if option not in found and one.extra_dejson.get(field):
                found[option] = one.extra_dejson[field]
    return found


def _part(connection: Any, option: str) -> Any:
    if option in connection.extra_dejson:
        return connection.extra_dejson[option]
    if option in LOGIN:
        return connection.login
    if option in ("host", "port"):
        return getattr(connection, option)
    return connection.password or ""
