"""Figures: arrays in, plotly figures out. No torch, no Streamlit, no files."""
