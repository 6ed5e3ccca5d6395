"""The database under the supervisor: the embedded Postgres, or the one DATABASE_URL names."""
