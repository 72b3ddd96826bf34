import pytest

from grainseg.errors import GrainsegError, require_all_done


def test_a_run_says_how_many_failed_and_of_others_only_where_there_are_some() -> None:
    require_all_done([], "pictures", others_done=False)
    with pytest.raises(GrainsegError, match=r"^2 of the files failed, see above; the others are done$"):
        require_all_done(["a", "b"], "files", others_done=True)
    with pytest.raises(GrainsegError, match=r"^1 of the pictures failed, see above$"):
        require_all_done(["a"], "pictures", others_done=False)
