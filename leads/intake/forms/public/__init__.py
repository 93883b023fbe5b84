"""The side of a form that visitors see: its own page, a frame on other pages, and where a plain form is sent."""
