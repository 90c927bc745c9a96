"""What of signing in depends on how the board is served."""

from django.conf import settings
from django.http import HttpRequest

from agents.networks import client_address
from people.adapter import InvitationOnly


class Accounts(InvitationOnly):
    """Tries at passwords are counted by address, so the address has to be the person's and not a proxy's."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Of who comes over a socket without addresses, the one that stands for none."""
        return client_address(request.META, settings.COUNTERSIGN_TRUSTED_PROXIES) or "::"
