"""A real PostgreSQL and a real Valkey from wheels, for machines that have neither. They live in the data directory."""

from reviewapp.embedded.postgres import Postgres
from reviewapp.embedded.valkey import Valkey

__all__ = ["Postgres", "Valkey"]
