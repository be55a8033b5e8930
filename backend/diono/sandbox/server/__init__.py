"""The sandbox service's HTTP server: it speaks the E2B wire."""
