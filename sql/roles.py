"""The two roles: the owner migrates, the application reads and writes but never changes raw or audit rows."""

from typing import Final

from sqlalchemy import Connection, text

OWNER: Final = "gantry_owner"  # of the embedded Postgres; elsewhere it is DATABASE_URL's user
APP: Final = "gantry_app"

_RIGHTS: Final = text(
    """
    SELECT has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
           has_schema_privilege('public', 'CREATE') AS may_create_tables,
           (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_create_roles,
           (SELECT pg_has_role(current_user, oid, 'SET') FROM pg_roles WHERE rolname = :app) AS is_member
    """
)


def missing_rights(connection: Connection) -> list[str]:
    """Return what the connected user may not do and an owner must, as sentences; empty when nothing is missing.

    Every right comes with the statement that grants it. `is_member` is null where the role isn't there yet.
    """
    rights = connection.execute(_RIGHTS, {"app": APP}).one()
    user = connection.execute(text("SELECT quote_ident(current_user)")).scalar_one()
    database = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    missing = []
    if not rights.may_create_schemas:
        missing.append(f"the user may not create schemas (GRANT CREATE ON DATABASE {database} TO {user})")
    if not rights.may_create_tables:
        missing.append(f"the user may not create tables (GRANT CREATE ON SCHEMA public TO {user})")
    if rights.is_member is None and not rights.may_create_roles:
        missing.append(f"there is no role {APP} (CREATE ROLE {APP}; GRANT {APP} TO {user})")
    if rights.is_member is False:
        missing.append(f"the user isn't a member of {APP} (GRANT {APP} TO {user})")
    return missing
