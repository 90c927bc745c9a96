"""From raw bytes to stored rows: read, refuse by field, hash, insert set-based. The API and the importer share it."""
