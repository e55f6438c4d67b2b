"""The steps from a source to an index: one verb a file; `pipeline` joins them."""
