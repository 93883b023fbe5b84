"""The backtest app."""

from django.apps import AppConfig


class BacktestConfig(AppConfig):
    name = "leads.backtest"
    label = "backtest"
