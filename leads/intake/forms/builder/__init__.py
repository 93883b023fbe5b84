"""The form builder: pages on which marketing writes, tries, publishes and compares forms."""
