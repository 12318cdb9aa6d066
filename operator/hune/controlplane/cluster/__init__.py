"""The only I/O of the control plane: watching, gathering, applying."""
