"""Forms look the same wherever they are printed: ``{{ form }}`` and ``{{ form.name.as_field_group }}``."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class FormRenderer(TemplatesSetting):
    form_template_name = "components/_form.html"
    field_template_name = "components/_field.html"
