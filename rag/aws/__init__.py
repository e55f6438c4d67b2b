"""AWS: clients for its services, and calls to them that are bounded, patient and counted.

Who we are there comes from an Airflow connection or from boto3's default chain; where it is, from
``AWS_ENDPOINT_URL_…`` variables or from the connection. Nothing here knows what answers.
"""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rag.errors import ConfigError

if TYPE_CHECKING:
    from rag.config import Aws

_making = threading.Lock()


def _in_child() -> None:
    """A fork may happen while another thread makes a client."""
    global _making
    _making = threading.Lock()


os.register_at_fork(after_in_child=_in_child)


def client(service: str, aws: Aws, *, once: bool | None = None) -> Any:
    """Return this process's boto3 client of a service, for threads to share.

    Model and guardrail services do not retry by themselves, for `rag.aws.calls.Calls` does; the
    others retry as boto3's ``adaptive`` mode says.

    Args:
        service: As boto3 names it, for example ``bedrock-runtime``.
        once: Whether each call is tried once only, where that is not the service's default here.

    Raises:
        ConfigError: Region, credentials or the connection are missing.
    """
    ours = service in ("bedrock-runtime", "sagemaker-runtime")
    told = tuple(sorted(one for one in os.environ.items() if one[0].startswith("AWS_")))
    only_once = ours if once is None else once
    with _making:  # threads that start together share one client, too
        return _client(service, aws.model_dump_json(), only_once, told, os.getpid())


def forget_clients() -> None:
    """Drop this process's clients: the next ones read their credentials anew."""
    _client.cache_clear()


def credentials(aws: Aws) -> tuple[Any, str]:
    """Return botocore credentials and the region, for a service that boto3 has no client of.

    Raises:
        ConfigError: There are none.
    """
    if aws.connection is None:
        session = _session(aws.region)
    else:
        session = _hook(aws).get_session(region_name=aws.region)
    return session.get_credentials(), session.region_name


@lru_cache(maxsize=32)
def _client(
    service: str, aws_json: str, once: bool, told: tuple[tuple[str, str], ...], process: int
) -> Any:
    """One client a process and environment: connections must not be shared over a fork."""
    from botocore.config import Config

    from rag.config import Aws

    aws = Aws.model_validate_json(aws_json)
    retries = {"total_max_attempts": 1} if once else {"mode": "adaptive", "max_attempts": 8}
    settings = Config(
        retries=retries,
        max_pool_connections=max(10, aws.concurrency),
        connect_timeout=10,
        read_timeout=min(60.0, aws.deadline_seconds),
        user_agent_extra="sluice",
    )
    if aws.connection is None:
        return _session(aws.region).client(service, config=settings)
    return _hook(aws, client_type=service, config=settings).get_client_type(region_name=aws.region)


def _hook(aws: Aws, **options: Any) -> Any:
    """Return Airflow's hook for the corpus's connection.

    Raises:
        ConfigError: There is no such connection. The hook alone would be whoever the machine is.
    """
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook

    hook = AwsGenericHook(aws_conn_id=aws.connection, region_name=aws.region, **options)
    if not isinstance(hook.conn_config.conn_id, str):
        raise ConfigError(
            f"There is no Airflow connection {aws.connection!r}.",
            "Add it (airflow connections add), or correct aws.connection in the corpus file.",
        )
    return hook


def _session(region: str | None) -> Any:
    """Return a session of boto3's default chain, which has a region and credentials.

    Raises:
        ConfigError: It lacks one of them.
    """
    import boto3
    from botocore.exceptions import BotoCoreError

    try:
        session = boto3.session.Session(region_name=region)
        missing = session.get_credentials() is None
    except BotoCoreError as error:  # a profile that does not exist, a file that is no INI
        raise ConfigError(
            f"The AWS configuration of this machine cannot be used: {type(error).__name__}.",
            "Check AWS_PROFILE and ~/.aws/config.",
        ) from None
    if session.region_name is None:
        raise ConfigError(
            "It is not said in which AWS region to work.",
            "Set aws.region in the corpus file, or AWS_REGION.",
        )
    if missing:
        raise ConfigError(
            "There are no AWS credentials.",
            "Name an Airflow connection (aws.connection), or give a role, a profile or AWS_… "
            "variables; docs/aws.md tells what they must allow.",
        )
    return session
