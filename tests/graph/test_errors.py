import grpc
import pytest

from graph import errors


def _classes(root: type[errors.StructMemError]) -> list[type[errors.StructMemError]]:
    return [root, *(leaf for sub in root.__subclasses__() for leaf in _classes(sub))]


@pytest.mark.parametrize("error", _classes(errors.StructMemError), ids=lambda c: c.__name__)
def test_every_error_knows_a_grpc_status_and_stands_in_the_tree(error: type[errors.StructMemError]) -> None:
    assert hasattr(grpc.StatusCode, error.status)
    if error.__module__ == errors.__name__:  # rooms above and below may extend the tree
        assert error.__name__ in (errors.__doc__ or "")


def test_reasons_tell_errors_apart() -> None:
    reasons = [error.reason for error in _classes(errors.StructMemError) if error.__module__ == errors.__name__]
    assert len(set(reasons)) == len(reasons)


def test_invalid_argument_names_each_field() -> None:
    error = errors.InvalidArgument([errors.FieldViolation("k", "must be at least 1"), errors.FieldViolation("query", "is required")])
    assert str(error) == "k: must be at least 1; query: is required"
