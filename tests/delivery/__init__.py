"""Tests of delivery, on real servers."""
