"""The kind `database`: all that was found, in tables of SQLite or PostgreSQL."""
