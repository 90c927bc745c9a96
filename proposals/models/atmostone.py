"""A one-to-one relation that reads as None from the other side where there is nothing."""

from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models.fields.related_descriptors import ReverseOneToOneDescriptor


class _OrNone(ReverseOneToOneDescriptor):
    """Templates ask rows for what most of them lack, and an exception there costs a search through all attributes."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        try:
            return super().__get__(instance, cls)
        except ObjectDoesNotExist:
            return None


class AtMostOne(models.OneToOneField):
    """`OneToOneField` to the database and to migrations; `proposal.bypass` is None where Django would raise."""

    related_accessor_class = _OrNone

    def deconstruct(self) -> Any:
        """As the field it is, for the database knows no difference."""
        name, _, arguments, options = super().deconstruct()
        return name, "django.db.models.OneToOneField", arguments, options
