"""The pages' building blocks, one section per file: only this package imports Streamlit.

A view is reproduced by its address. What the visitor chooses is therefore kept in the address
alone, and is read from there on every run; the session only holds what no address can: the
visitor's own files.
"""
