"""Where media are kept when they are not in a folder: a bucket of a store that speaks S3."""

from __future__ import annotations

from typing import Any

# So long an address that a browser is sent to is good, in seconds.
ADDRESS_LIFETIME_S = 300


def s3(
    *, bucket: str, endpoint: str, region: str, access_key: str, secret_key: str, prefix: str
) -> dict[str, Any]:
    """An entry of STORAGES. Without keys, those of the machine's role are used; ``endpoint`` "" is Amazon's
    own. Nothing is public: who may see a file is decided here, for every request."""
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint or None,
            "region_name": region or None,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "location": prefix,
            # Stores beside Amazon's mostly have no host name for each bucket.
            "addressing_style": "path" if endpoint else "auto",
            "signature_version": "s3v4",
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "querystring_expire": ADDRESS_LIFETIME_S,
            # Larger files wait on disk, not in memory.
            "max_memory_size": 8 * 1024 * 1024,
        },
    }
