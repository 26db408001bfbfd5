"""Help for those who write themes: test, lint, suggest, diff, parity, import."""
