"""Questions over the tables of documents: understood, computed in a sandbox, checked, shown."""
