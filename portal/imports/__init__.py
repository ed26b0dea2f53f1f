"""Imports: files of rows into tables of the tables database."""
