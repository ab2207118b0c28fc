"""The only code besides pages/ and app.py that knows Streamlit."""
