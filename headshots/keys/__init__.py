"""Makes and checks tenants and their API keys."""

from headshots.keys.authenticating import KnownKeys
from headshots.keys.files import ensure_default_key, write_key_file
from headshots.keys.open_calls import RevocationInterceptor
from headshots.keys.rows import ApiKey, create_key, list_keys, revoke_key, tenant_of_key
from headshots.keys.tenants import (
    DEFAULT_TENANT,
    TenantRecord,
    create_tenant,
    grant_high,
    list_tenants,
    revoke_high,
    set_consent_required,
    set_retention,
)
from headshots.rpc.auth import id_of_key

__all__ = [
    "DEFAULT_TENANT",
    "ApiKey",
    "KnownKeys",
    "RevocationInterceptor",
    "TenantRecord",
    "create_key",
    "create_tenant",
    "ensure_default_key",
    "grant_high",
    "id_of_key",
    "list_keys",
    "list_tenants",
    "revoke_high",
    "revoke_key",
    "set_consent_required",
    "set_retention",
    "tenant_of_key",
    "write_key_file",
]
