"""Work that runs to its end: the fitting of detectors. Never on the request path."""
