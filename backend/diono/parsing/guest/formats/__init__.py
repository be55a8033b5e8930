"""One module a format: ``read(source, sink)`` tells the sink what is in the document."""
