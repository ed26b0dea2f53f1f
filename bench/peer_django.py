"""Run by the Python of the peers: a file into the table `record` by django-import-export, in bulk.

`python peer_django.py FILE HOST DATABASE`: the cluster listens on a socket in the folder HOST.
"""

import sys

import django
from django.conf import settings
from django.db import models

source, host, database = sys.argv[1:]
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database,
            "USER": "postgres",
            "HOST": host,
        }
    },
    INSTALLED_APPS=["import_export"],
)
django.setup()

from import_export import resources  # noqa: E402 (not before Django is set up)
from tablib import Dataset  # noqa: E402

FIELDS = {
    "number": models.IntegerField(primary_key=True),
    "name": models.CharField(max_length=40),
    "price": models.DecimalField(max_digits=10, decimal_places=2),
    "day": models.DateField(),
    "street": models.CharField(max_length=60),
    "active": models.BooleanField(),
    "email": models.TextField(),
    "town": models.IntegerField(),
    "city": models.TextField(),
    "note": models.TextField(),
    "code": models.CharField(max_length=8),
}
with open(source, newline="", encoding="utf-8") as stream:  # noqa: PTH123 (as its users do)
    dataset = Dataset().load(stream, format="csv")
about = type("Meta", (), {"managed": False, "db_table": "record", "app_label": "bench"})
known = {name: FIELDS[name] for name in dataset.headers}
Record = type("Record", (models.Model,), {"__module__": __name__, "Meta": about, **known})


class RecordResource(resources.ModelResource):
    """The table, as its makers advise for many rows."""

    class Meta:
        """Rows are written by the thousand, none is looked up or compared before."""

        model = Record
        import_id_fields = ("number",)
        use_bulk = True
        batch_size = 1000
        skip_diff = True
        force_init_instance = True


result = RecordResource().import_data(dataset, use_transactions=True, raise_errors=True)
sys.exit(result.has_errors() or result.has_validation_errors())
