"""The country of a brand, whose holidays stand on its calendar; of existing brands that of the time zone."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models

from accounts.choices import country_of_zone


def guess(apps: Any, _schema_editor: Any) -> None:
    brands = apps.get_model("accounts", "Brand")
    for zone in brands.objects.values_list("timezone", flat=True).distinct():
        brands.objects.filter(timezone=zone).update(country=country_of_zone(zone))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_approval")]

    operations = [
        migrations.AddField(
            model_name="brand",
            name="country",
            field=models.CharField(blank=True, default="", max_length=2, verbose_name="country"),
            preserve_default=False,
        ),
        migrations.RunPython(guess, migrations.RunPython.noop),
    ]
