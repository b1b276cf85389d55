"""Hand-made graph shapes, one file per kind; `graphs.py` lists them all."""
