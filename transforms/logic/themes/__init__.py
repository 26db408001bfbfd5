"""Themes: how analysts write them, how they are found in an article, and how they are scored."""
