"""Every address of the program."""

from django.http import HttpResponse
from django.urls import path

from reviewapp.api import urls as api_urls

urlpatterns = [path("api/v1/", api_urls), path("", lambda r: HttpResponse("x"), name="queue")]
