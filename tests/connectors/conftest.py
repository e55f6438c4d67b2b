from __future__ import annotations

from tests.services.s3 import s3_bucket, s3_endpoint
from tests.services.sftp import sftp_server

__all__ = ["s3_bucket", "s3_endpoint", "sftp_server"]
