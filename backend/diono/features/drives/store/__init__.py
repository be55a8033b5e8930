"""Drives in the database."""
