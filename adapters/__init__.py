"""One sub-package or module per third party; importing one never imports another."""
