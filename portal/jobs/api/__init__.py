"""Jobs for programs: the same facts and rights as on the pages, as JSON."""
