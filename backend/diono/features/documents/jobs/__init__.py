"""What goes on with documents beside the requests: reading them and making their vectors."""

from diono.features.documents.jobs.reader import DocumentReader, ReaderLimits

__all__ = ["DocumentReader", "ReaderLimits"]
