"""What can go wrong with the registry, as one tree; no text of it holds a key or a signed URL.

RegistryError           an answer that ends what was asked for; its text is one line for a person
├── KeyRefused          there is no key, none that can be sent, or the registry does not know it
├── NotKept             a key is good, and there is no place to keep it in
├── Unreachable         no answer came: the host, the network, TLS, a proxy
├── NotAllowed          the key's owner may not do this
├── RequestRefused      the registry did not take what was sent, or does not have what was asked
│   └── EntrySpent      an entry was marked as failed meanwhile, which is final
├── RegistryBroken      the registry failed, or answered what its protocol does not know
├── StorageFailed       the storage behind it did not take the bytes
│   ├── RangesIgnored   it sends whole files, however little is asked for
│   ├── StoredChanged   a file is another one than before, or gone
│   ├── UrlExpired      its signed URL is not good any more
│   └── UploadForgotten it does not know an upload in parts any more
├── NotVerified         the storage does not hold what was sent
├── NotConfirmed        all bytes are there, and the registry could not be told so
└── UploadCancelled     the person left
"""

from __future__ import annotations

from flowtui.failures import Failure, NoLongerWanted


class RegistryError(Failure):
    """What was asked of the registry was not done; `str()` says what and what to do."""


class KeyRefused(RegistryError):
    """There is no key, none that can be sent, or the registry does not know it."""


class NotKept(RegistryError):
    """A key is good, and could not be kept."""


class Unreachable(RegistryError):
    """No answer came; asking again may help."""


class NotAllowed(RegistryError):
    """The key's owner may not do this."""


class RequestRefused(RegistryError):
    """The registry did not take what was sent, or does not have what was asked for."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class RegistryBroken(RegistryError):
    """The registry failed by itself, or answered what its protocol does not know."""


class StorageFailed(RegistryError):
    """The storage did not take the bytes; what it has of them can be kept for another try."""

    def __init__(self, message: str, is_passing: bool = False) -> None:
        super().__init__(message)
        self.is_passing = is_passing
        """Whether the same may work a little later."""


class UrlExpired(StorageFailed):
    """The storage refused a signed URL: it is too old, or was never good."""


class UploadForgotten(StorageFailed):
    """The storage does not know an upload in parts any more; its parts are gone."""


class RangesIgnored(StorageFailed):
    """The storage, or a proxy, sends whole files, however little is asked for."""

    def __init__(self, size_bytes: int | None) -> None:
        super().__init__("the storage cannot be asked for parts of a file")
        self.size_bytes = size_bytes


class StoredChanged(StorageFailed):
    """A file in the storage is another one than before, or gone."""


class NotConfirmed(RegistryError):
    """All bytes are there, and the registry could not be told so; nothing is to be sent again."""


class EntrySpent(RequestRefused):
    """An entry was marked as failed meanwhile, which is final."""


class NotVerified(RegistryError):
    """The storage does not hold as many bytes as were sent."""


class UploadCancelled(RegistryError, NoLongerWanted):
    """The upload was left before it was done."""
