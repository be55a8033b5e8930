"""Roles and workflows as files: what users add to the team without writing code."""
