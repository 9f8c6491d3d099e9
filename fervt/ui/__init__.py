"""The pages' building blocks, one section per file: only this package imports Streamlit.

A view is reproduced by its address. A visitor's choices are therefore kept in the address
alone, and read from there on every run; the session keeps only what no address can: the
visitor's own files.
"""
