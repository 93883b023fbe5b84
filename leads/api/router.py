"""The one router of leads: doors to the same address share it."""

from ninja import Router

router = Router()
