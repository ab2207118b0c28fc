"""Charts that a notebook shows and the app reuses: pure functions from tidy frames to Vega-Lite."""
