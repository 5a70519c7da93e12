"""A request that the service answers with 400."""


class Refusal(Exception):
    """A request that cannot be answered; its text is the reason given."""

    @classmethod
    def of_value(cls, kind: str, value: str, parameter: str) -> "Refusal":
        """The refusal of a parameter's value that is none of its type."""
        return cls(
            f"Cannot initialize {kind} from invalid String value {value} for key {parameter}"
        )
