"""The tree, against the known answers of Certificate Transparency and against RFC 6962 written down naively."""

from hashlib import sha256

import pytest

from audit.merkle import EMPTY_ROOT, BadPath, Tile, Tree, leaf_hash, node_hash, path_to_root, root_from, root_of

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
PATHS = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
}
"""(index, size): the way to the root, of the test vectors of Certificate Transparency."""


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    half = half_of(len(leaves))
    return node_hash(naive_root(leaves[:half]), naive_root(leaves[half:]))


def naive_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962, 2.1.1."""
    if len(leaves) < 2:
        return []
    half = half_of(len(leaves))
    if index < half:
        return [*naive_path(index, leaves[:half]), naive_root(leaves[half:])]
    return [*naive_path(index - half, leaves[half:]), naive_root(leaves[:half])]


def half_of(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def test_the_empty_tree_and_eight_known_ones() -> None:
    assert Tree().root() == EMPTY_ROOT == sha256(b"").digest()
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    assert [root_of(hashes[:count]).hex() for count in range(1, 9)] == ROOTS


@pytest.mark.parametrize(("place", "steps"), PATHS.items())
def test_known_paths(place: tuple[int, int], steps: list[str]) -> None:
    index, size = place
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    path = path_to_root(index, size, lambda level, start, stop: hashes[start:stop])
    assert [step.hex() for step in path] == steps
    assert root_from(hashes[index], index, size, path).hex() == ROOTS[size - 1]


@pytest.mark.parametrize("width", [2, 8])
def test_a_tree_kept_in_tiles_is_the_same_tree_at_every_size(width: int) -> None:
    leaves = [sha256(bytes([number])).digest() for number in range(100)]
    tree, tiles = Tree(width), dict[tuple[int, int], Tile]()

    def nodes(level: int, start: int, stop: int) -> list[bytes]:
        return leaves[start:stop] if level == 0 else [tiles[level - 1, number].root for number in range(start, stop)]

    for size, leaf in enumerate(leaves, 1):
        tiles |= {(tile.level, tile.number): tile for tile in tree.add([leaf])}
        root = naive_root(leaves[:size])
        assert tree.root() == root
        for index in {0, size // 3, size // 2, size - 1}:
            path = path_to_root(index, size, nodes, width)
            assert path == naive_path(index, leaves[:size])
            assert root_from(leaves[index], index, size, path) == root


def test_a_path_that_cannot_fit_is_refused() -> None:
    leaf = leaf_hash(b"")
    for index, size, path in ((0, 1, [leaf]), (0, 2, []), (2, 2, [leaf]), (0, 2, [leaf, leaf]), (-1, 2, [leaf])):
        with pytest.raises(BadPath):
            root_from(leaf, index, size, path)
