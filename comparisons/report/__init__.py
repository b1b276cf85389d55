"""The report: what results files say, as a page and as tables of the README.

Reads results files and nothing else. `cells` reads them, `figures` names what is in them, `charts` draws.
"""
