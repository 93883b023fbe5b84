"""What came of forms: figures by version and question, and the submissions behind them."""
