"""PostgreSQL refuses to run as root. When we are root it runs as a system user, which must reach its files."""

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from reviewapp.processes import Account, CannotStart

_SYSTEM_USER = "pgserver"


def server_account(cluster: Path) -> Account | None:
    """Whom PostgreSQL runs as: None for ourselves; when we are root, the cluster's owner, or a system user."""
    if os.geteuid() != 0:
        return None
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _system_user()
    return Account(entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    """The user `pgserver`, made if possible; where no user can be made, `nobody`."""
    for make_it in (False, True):
        if make_it and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")):
            command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _SYSTEM_USER]
            subprocess.run(command, capture_output=True, check=False)  # noqa: S603 (argv is ours)
        try:
            return pwd.getpwnam(_SYSTEM_USER)
        except KeyError:
            continue
    try:
        return pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart(
            "PostgreSQL refuses to run as root and there is no other user here; start as a normal user, "
            "or set DATABASE_URL."
        ) from None


def open_the_way(path: Path) -> list[Path]:
    """Let other users pass through (not list) the directories above `path`; returns those that were closed to them."""
    closed = [place for place in path.resolve().parents if not place.stat().st_mode & stat.S_IXOTH]
    for place in closed:
        place.chmod(place.stat().st_mode | stat.S_IXOTH)
    return closed


def let_read(tree: Path) -> None:
    """Let other users read the installed files of a package; a strict umask at installation forbids it."""
    for folder, _, files in os.walk(tree):
        _allow(Path(folder), stat.S_IROTH | stat.S_IXOTH)
        for name in files:
            path = Path(folder, name)
            _allow(path, stat.S_IROTH | (stat.S_IXOTH if path.stat().st_mode & stat.S_IXUSR else 0))


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)
