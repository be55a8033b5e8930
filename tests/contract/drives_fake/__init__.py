"""Providers of cloud drives, made up: each speaks its provider's wire over TLS."""
